#pragma once
// A small world of devices for tests of apps.

#include "bindings/c/hearth-sim.h"

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <string>
#include <vector>

namespace hearth::sim {

inline constexpr char FLEET[] = R"(
title = "A laptop and a phone"
heals = "30s"
[[network]]
name = "home"
kind = "home-wifi"
[[device]]
name = "phone"
profile = "phone-flagship"
at = "home"
admin = true
[[device]]
name = "laptop"
profile = "laptop"
at = "home"
[[device]]
name = "gpubox"
profile = "gpubox"
at = "home"
)";

struct Fleet {
  char error[256] = "";
  hearth_world_t* world;

  explicit Fleet(uint64_t seed = 1)
      : world(hearth_world_open_text(FLEET, seed, error, sizeof(error))) {
    INFO(error);
    REQUIRE(world != nullptr);
  }
  ~Fleet() { hearth_world_close(world); }
  Fleet(const Fleet&) = delete;

  void run(int64_t ms) {
    INFO(error);
    REQUIRE(hearth_world_run(world, ms, error, sizeof(error)) == HEARTH_OK);
  }
  void fault(const char* what, const char* device, int64_t forMs = 0) {
    hearth_world_deed more = {sizeof(more), nullptr, nullptr, forMs, 0, 0};
    REQUIRE(hearth_world_do(world, what, device, &more, error, sizeof(error)) == HEARTH_OK);
  }
  void say(const char* device, uint32_t words, uint32_t first = 0) {
    REQUIRE(hearth_world_say(world, device, first, words, 6, error, sizeof(error)) == HEARTH_OK);
  }
  void untilReturned(int64_t atMost) {
    for (int64_t ms = 0; hearth_world_apps(world) > 0 && ms < atMost; ms += 1'000) run(1'000);
    REQUIRE(hearth_world_apps(world) == 0);
  }
};

// An app that does something in the world, from its own thread.
template <typename App>
struct AppOn {
  hearth_world_t* world;
  hearth_t* hearth;
  char error[256] = "";
  std::function<void(App&)> body;
  std::vector<std::string> told;
  size_t enough = 1;

  AppOn(hearth_world_t* world, const char* device, std::function<void(App&)> body)
      : world(world),
        hearth(hearth_world_connect(world, device, error, sizeof(error))),
        body(std::move(body)) {
    INFO(error);
    REQUIRE(hearth != nullptr);
    auto start = [](void* self) {
      auto& app = *static_cast<App*>(self);
      app.body(app);
    };
    auto* self = static_cast<App*>(this);
    REQUIRE(hearth_world_start(world, start, self, error, sizeof(error)) == HEARTH_OK);
  }
  ~AppOn() { hearth_close(hearth); }
  AppOn(const AppOn&) = delete;
};

}  // namespace hearth::sim
