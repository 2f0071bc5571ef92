#include "router/engine/plugin-set.h"

#include <kj/debug.h>

namespace hearth::engine {

namespace {
constexpr auto MINUTE = 60 * kj::SECONDS;
}

PluginSet::Lease::Lease(PluginSet& set, Digest plugin, kj::Own<Engine> engine)
    : set(set),
      plugin(plugin),
      held(kj::mv(engine)) {}

PluginSet::Lease::~Lease() noexcept(false) { set.giveBack(plugin, kj::mv(held)); }

const Bundle& PluginSet::Lease::bundle() const { return *set.plugins.at(plugin).bundle; }

PluginSet::PluginSet(EngineHost& host, kj::Timer& timer, EngineGrants grants)
    : host(host),
      timer(timer),
      grants(grants),
      tasks(*this) {}

PluginSet::~PluginSet() noexcept(false) = default;

kj::Array<PluginSet::Refusal> PluginSet::scan(
    const kj::ReadableDirectory& directory, kj::ArrayPtr<const BundleSigner> trusted) {
  kj::Vector<Refusal> refusals;
  for (auto& entry: directory.listEntries()) {
    kj::Path path(kj::heapString(entry.name));
    if (entry.type == kj::FsNode::Type::DIRECTORY) {
      add(entry.name, Bundle::openDirectory(directory.openSubdir(path)), refusals);
    } else if (entry.name.endsWith(".hplug")) {
      add(entry.name, Bundle::open(directory.openFile(path), trusted), refusals);
    }
  }
  return refusals.releaseAsArray();
}

void PluginSet::add(
    kj::StringPtr file, Result<kj::Own<Bundle>> bundle, kj::Vector<Refusal>& refusals) {
  if (bundle && plugins.size() >= PLUGINS_MAX) {
    bundle = no(Errc::LIMIT_EXCEEDED, "more plugins than a device may have");
  }
  if (!bundle) {
    refusals.add(Refusal{kj::heapString(file), bundle.error()});
    return;
  }
  auto measurement = (*bundle)->measurement().plugin;
  plugins.try_emplace(measurement, Plugin{kj::mv(*bundle)});
}

kj::Array<const Bundle*> PluginSet::bundles() const {
  return KJ_MAP(entry, plugins)->const Bundle* { return entry.second.bundle.get(); };
}

kj::Maybe<const Bundle&> PluginSet::find(const Digest& plugin) const {
  auto found = plugins.find(plugin);
  if (found == plugins.end()) return nullptr;
  return *found->second.bundle;
}

kj::Promise<Result<kj::Own<PluginSet::Lease>>> PluginSet::take(Digest digest) {
  auto found = plugins.find(digest);
  if (found == plugins.end()) {
    co_return no(Errc::MEASUREMENT_MISMATCH, "this device has no plugin of that measurement");
  }
  auto& plugin = found->second;
  if (auto may = mayTake(plugin); !may) co_return no(may.error());
  KJ_IF_MAYBE(idle, takeIdle(plugin)) co_return kj::heap<Lease>(*this, digest, kj::mv(*idle));
  auto engine = co_await start(plugin);
  if (!engine) co_return no(engine.error());
  co_return kj::heap<Lease>(*this, digest, kj::mv(*engine));
}

Result<void> PluginSet::mayTake(Plugin& plugin) {
  auto& taken = plugin.taken;
  while (!taken.empty() && taken.front() + MINUTE <= timer.now()) taken.pop_front();
  if (taken.size() >= plugin.bundle->manifest().quotas.jobsPerMinute) {
    return no(Errc::BUSY, "the plugin has had its jobs of this minute");
  }
  taken.push_back(timer.now());
  return {};
}

kj::Promise<Result<kj::Own<Engine>>> PluginSet::start(Plugin& plugin) {
  if (alive >= INSTANCES_MAX || plugin.alive >= INSTANCES_PER_PLUGIN_MAX) {
    co_return no(Errc::LIMIT_EXCEEDED, "as many plugin instances run as this device allows");
  }
  ++alive, ++plugin.alive;
  // Goes with the engine wherever that goes, so that no cancellation can miscount.
  auto counted = kj::defer([this, &plugin]() { --alive, --plugin.alive; });
  auto engine = co_await host.start(*plugin.bundle, grants);
  if (!engine) co_return no(engine.error());
  co_return engine->attach(kj::mv(counted));
}

kj::Maybe<kj::Own<Engine>> PluginSet::takeIdle(Plugin& plugin) {
  while (!plugin.idle.empty()) {
    auto engine = kj::mv(plugin.idle.front());
    plugin.idle.pop_front();
    if (engine->ending() == nullptr) return engine;
    end(kj::mv(engine));
  }
  return nullptr;
}

kj::Promise<Result<void>> PluginSet::keepWarm(Digest digest) {
  auto found = plugins.find(digest);
  if (found == plugins.end()) {
    co_return no(Errc::MEASUREMENT_MISMATCH, "this device has no plugin of that measurement");
  }
  auto& plugin = found->second;
  plugin.warm = true;
  if (plugin.alive > 0) co_return Result<void>();
  auto engine = co_await start(plugin);
  if (!engine) co_return no(engine.error());
  plugin.idle.push_back(kj::mv(*engine));
  co_return Result<void>();
}

kj::Promise<Result<TaskCost>> PluginSet::calibrate(Digest plugin, kj::StringPtr task) {
  auto name = kj::heapString(task);
  auto lease = co_await take(plugin);
  if (!lease) co_return no(lease.error());
  co_return co_await Calibrator(timer).run((*lease)->engine(), (*lease)->bundle(), name);
}

void PluginSet::giveBack(const Digest& digest, kj::Own<Engine> engine) {
  auto& plugin = plugins.at(digest);
  tasks.add(rest(plugin, kj::mv(engine)));
}

// What becomes of an instance whose job is over.
kj::Promise<void> PluginSet::rest(Plugin& plugin, kj::Own<Engine> engine) {
  bool stays = plugin.warm && plugin.idle.empty() && !worn(plugin, *engine);
  if (stays && (co_await engine->close()).has_value() && plugin.idle.empty()) {
    plugin.idle.push_back(kj::mv(engine));
    co_return;
  }
  end(kj::mv(engine));
  if (!plugin.warm || plugin.alive > 0) co_return;
  auto another = co_await start(plugin);
  // One that cannot start now is tried again when it is next asked for.
  if (another) plugin.idle.push_back(kj::mv(*another));
}

// Half of its CPU time is gone: enough is left to end a job well, not to begin one (docs/adr/0033).
bool PluginSet::worn(const Plugin& plugin, const Engine& engine) const {
  return engine.ending() != nullptr ||
      engine.cpuTime() * 2 > plugin.bundle->manifest().quotas.cpuS * kj::SECONDS;
}

void PluginSet::end(kj::Own<Engine> engine) {
  KJ_IF_MAYBE(ending, engine->ending()) KJ_LOG(WARNING, "a plugin ended", ending->report);
}

void PluginSet::taskFailed(kj::Exception&& exception) {
  KJ_LOG(ERROR, "a plugin instance could not be given back", exception);
}

}  // namespace hearth::engine
