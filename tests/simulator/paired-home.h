#pragma once
// A world of two devices at home, or three, paired, with the shipping code on them.

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
    for (auto profile: {&phone, &laptop}) addAtHome(*profile);
    world.add(settle());
    world.run(60 * kj::SECONDS);
  }

  // One more that is there and runs. The profile outlives it.
  Device& addAtHome(const Profile& profile) {
    auto& device = world.addDevice(profile.name, profile);
    device.mayVisit(wifi);
    device.put({wifi});
    device.powerOn();
    return device;
  }

  kj::Promise<void> settle() {
    co_await people.found(world.device("phone"));
    co_await world.time.after(1 * kj::SECONDS);
    KJ_ASSERT(co_await people.pair(world.device("laptop"), world.device("phone")));
  }
};

// And a third, which the phone brings in.
struct Trio: Home {
  Profile deskKind = profileOf("desk", {});
  Device &phone = world.device("phone"), &laptop = world.device("laptop"),
         &desk = addAtHome(deskKind);

  explicit Trio(crypto::Role role = crypto::Role::MEMBER): Home(1) {
    world.add(people.pair(desk, phone, role).ignoreResult());
    world.run(60 * kj::SECONDS);
  }
};

}  // namespace hearth::sim
