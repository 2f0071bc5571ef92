#pragma once
// A world of two devices at home, paired, with the shipping code on them.

#include "simulator/story/people.h"

#include <kj/debug.h>

namespace hearth::sim {

inline Profile profileOf(const char* name, std::vector<const char*> tasks) {
  Profile profile;
  profile.name = profile.deviceClass = name;
  profile.microphone = true;
  for (auto task: tasks) profile.tasks[task] = TaskModel{};
  return profile;
}

// Two devices at home, paired, with a moment to settle.
struct Home {
  Profile phone = profileOf("phone", {"audio.vad"});
  Profile laptop = profileOf("laptop", {"audio.transcribe", "text.format"});
  World world;
  People people{world};
  NetworkIndex wifi = world.addNetwork(NetworkKind{.name = "wifi"});

  explicit Home(uint64_t seed): world(seed) {
    for (auto profile: {&phone, &laptop}) {
      auto& device = world.addDevice(profile->name, *profile);
      device.mayVisit(wifi);
      device.put({wifi});
      device.powerOn();
    }
    world.add(settle());
    world.run(60 * kj::SECONDS);
  }

  kj::Promise<void> settle() {
    co_await people.found(world.device("phone"));
    co_await world.time.after(1 * kj::SECONDS);
    KJ_ASSERT(co_await people.pair(world.device("laptop"), world.device("phone")));
  }
};

}  // namespace hearth::sim
