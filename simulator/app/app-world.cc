#include "simulator/app/app-world.h"

#include "simulator/app/app-stream.h"
#include "simulator/engines/speech.h"

#include <capnp/rpc-twoparty.h>
#include <kj/debug.h>

#include <algorithm>

namespace hearth::sim {

// An app's connection, for one call.
class AppWorld::AppLine final: public local::Line {
 public:
  AppLine(Call& call, WorldTime& time, kj::AsyncIoStream& stream)
      : call(call),
        time(time),
        client(stream) {}

  local::Daemon::Client daemon() override { return client.bootstrap().castAs<local::Daemon>(); }

  kj::Promise<void> whenCancelled() override { return whenSet(call.cancelled); }
  kj::Promise<void> whenNudged() override { return whenSet(call.nudged); }

  void onCaller(kj::FunctionParam<void()> callback) override {
    KJ_IF_MAYBE(app, call.app) {
      app->call(callback);
    } else {
      callback();
    }
  }

  kj::Promise<int> whenGone() {
    co_await client.onDisconnect();
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the daemon went away"));
  }

 private:
  Call& call;
  WorldTime& time;
  capnp::TwoPartyClient client;

  // It may be set from anywhere, and so it is looked for.
  kj::Promise<void> whenSet(std::atomic<bool>& flag) {
    constexpr auto LOOK_EVERY = 20 * kj::MILLISECONDS;
    while (!flag.exchange(false)) co_await time.after(LOOK_EVERY);
  }
};

AppWorld::AppWorld(Scenario scenarioIn, Catalogue catalogueIn, uint64_t seed)
    : scenario(kj::mv(scenarioIn)),
      catalogue(kj::mv(catalogueIn)),
      run(scenario, catalogue, seed),
      troupe(run.world) {
  run.begin();
}

AppWorld::~AppWorld() noexcept(false) { troupe.dismiss(); }

bool AppWorld::has(const std::string& device) const {
  return std::ranges::any_of(scenario.devices, [&](auto& cast) { return cast.name == device; });
}

int64_t AppWorld::nowMs() const {
  return (run.world.time.now() - run.beganAt()) / kj::MILLISECONDS;
}

AppWorld::Refusal AppWorld::say(
    const std::string& name, uint32_t first, uint32_t words, uint32_t sentenceWords) {
  if (!has(name)) return std::unexpected("no device is called " + name);
  auto& device = run.world.device(name.c_str());
  if (!device.kind().microphone) return std::unexpected(name + " has no microphone");
  bool sayable = words >= 1 && words <= Speech::DICTATION_WORDS_MAX && sentenceWords >= 1 &&
      sentenceWords <= Speech::SENTENCE_WORDS_MAX && uint64_t{first} + words <= Speech::WORDS_MAX;
  if (!sayable)
    return std::unexpected("a speech has 1 to " + std::to_string(Speech::DICTATION_WORDS_MAX) +
        " words, in sentences of 1 to " + std::to_string(Speech::SENTENCE_WORDS_MAX) +
        ", numbered up to " + std::to_string(Speech::WORDS_MAX - 1));
  device.hear(Speech::say(first, words, sentenceWords));
  return {};
}

void AppWorld::note(kj::StringPtr text) {
  run.world.fold(text);
  run.world.history.add(-1, "app", text.cStr());
}

const std::vector<std::string>& AppWorld::check() {
  KJ_IF_MAYBE(known, verdict) return *known;
  auto outcome = run.judge(kj::runCatchingExceptions([&]() { run.end(); }));
  auto& lines = verdict.emplace(troupe.failures());
  for (auto& violation: outcome.violations)
    lines.push_back(violation.checker + ": " + violation.text);
  return lines;
}

kj::Promise<void> AppWorld::make(Call& call) {
  try {
    call.code = co_await talk(call).exclusiveJoin(giveUp());
  } catch (const kj::Exception& e) {
    call.thrown = kj::cp(e);
  }
}

// An app on a device that sleeps sleeps as well.
kj::Promise<int> AppWorld::talk(Call& call) {
  auto& device = run.world.device(call.device.c_str());
  co_await device.awake();
  AppStream stream(device.connectApp(), device, run.world);
  AppLine line(call, run.world.time, stream);
  co_return co_await call.work(line).exclusiveJoin(line.whenGone());
}

kj::Promise<int> AppWorld::giveUp() {
  auto after = limit;
  co_await run.world.time.after(after);
  kj::throwFatalException(kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__,
      kj::str("the call was not over after ", after / kj::MILLISECONDS,
          " ms of the world's time: hearth_world_limit gives it longer")));
}

}  // namespace hearth::sim
