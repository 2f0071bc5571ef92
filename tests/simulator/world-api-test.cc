#include "tests/simulator/app-fleet.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace hearth::sim;

// An app on a device, and what came of its calls.
struct App {
  Fleet& fleet;
  hearth_t* hearth;
  char error[256] = "";
  std::string heard;
  std::vector<std::string> events;
  std::vector<std::thread::id> threads;  // of callbacks
  std::thread::id thread;
  int code = -1;
  std::function<int(App&)> onText = [](App&) { return 0; };
  std::function<void(App&)> body = [](App& app) { app.dictate(); };

  explicit App(Fleet& fleet, const char* device = "laptop")
      : fleet(fleet),
        hearth(hearth_world_connect(fleet.world, device, error, sizeof(error))) {
    INFO(error);
    REQUIRE(hearth != nullptr);
  }
  ~App() { hearth_close(hearth); }
  App(const App&) = delete;

  int dictate(const char* from = nullptr) {
    hearth_dictation options = {sizeof(options), from, nullptr};
    return code = hearth_dictate(hearth, &options, take, see, this, error, sizeof(error));
  }
  int status(hearth_status& out) {
    out.size = sizeof(out);
    return hearth_get_status(hearth, &out, error, sizeof(error));
  }
  void start() {
    REQUIRE(hearth_world_start(fleet.world, begin, this, error, sizeof(error)) == HEARTH_OK);
  }

  static void begin(void* user) {
    auto& app = *static_cast<App*>(user);
    app.thread = std::this_thread::get_id();
    app.body(app);
  }
  static int take(void* user, const hearth_text* text) {
    auto& app = *static_cast<App*>(user);
    app.heard += text->text;
    app.threads.push_back(std::this_thread::get_id());
    return app.onText(app);
  }
  static void see(void* user, const hearth_event* event) {
    static_cast<App*>(user)->events.emplace_back(event->kind);
  }
};

std::string words(uint32_t count, uint32_t first = 0) {
  std::string all;
  for (uint32_t i = 0; i < count; ++i) all += "w" + std::to_string(first + i) + " ";
  return all;
}

TEST_CASE("a call on the world's own thread lets the world run until it is answered") {
  Fleet fleet;
  App app(fleet);
  fleet.say("laptop", 20);
  REQUIRE(app.dictate() == HEARTH_OK);
  REQUIRE(app.heard == words(20));
  REQUIRE(app.events.back() == "ended");
  REQUIRE(hearth_world_now(fleet.world) > 6'000);
  REQUIRE(hearth_world_now(fleet.world) < 60'000);
}

TEST_CASE("the status of a device of a world comes through hearth.h") {
  Fleet fleet;
  App app(fleet, "phone");
  hearth_status status;
  REQUIRE(app.status(status) == HEARTH_OK);
  REQUIRE(std::string(status.name) == "phone");
  REQUIRE(status.devices == 3);
  REQUIRE(status.reachable == 3);
  REQUIRE(status.jobs == 0);
}

TEST_CASE("apps that wait run beside each other, with callbacks on their own threads") {
  Fleet fleet;
  App one(fleet, "laptop"), other(fleet, "phone");
  fleet.say("laptop", 20, 100);
  fleet.say("phone", 20, 200);
  one.start();
  other.start();
  fleet.untilReturned(60'000);
  REQUIRE(one.heard == words(20, 100));
  REQUIRE(other.heard == words(20, 200));
  REQUIRE(hearth_world_now(fleet.world) < 30'000);
  REQUIRE(one.thread != std::this_thread::get_id());
  for (auto thread: one.threads) REQUIRE(thread == one.thread);
  for (auto thread: other.threads) REQUIRE(thread == other.thread);
}

TEST_CASE("an app whose daemon is killed is told that it is gone, and finds it again") {
  Fleet fleet;
  App app(fleet);
  fleet.say("laptop", 40);
  app.start();
  fleet.run(7'000);
  REQUIRE_FALSE(app.heard.empty());
  fleet.fault("kill", "laptop", 5'000);
  fleet.run(1'000);
  REQUIRE(hearth_world_apps(fleet.world) == 0);
  REQUIRE(app.code == HEARTH_UNREACHABLE);
  REQUIRE(app.heard.size() < words(40).size());
  hearth_status status;
  REQUIRE(app.status(status) == HEARTH_UNREACHABLE);
  REQUIRE(std::string(app.error).find("hearthd") != std::string::npos);
  fleet.run(10'000);
  REQUIRE(app.status(status) == HEARTH_OK);
}

TEST_CASE("an app does not notice that the device that recognises its speech is killed") {
  Fleet fleet;
  App app(fleet, "phone");
  fleet.say("phone", 40);
  app.start();
  fleet.run(6'000);
  fleet.fault("kill", "gpubox", 5'000);
  fleet.fault("kill", "laptop", 5'000);
  fleet.untilReturned(120'000);
  REQUIRE(app.code == HEARTH_OK);
  REQUIRE(std::ranges::find(app.events, "lost") != app.events.end());
  REQUIRE(app.heard == words(40));
}

TEST_CASE("an app may kill its own daemon from its callback") {
  Fleet fleet;
  App app(fleet);
  fleet.say("laptop", 40);
  app.onText = [](App& app) {
    app.fleet.fault("kill", "laptop", 1'000);
    return 0;
  };
  app.start();
  fleet.untilReturned(60'000);
  REQUIRE(app.code == HEARTH_UNREACHABLE);
  REQUIRE(app.threads.size() == 1);
  fleet.run(5'000);
  REQUIRE(app.dictate() == HEARTH_UNREACHABLE);
}

TEST_CASE("a callback that answers no ends the dictation, and no text comes after it") {
  Fleet fleet;
  App app(fleet);
  fleet.say("laptop", 40);
  app.onText = [](App&) { return 1; };
  REQUIRE(app.dictate() == HEARTH_CANCELLED);
  REQUIRE(app.threads.size() == 1);
  fleet.run(5'000);
  REQUIRE(app.threads.size() == 1);
  hearth_status status;
  REQUIRE(app.status(status) == HEARTH_OK);
  REQUIRE(status.jobs == 0);
}

TEST_CASE("hearth_cancel ends a dictation in a world, from another thread as well") {
  Fleet fleet;
  App app(fleet);
  fleet.say("laptop", 40);
  app.start();
  fleet.run(4'000);
  std::thread([&]() { hearth_cancel(app.hearth); }).join();
  fleet.run(100);
  REQUIRE(app.code == HEARTH_CANCELLED);
}

TEST_CASE("a call that would wait is refused in a callback, on both kinds of thread") {
  Fleet fleet;
  for (bool onItsOwn: {false, true}) {
    App app(fleet);
    fleet.say("laptop", 6);
    int status = -1, run = -1, check = -1;
    app.onText = [&](App& app) {
      hearth_status out;
      status = app.status(out);
      run = hearth_world_run(app.fleet.world, 1, nullptr, 0);
      check = hearth_world_check(app.fleet.world, nullptr, nullptr, nullptr, 0);
      hearth_world_close(app.fleet.world);
      return 0;
    };
    if (onItsOwn) app.start();
    if (!onItsOwn) app.dictate();
    fleet.untilReturned(60'000);
    REQUIRE(app.code == HEARTH_OK);
    REQUIRE(status == HEARTH_USAGE);
    REQUIRE(run == HEARTH_USAGE);
    REQUIRE(check == HEARTH_USAGE);
  }
}

TEST_CASE("a call that is not over within the limit ends with a line that names it") {
  Fleet fleet;
  App app(fleet);
  fleet.say("laptop", 100);
  REQUIRE(hearth_world_limit(fleet.world, 5'000, nullptr, 0) == HEARTH_OK);
  auto before = hearth_world_now(fleet.world);
  REQUIRE(app.dictate() == HEARTH_FAILED);
  REQUIRE(hearth_world_now(fleet.world) == before + 5'000);
  REQUIRE(std::string(app.error).find("hearth_world_limit") != std::string::npos);
  fleet.run(1'000);
  hearth_status status;
  REQUIRE(app.status(status) == HEARTH_OK);
  REQUIRE(status.jobs == 0);
}

TEST_CASE("an app on a device that sleeps hears nothing until it wakes") {
  Fleet fleet;
  App app(fleet);
  fleet.fault("sleep", "laptop", 30'000);
  fleet.run(1'000);
  hearth_status status;
  REQUIRE(app.status(status) == HEARTH_OK);
  REQUIRE(hearth_world_now(fleet.world) >= 30'000);
}

TEST_CASE("a world says what was violated, the same when asked again") {
  Fleet fleet;
  REQUIRE(hearth_world_check(fleet.world, nullptr, nullptr, nullptr, 0) == HEARTH_OK);
  auto print = hearth_world_fingerprint(fleet.world);
  REQUIRE(hearth_world_check(fleet.world, nullptr, nullptr, nullptr, 0) == HEARTH_OK);
  REQUIRE(hearth_world_fingerprint(fleet.world) == print);
  REQUIRE(hearth_world_do(fleet.world, "kill", "laptop", nullptr, fleet.error,
              sizeof(fleet.error)) == HEARTH_USAGE);
  REQUIRE(std::string(fleet.error) == "the story is over");
}

TEST_CASE("an app that still dictates when its world is checked is a violation") {
  Fleet fleet;
  App app(fleet);
  fleet.say("laptop", 1'000);
  app.start();
  fleet.run(1'000);
  std::vector<std::string> lines;
  auto keep = [](void* user, const char* line) {
    static_cast<std::vector<std::string>*>(user)->emplace_back(line);
  };
  REQUIRE(hearth_world_check(fleet.world, keep, &lines, fleet.error, sizeof(fleet.error)) ==
      HEARTH_FAILED);
  REQUIRE_FALSE(lines.empty());
  REQUIRE(lines.front() == fleet.error);
  hearth_world_close(fleet.world);
  fleet.world = nullptr;
  REQUIRE(app.code == HEARTH_UNREACHABLE);
}

TEST_CASE("equal seeds and apps give equal fingerprints, other seeds and other notes others") {
  auto print = [](uint64_t seed, const char* note) {
    Fleet fleet(seed);
    App app(fleet);
    fleet.say("laptop", 30);
    app.start();
    fleet.run(6'000);
    fleet.fault("kill", "gpubox", 3'000);
    fleet.untilReturned(60'000);
    REQUIRE(hearth_world_note(fleet.world, note, nullptr, 0) == HEARTH_OK);
    return hearth_world_fingerprint(fleet.world);
  };
  auto first = print(7, "a");
  REQUIRE(print(7, "a") == first);
  REQUIRE(print(8, "a") != first);
  REQUIRE(print(7, "b") != first);
}

TEST_CASE("a world that is closed ends what its apps wait for, and its handles reach nobody") {
  Fleet fleet;
  App app(fleet), idle(fleet, "phone");
  fleet.say("laptop", 1'000);
  int slept = -1;
  app.body = [&](App& app) {
    app.dictate();
    slept = hearth_world_run(app.fleet.world, 1'000, nullptr, 0);
  };
  app.start();
  fleet.run(3'000);
  hearth_world_close(fleet.world);
  fleet.world = nullptr;
  REQUIRE(app.code == HEARTH_UNREACHABLE);
  REQUIRE(std::string(app.error) == "the world is closed");
  REQUIRE(slept == HEARTH_UNREACHABLE);
  hearth_status status;
  REQUIRE(idle.status(status) == HEARTH_UNREACHABLE);
}

TEST_CASE("an app that never returns is left behind when its world is closed") {
  auto fleet = std::make_unique<Fleet>();
  static uint64_t calls;
  calls = 0;
  auto stubborn = [](void* world) {
    for (;; ++calls) hearth_world_run(static_cast<hearth_world_t*>(world), 1'000, nullptr, 0);
  };
  REQUIRE(hearth_world_start(fleet->world, stubborn, fleet->world, nullptr, 0) == HEARTH_OK);
  fleet->run(3'500);
  REQUIRE(calls == 3);
  fleet = nullptr;
  REQUIRE(calls == 3 + 1'000);
}

TEST_CASE("an app that throws is a violation") {
  Fleet fleet;
  App app(fleet);
  app.body = [](App&) { throw std::runtime_error("oh"); };
  app.start();
  fleet.run(1'000);
  REQUIRE(hearth_world_check(fleet.world, nullptr, nullptr, fleet.error, sizeof(fleet.error)) ==
      HEARTH_FAILED);
  REQUIRE(std::string(fleet.error).find("app 1 threw") != std::string::npos);
}

TEST_CASE("so many apps run at once and no more") {
  Fleet fleet;
  auto rest = [](void* world) {
    hearth_world_run(static_cast<hearth_world_t*>(world), 1'000, nullptr, 0);
  };
  auto start = [&]() {
    return hearth_world_start(fleet.world, rest, fleet.world, fleet.error, sizeof(fleet.error));
  };
  for (int i = 0; i < HEARTH_WORLD_APPS_MAX; ++i) REQUIRE(start() == HEARTH_OK);
  REQUIRE(start() == HEARTH_FAILED);
  fleet.run(2'000);
  REQUIRE(start() == HEARTH_OK);
}

TEST_CASE("threads have a world each, and do not disturb each other") {
  auto print = [] {
    Fleet fleet(5);
    App app(fleet);
    fleet.say("laptop", 30);
    app.dictate();
    return hearth_world_fingerprint(fleet.world);
  };
  uint64_t here = 0, there = 0;
  std::thread other([&]() { there = print(); });
  here = print();
  other.join();
  REQUIRE(here == there);
}

TEST_CASE("foreign threads are refused") {
  Fleet fleet;
  App app(fleet);
  hearth_status status;
  int run = 0, asked = 0;
  std::thread([&]() {
    run = hearth_world_run(fleet.world, 1'000, nullptr, 0);
    asked = app.status(status);
  }).join();
  REQUIRE(run == HEARTH_USAGE);
  REQUIRE(asked == HEARTH_USAGE);
}

TEST_CASE("a thread has one world at a time, and no daemon of this machine meanwhile") {
  Fleet fleet;
  REQUIRE(hearth_world_open_text(FLEET, 2, fleet.error, sizeof(fleet.error)) == nullptr);
  REQUIRE(std::string(fleet.error).find("close it first") != std::string::npos);
  REQUIRE(hearth_open("/nonexistent", fleet.error, sizeof(fleet.error)) == nullptr);
  REQUIRE(std::string(fleet.error).find("another thread") != std::string::npos);
}

TEST_CASE("mistakes of the caller's are one line each and change nothing") {
  Fleet fleet;
  auto w = fleet.world;
  auto e = fleet.error;
  auto size = sizeof(fleet.error);
  auto said = [&](const char* part) {
    INFO(e);
    return std::string(e).find(part) != std::string::npos && strchr(e, '\n') == nullptr;
  };
  hearth_world_deed more = {sizeof(more), nullptr, nullptr, 0, 0, 0};
  REQUIRE(hearth_world_connect(w, "toaster", e, size) == nullptr);
  REQUIRE(said("no device is called toaster"));
  REQUIRE(hearth_world_connect(w, nullptr, e, size) == nullptr);
  REQUIRE(hearth_world_connect(nullptr, "phone", e, size) == nullptr);
  REQUIRE(hearth_world_do(w, "kill", "toaster", nullptr, e, size) == HEARTH_USAGE);
  REQUIRE(said("no device is called toaster"));
  REQUIRE(hearth_world_do(w, "tickle", "phone", nullptr, e, size) == HEARTH_USAGE);
  REQUIRE(said("nothing that can be done is called tickle"));
  REQUIRE(hearth_world_do(w, "kill", nullptr, nullptr, e, size) == HEARTH_USAGE);
  REQUIRE(said("kill needs a device"));
  REQUIRE(hearth_world_do(w, "pair", "phone", nullptr, e, size) == HEARTH_USAGE);
  REQUIRE(said("pair needs other"));
  REQUIRE(hearth_world_do(w, nullptr, "phone", nullptr, e, size) == HEARTH_USAGE);
  more.networks = "moon";
  REQUIRE(hearth_world_do(w, "move", "phone", &more, e, size) == HEARTH_USAGE);
  REQUIRE(said("no network is called moon"));
  more = {sizeof(more) - 1, nullptr, nullptr, 0, 0, 0};
  REQUIRE(hearth_world_do(w, "kill", "phone", &more, e, size) == HEARTH_USAGE);
  more = {sizeof(more), nullptr, nullptr, -1, 0, 0};
  REQUIRE(hearth_world_do(w, "kill", "phone", &more, e, size) == HEARTH_USAGE);
  more = {sizeof(more), nullptr, nullptr, 0, 1e9, 0};
  REQUIRE(hearth_world_do(w, "dictate", "phone", &more, e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_say(w, "gpubox", 0, 10, 6, e, size) == HEARTH_USAGE);
  REQUIRE(said("gpubox has no microphone"));
  REQUIRE(hearth_world_say(w, "phone", 0, 0, 6, e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_say(w, "phone", 0, HEARTH_WORLD_WORDS_MAX + 1, 6, e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_say(w, "phone", 0, 10, HEARTH_WORLD_SENTENCE_WORDS_MAX + 1, e, size) ==
      HEARTH_USAGE);
  REQUIRE(hearth_world_say(w, "phone", HEARTH_WORLD_WORD_LAST, 1, 1, e, size) == HEARTH_OK);
  REQUIRE(hearth_world_say(w, "phone", HEARTH_WORLD_WORD_LAST, 2, 1, e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_say(w, nullptr, 0, 10, 6, e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_run(w, -1, e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_run(w, HEARTH_WORLD_MS_MAX + 1, e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_run(nullptr, 1, e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_limit(w, 0, e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_note(w, nullptr, e, size) == HEARTH_USAGE);
  std::string tooLong(HEARTH_WORLD_NOTE_BYTES_MAX + 1, 'x');
  REQUIRE(hearth_world_note(w, tooLong.c_str(), e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_start(w, nullptr, nullptr, e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_check(nullptr, nullptr, nullptr, e, size) == HEARTH_USAGE);
  REQUIRE(hearth_world_now(nullptr) == -1);
  REQUIRE(hearth_world_apps(nullptr) == 0);
  REQUIRE(hearth_world_fingerprint(nullptr) == 0);
  hearth_world_close(nullptr);
  REQUIRE(hearth_world_check(w, nullptr, nullptr, e, size) == HEARTH_OK);
}

TEST_CASE("a scenario with a mistake opens no world, and one line says which") {
  char error[256];
  auto refusal = [&](const std::string& toml) {
    REQUIRE(hearth_world_open_text(toml.c_str(), 1, error, sizeof(error)) == nullptr);
    REQUIRE(strchr(error, '\n') == nullptr);
    return std::string(error);
  };
  auto fleet = std::string(FLEET);
  REQUIRE(refusal("title = ").find("line 1") != std::string::npos);
  REQUIRE(refusal("title = 'nobody'").find("admin") != std::string::npos);
  REQUIRE(refusal(fleet + "colour = 'red'\n").find("colour") != std::string::npos);
  REQUIRE(
      refusal(fleet + "[[step]]\nat = '1s'\ndo = 'tickle'\ndevice = 'phone'\n").find("tickle") !=
      std::string::npos);
  REQUIRE(
      refusal(fleet + "[[step]]\nat = '1s'\ndo = 'pair'\ndevice = 'phone'\n").find("needs other") !=
      std::string::npos);
  REQUIRE(refusal(fleet + "[[device]]\nname = 'x'\nprofile = 'toaster'\nat = 'home'\n")
              .find("toaster") != std::string::npos);
  REQUIRE(hearth_world_open("/nonexistent.toml", 1, error, sizeof(error)) == nullptr);
  REQUIRE(std::string(error).find("/nonexistent.toml") != std::string::npos);
  REQUIRE(hearth_world_open(nullptr, 1, error, sizeof(error)) == nullptr);
  REQUIRE(hearth_world_open_text(nullptr, 1, nullptr, 0) == nullptr);
}

TEST_CASE("a scenario of the simulator opens from its file, and its steps come as time passes") {
  char error[256] = "";
  auto world = hearth_world_open(
      HEARTH_SOURCE_DIR "/simulator/scenarios/lid-shut.toml", 3, error, sizeof(error));
  INFO(error);
  REQUIRE(world != nullptr);
  REQUIRE(hearth_world_run(world, 120'000, error, sizeof(error)) == HEARTH_OK);
  REQUIRE(hearth_world_check(world, nullptr, nullptr, error, sizeof(error)) == HEARTH_OK);
  hearth_world_close(world);
}

}  // namespace
