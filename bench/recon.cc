#include "bench/recon.h"

#include "bench/process.h"
#include "crypto/primitives/hash.h"
#include "storage/sync/reconciler.h"

#include <kj/debug.h>

#include <set>

namespace hearth::bench {

namespace {

using namespace storage;
using nlohmann::json;

struct Sides {
  ItemSet first, second;
  std::set<ItemName> onlyFirst, onlySecond;
};

// An operation every few milliseconds, and every so often one that only one side has.
Sides filled(const ReconOptions& options, uint64_t seed) {
  Sides sides;
  auto every = options.operations / kj::max(options.differing, 1u);
  for (uint64_t i = 0; i < options.operations + options.differing; ++i) {
    uint64_t seeds[] = {seed, i};
    auto bytes = kj::arrayPtr(reinterpret_cast<const kj::byte*>(seeds), sizeof(seeds));
    ItemName name{1'700'000'000'000 + i * 7, crypto::hash("hearth/bench/v1", {bytes})};
    bool differs = i % (every + 1) == every / 2;
    bool mine = name.id.bytes[0] & 1;
    if (!differs || mine) sides.first.insert(name);
    if (!differs || !mine) sides.second.insert(name);
    if (differs) (mine ? sides.onlyFirst : sides.onlySecond).insert(name);
  }
  return sides;
}

json measureOnce(const ReconOptions& options, uint64_t seed) {
  auto begin = cpuS();
  auto sides = filled(options, seed);
  auto filledAt = cpuS();
  ReconcileSalt salt;
  salt.bytes[0] = static_cast<kj::byte>(seed);
  Reconciler machines[2]{Reconciler(sides.first, salt), Reconciler(sides.second, salt)};
  std::set<ItemName> sent[2];
  size_t wireBytes = 0, messages = 0;
  auto message = machines[0].begin();
  for (size_t receiver = 1; message.size() > 0; receiver = 1 - receiver) {
    wireBytes += message.size();
    ++messages;
    auto step = machines[receiver].received(message);
    KJ_REQUIRE(step.has_value(), "a message that is refused", step.error().because);
    sent[receiver].insert(step->send.begin(), step->send.end());
    message = kj::mv(step->reply);
  }
  auto done = cpuS();
  bool ok = sent[0] == sides.onlyFirst && sent[1] == sides.onlySecond;
  return {{"ok", ok ? 1 : 0}, {"wire_bytes", wireBytes}, {"round_trips", (messages + 1) / 2},
      {"cpu_s", done - filledAt}, {"set_up_cpu_s", filledAt - begin}, {"rss_mib", rssPeakMib()}};
}

}  // namespace

json measureRecon(const ReconOptions& options) {
  std::vector<json> rounds;
  bool ok = true;
  for (uint32_t i = 0; i < options.rounds; ++i) {
    rounds.push_back(inOwnProcess([&]() { return measureOnce(options, i); }));
    ok = ok && rounds.back()["ok"] == 1;
  }
  auto result = medians(rounds);
  result["ok"] = ok;
  return result;
}

}  // namespace hearth::bench
