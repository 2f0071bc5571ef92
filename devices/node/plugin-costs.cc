#include "devices/node/plugin-costs.h"

#include "core/base/flat.h"
#include "storage/tables/settings.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <bit>

namespace hearth::devices {

namespace {

// The cost of a task on this device, as kept between runs: three numbers as their bits.
kj::String costSetting(const Digest& plugin, const std::string& task) {
  return kj::str("cost/", kj::encodeHex(plugin.asBytes()), '/', task.c_str());
}

crypto::Buffer encodeCost(const engine::TaskCost& cost) {
  FlatWriter out;
  for (auto value: {cost.fixedS, cost.perUnitS, cost.spread})
    out.u64(std::bit_cast<uint64_t>(value));
  return out.finish();
}

kj::Maybe<engine::TaskCost> decodeCost(crypto::Bytes bytes) {
  FlatReader in(bytes);
  engine::TaskCost cost;
  cost.fixedS = std::bit_cast<double>(in.u64());
  cost.perUnitS = std::bit_cast<double>(in.u64());
  cost.spread = std::bit_cast<double>(in.u64());
  if (!in.finish()) return nullptr;
  return cost;
}

int64_t micros(double seconds) { return static_cast<int64_t>(seconds * 1e6); }

std::string versionOf(const engine::PluginVersion& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
      std::to_string(version.patch);
}

}  // namespace

kj::Promise<kj::Maybe<engine::TaskCost>> PluginCosts::cost(
    const Digest& plugin, const std::string& task) {
  auto key = costSetting(plugin, task);
  auto kept = co_await around.store.read(
      [key = kj::str(key)](storage::Database& db) { return storage::settings::get(db, key); });
  KJ_IF_MAYBE(bytes, kept) {
    if (auto known = decodeCost(*bytes); known != nullptr) co_return known;
  }
  auto measured = co_await around.plugins.calibrate(plugin, task.c_str());
  if (!measured) {
    KJ_LOG(WARNING, "a plugin could not be measured and is not used", task.c_str(),
        measured.error().because);
    co_return nullptr;
  }
  co_await around.store.write(
      [key = kj::str(key), bytes = encodeCost(*measured)](
          storage::Database& db) { storage::settings::set(db, key, bytes); });
  co_return kj::mv(*measured);
}

kj::Promise<kj::Maybe<router::PluginFacts>> PluginCosts::measure(
    const engine::Bundle& bundle, const engine::PluginTask& task) {
  auto plugin = bundle.measurement().plugin;
  auto found = co_await cost(plugin, task.name);
  KJ_IF_MAYBE(known, found) {
    around.trace.event("plugin.measured",
        {{"plugin", plugin}, {"fixed_us", micros(known->fixedS)},
            {"per_unit_us", micros(known->perUnitS)}});
    co_return router::PluginFacts{.task = task.name,
        .name = bundle.manifest().name,
        .version = versionOf(bundle.manifest().version),
        .measurement = plugin,
        .fixedS = known->fixedS,
        .perUnitS = known->perUnitS,
        .spread = known->spread,
        .memoryBytes = uint64_t{bundle.manifest().quotas.memoryMib} << 20,
        .warm = true};
  }
  co_return nullptr;
}

}  // namespace hearth::devices
