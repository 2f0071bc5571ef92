#pragma once
// Everything that a step or a storm can do, by name: what people do, and what goes wrong.
// docs/SIMULATOR.md says what `device`, `other`, `for` and `amount` mean to each.

#include "simulator/story/run.h"

namespace hearth::sim {

// One occasion of a step or of a storm's fault.
struct Happening {
  std::string what;
  Device* device = nullptr;
  Device* other = nullptr;
  std::vector<NetworkIndex> networks;
  kj::Duration span = 0 * kj::SECONDS;
  double amount = 0, second = 0;
};

class Verbs final {
 public:
  Verbs(Run& run, Chance luck): run(run), luck(luck) {}

  static bool knows(const std::string& what);
  // Whether it can be a fault of a storm: it ends by itself.
  static bool isFault(const std::string& what);
  static std::vector<std::string> all();

  // What is wrong with such a happening, as one line; none: it can be performed.
  static kj::Maybe<std::string> complaint(const Happening& happening);

  // Resolves when it is over and undone, if it is something that ends.
  kj::Promise<void> perform(Happening happening);

 private:
  using Verb = kj::Promise<void> (Verbs::*)(const Happening&);
  struct Entry {
    const char* name;
    Verb verb;
    bool fault;
    bool needsDevice;
    const char* other = nullptr;  // it needs one: who that is
  };
  static const Entry TABLE[];
  static const Entry* find(const std::string& what);

  Run& run;
  Chance luck;

  void came(const char* what, uint64_t times = 1) { run.effects[what] += times; }
  kj::Promise<void> wait(const Happening& h);
  void noteEnd(int about, const std::string& what, kj::TimePoint began);
  void cutBothWays(Device& a, Device& b, bool cut);
  std::vector<Device*> others(const Device& device);
  std::vector<Device*> shuffled();

  // People.
  kj::Promise<void> dictate(const Happening& h);
  kj::Promise<void> pair(const Happening& h);
  kj::Promise<void> pairWithWrongCode(const Happening& h);
  kj::Promise<void> guessCodes(const Happening& h);
  kj::Promise<void> remove(const Happening& h);
  kj::Promise<void> makeAdmin(const Happening& h);
  kj::Promise<void> fallIntoFalseHands(const Happening& h);
  kj::Promise<void> approve(const Happening& h);
  kj::Promise<void> write(const Happening& h);
  kj::Promise<void> copy(const Happening& h);
  kj::Promise<void> clear(const Happening& h);
  kj::Promise<void> shareFolder(const Happening& h);
  kj::Promise<void> useFiles(const Happening& h);
  kj::Promise<void> turnFolder(const Happening& h);
  kj::Promise<void> move(const Happening& h);
  kj::Promise<void> plug(const Happening& h);
  kj::Promise<void> unplug(const Happening& h);
  // Life of a device.
  kj::Promise<void> kill(const Happening& h);
  kj::Promise<void> stop(const Happening& h);
  kj::Promise<void> powerOff(const Happening& h);
  kj::Promise<void> powerOn(const Happening& h);
  kj::Promise<void> sleep(const Happening& h);
  kj::Promise<void> wake(const Happening& h);
  kj::Promise<void> background(const Happening& h);
  kj::Promise<void> battery(const Happening& h);
  kj::Promise<void> lowBattery(const Happening& h);
  kj::Promise<void> metered(const Happening& h);
  kj::Promise<void> destroy(const Happening& h);
  kj::Promise<void> lockKeys(const Happening& h);
  kj::Promise<void> unlockKeys(const Happening& h);
  // Wire.
  kj::Promise<void> cut(const Happening& h);
  kj::Promise<void> deafen(const Happening& h);
  kj::Promise<void> mute(const Happening& h);
  kj::Promise<void> clog(const Happening& h);
  void setTrouble(const Happening& h, uint32_t Trouble::* what, uint32_t permille, bool oneWay);
  kj::Promise<void> trouble(const Happening& h, uint32_t Trouble::* what, bool oneWay);
  kj::Promise<void> lossy(const Happening& h);
  kj::Promise<void> duplicate(const Happening& h);
  kj::Promise<void> reorder(const Happening& h);
  kj::Promise<void> tamper(const Happening& h);
  kj::Promise<void> rebind(const Happening& h);
  kj::Promise<void> portal(const Happening& h);
  kj::Promise<void> swizzle(const Happening& h);
  kj::Promise<void> split(const Happening& h);
  kj::Promise<void> replayCall(const Happening& h);
  // Time.
  kj::Promise<void> stepClock(const Happening& h);
  kj::Promise<void> stopClock(const Happening& h);
  // Disk.
  kj::Promise<void> fillDisk(const Happening& h);
  kj::Promise<void> failDisk(const Happening& h);
  kj::Promise<void> slowDisk(const Happening& h);
  kj::Promise<void> rot(const Happening& h);
  kj::Promise<void> backUp(const Happening& h);
  kj::Promise<void> restore(const Happening& h);
  kj::Promise<void> restoreDatabase(const Happening& h);
  // Engines.
  kj::Promise<void> crashEngine(const Happening& h);
  kj::Promise<void> hangEngine(const Happening& h);
  kj::Promise<void> lieEngine(const Happening& h);
  kj::Promise<void> failEngineStart(const Happening& h);
  kj::Promise<void> slow(const Happening& h);
};

}  // namespace hearth::sim
