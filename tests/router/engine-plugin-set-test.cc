#include "router/engine/plugin-set.h"
#include "tests/router/engine-fixture.h"

namespace hearth::engine {
namespace {

// An engine that needs no process: gives frames back at once, and uses a second of CPU time for each
// job that it is opened for.
class FakeEngine final: public Engine {
 public:
  explicit FakeEngine(size_t& living): living(living) { ++living; }
  ~FakeEngine() noexcept(false) { --living; }

  kj::Promise<Result<void>> open(EngineJob) override {
    used += 1 * kj::SECONDS;
    return Result<void>();
  }
  kj::Promise<Result<void>> write(EngineFrame frame) override {
    if (frame.payload == kj::StringPtr("die").asBytes()) {
      ended = Ending{{Errc::INTEGRITY_FAILED, "it died"}, kj::str("as asked")};
    }
    out.push_back({kj::mv(frame)});
    return Result<void>();
  }
  kj::Promise<Result<Output>> read() override {
    KJ_ASSERT(!out.empty());
    auto first = kj::mv(out.front());
    out.pop_front();
    return Result<Output>(kj::mv(first));
  }
  kj::Promise<Result<void>> close() override {
    out.clear();
    return Result<void>();
  }
  kj::Maybe<const Ending&> ending() const override {
    KJ_IF_MAYBE(e, ended) return *e;
    return nullptr;
  }
  kj::Duration cpuTime() const override { return used; }

 private:
  size_t& living;
  kj::Duration used = 0 * kj::SECONDS;
  std::deque<Output> out;
  kj::Maybe<Ending> ended;
};

struct FakeHost final: public EngineHost {
  size_t living = 0;
  size_t started = 0;
  kj::Promise<Result<kj::Own<Engine>>> start(const Bundle&, const EngineGrants&) override {
    ++started;
    return Result<kj::Own<Engine>>(kj::heap<FakeEngine>(living));
  }
};

struct Plugins {
  UvLoop uv;
  FakeHost host;
  PluginSet set{host, uv.timer(), {}};
  Digest echo;

  Plugins() {
    auto disk = kj::newDiskFilesystem();
    auto refusals = set.scan(
        *disk->getRoot().openSubdir(kj::Path(nullptr).evalNative(HEARTH_TEST_PLUGINS)), nullptr);
    REQUIRE(refusals.size() == 0);
    for (auto bundle: set.bundles()) {
      if (bundle->manifest().name == "echo") echo = bundle->measurement().plugin;
    }
  }
  kj::Own<PluginSet::Lease> take() {
    auto lease = set.take(echo).wait(uv.waitScope);
    if (!lease) FAIL(lease.error().because.cStr());
    return kj::mv(*lease);
  }
  void settle() { uv.waitScope.poll(); }
};

TEST_CASE("a device finds its plugins and knows them by measurement") {
  Plugins plugins;
  REQUIRE(plugins.set.bundles().size() == 6);
  REQUIRE(KJ_ASSERT_NONNULL(plugins.set.find(plugins.echo)).manifest().name == "echo");
  REQUIRE(plugins.set.take(Digest()).wait(plugins.uv.waitScope).error().code ==
      Errc::MEASUREMENT_MISMATCH);
}

TEST_CASE("an instance ends with its job unless its plugin is kept warm") {
  Plugins plugins;
  { auto lease = plugins.take(); }
  plugins.settle();
  REQUIRE(plugins.set.instances() == 0);
  REQUIRE(plugins.host.living == 0);

  REQUIRE(went(plugins.set.keepWarm(plugins.echo).wait(plugins.uv.waitScope)));
  auto startedSoFar = plugins.host.started;
  for (int i = 0; i < 3; ++i) {
    plugins.take();
    plugins.settle();
  }
  REQUIRE(plugins.host.started == startedSoFar);
  REQUIRE(plugins.host.living == 1);
}

TEST_CASE("two jobs at a time get two instances, and one of them stays") {
  Plugins plugins;
  REQUIRE(went(plugins.set.keepWarm(plugins.echo).wait(plugins.uv.waitScope)));
  {
    auto one = plugins.take();
    auto two = plugins.take();
    REQUIRE(plugins.set.instances() == 2);
  }
  plugins.settle();
  REQUIRE(plugins.set.instances() == 1);
}

TEST_CASE("a warm instance that dies is replaced") {
  Plugins plugins;
  REQUIRE(went(plugins.set.keepWarm(plugins.echo).wait(plugins.uv.waitScope)));
  {
    auto lease = plugins.take();
    REQUIRE(went(lease->engine().write(frameOf(1, "die")).wait(plugins.uv.waitScope)));
  }
  plugins.settle();
  REQUIRE(plugins.host.started == 2);
  REQUIRE(plugins.host.living == 1);
}

TEST_CASE("an instance that has used half of its CPU time is not taken again") {
  Plugins plugins;
  REQUIRE(went(plugins.set.keepWarm(plugins.echo).wait(plugins.uv.waitScope)));
  for (int i = 0; i < 31; ++i) {  // the quota is 60 s, the fake uses one for each job
    auto lease = plugins.take();
    REQUIRE(went(lease->engine().open(jobOf("echo")).wait(plugins.uv.waitScope)));
    lease = nullptr;
    plugins.settle();
  }
  REQUIRE(plugins.host.started == 2);
}

TEST_CASE("no more instances of one plugin run than the limit") {
  Plugins plugins;
  kj::Vector<kj::Own<PluginSet::Lease>> leases;
  for (size_t i = 0; i < PluginSet::INSTANCES_PER_PLUGIN_MAX; ++i) leases.add(plugins.take());
  REQUIRE(plugins.set.take(plugins.echo).wait(plugins.uv.waitScope).error().code ==
      Errc::LIMIT_EXCEEDED);
  leases.clear();
  plugins.settle();
  plugins.take();
}

TEST_CASE("a plugin gets no more jobs in a minute than its quota says") {
  Plugins plugins;
  for (int i = 0; i < 120; ++i) {
    plugins.take();
    plugins.settle();
  }
  REQUIRE(plugins.set.take(plugins.echo).wait(plugins.uv.waitScope).error().code == Errc::BUSY);
}

TEST_CASE("the cost is the line through the fastest run of each size") {
  CalibrationRun runs[] = {{5, 1.4, 1.5}, {10, 2.2, 2.4}, {5, 1.0, 1.2}, {10, 2.0, 3.0}};
  auto cost = fitCost(runs);
  REQUIRE(cost.perUnitS == 0.2);
  REQUIRE(cost.fixedS < 1e-9);
  REQUIRE(cost.spread > 0.0999);
  REQUIRE(cost.spread < 0.1001);
  REQUIRE(cost.wallRatio == 1.5);
}

TEST_CASE("noise never makes work free") {
  CalibrationRun runs[] = {{5, 1.0, 1.0}, {10, 0.9, 1.0}};
  REQUIRE(fitCost(runs).perUnitS > 0);
  REQUIRE(fitCost(runs).fixedS >= 0);
}

TEST_CASE("a calibration input is cut into frames, the last with its segment's end") {
  Calibration calibration{
      .input = "x", .units = 6, .frameBytes = 2, .frameUs = 10, .segmentEnd = true};
  auto input = calibrationInput(calibration, kj::StringPtr("aabbc").asBytes(), 0.67);
  REQUIRE(input.frames.size() == 3);  // two of three, and END
  REQUIRE(input.frames[1].flags == ENGINE_FLAG_SEGMENT_END);
  REQUIRE(input.frames[2].flags == ENGINE_FLAG_END);
  REQUIRE(input.frames[2].ptsUs == 20);
  REQUIRE(input.units == 4);

  calibration.frameBytes = 0;
  REQUIRE(calibrationInput(calibration, kj::StringPtr("a\nbb\n").asBytes(), 1).frames.size() == 3);
}

TEST_CASE("a real plugin's calibration gives a cost") {
  needSandbox();
  auto bundle = pluginBundle("echo");
  RealHost real;
  auto engine = real.start(*bundle);
  Calibrator calibrator(real.uv.timer());
  auto cost = real.wait(calibrator.run(*engine, *bundle, "echo"));
  REQUIRE(went(cost));
  REQUIRE(cost->perUnitS > 0);
  REQUIRE(cost->perUnitS < 1);
  REQUIRE(cost->unit == "lines");
  REQUIRE(real.wait(calibrator.run(*engine, *bundle, "other")).error().code == Errc::POLICY_DENIED);
}

}  // namespace
}  // namespace hearth::engine
