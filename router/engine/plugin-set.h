#pragma once
// The plugins of this device: their bundles, their running instances, what they cost.
//
// An instance serves one job at a time. It is taken for a job and comes back when the job is over;
// it then stays, models loaded, when its plugin is kept warm, else it ends.

#include "router/engine/calibration.h"

#include <deque>
#include <map>

namespace hearth::engine {

class PluginSet final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t PLUGINS_MAX = 64;
  static constexpr size_t INSTANCES_MAX = 16;  // of all plugins together
  static constexpr size_t INSTANCES_PER_PLUGIN_MAX = 4;

  // A bundle that cannot be used, and why; for the log and for `hearth plugin list`.
  struct Refusal {
    kj::String file;
    Error error;
  };

  // An instance in use. Destroying it gives the instance back; its job need not be closed.
  class Lease final {
   public:
    Lease(PluginSet& set, Digest plugin, kj::Own<Engine> engine);
    ~Lease() noexcept(false);
    KJ_DISALLOW_COPY_AND_MOVE(Lease);

    Engine& engine() { return *held; }
    const Bundle& bundle() const;

   private:
    PluginSet& set;
    Digest plugin;
    kj::Own<Engine> held;
  };

  // `host` and `timer` outlive the set, and the set outlives its leases.
  PluginSet(EngineHost& host, kj::Timer& timer, EngineGrants grants);
  ~PluginSet() noexcept(false);

  // Adds what is in `directory`: *.hplug files signed by somebody trusted, and plugin directories.
  // Of two bundles with one measurement the first counts. Reads and hashes every file of plugin
  // directories, so call it before the loop runs.
  kj::Array<Refusal> scan(
      const kj::ReadableDirectory& directory, kj::ArrayPtr<const BundleSigner> trusted);

  // Every plugin, by measurement.
  kj::Array<const Bundle*> bundles() const;
  kj::Maybe<const Bundle&> find(const Digest& plugin) const;

  // An instance for one job: a warm one, or a new one.
  // Errors: MEASUREMENT_MISMATCH (no such plugin here), LIMIT_EXCEEDED (too many instances), BUSY
  // (its jobs per minute are used up), and those of EngineHost::start.
  kj::Promise<Result<kj::Own<Lease>>> take(Digest plugin);

  // From now on one instance at least is kept, idle or in use. Resolves when it is there.
  kj::Promise<Result<void>> keepWarm(Digest plugin);

  // Runs the calibration of one task. The instance stays warm if its plugin is kept warm.
  // Errors: those of take() and of Calibrator::run().
  kj::Promise<Result<TaskCost>> calibrate(Digest plugin, kj::StringPtr task);

  size_t instances() const { return alive; }

 private:
  struct Plugin {
    kj::Own<Bundle> bundle;
    bool warm = false;
    size_t alive = 0;  // instances: idle, in use, starting or closing
    std::deque<kj::Own<Engine>> idle;
    std::deque<kj::TimePoint> taken;  // within the last minute
  };

  EngineHost& host;
  kj::Timer& timer;
  EngineGrants grants;
  size_t alive = 0;
  std::map<Digest, Plugin> plugins;
  kj::TaskSet tasks;

  void add(kj::StringPtr file, Result<kj::Own<Bundle>> bundle, kj::Vector<Refusal>& refusals);
  Result<void> mayTake(Plugin& plugin);
  kj::Promise<Result<kj::Own<Engine>>> start(Plugin& plugin);
  kj::Maybe<kj::Own<Engine>> takeIdle(Plugin& plugin);
  void giveBack(const Digest& digest, kj::Own<Engine> engine);
  kj::Promise<void> rest(Plugin& plugin, kj::Own<Engine> engine);
  bool worn(const Plugin& plugin, const Engine& engine) const;
  void end(kj::Own<Engine> engine);
  void taskFailed(kj::Exception&& exception) override;
};

}  // namespace hearth::engine
