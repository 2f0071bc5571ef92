#pragma once
// A device's battery, heat and processor: what its work costs, and how fast it gets on.

#include "simulator/fleet/profile.h"
#include "simulator/wire/terrain.h"

namespace hearth::sim {

class Power final: public Processor, public Terrain::Radio {
 public:
  Power(WorldTime& time, const Profile& profile): time(time), profile(profile) {
    leftMwh = toldMwh = profile.batteryMwh;
    plugged = !profile.hasBattery();
  }

  enum class Mode : uint8_t { OFF, ASLEEP, ON };
  void setMode(Mode mode);
  void plug(bool mains);
  void setLevel(double share);  // of the battery
  void slowDown(double factor) { slowness = factor; }

  bool onMains() const { return plugged; }
  bool isEmpty();
  double level();  // 0..1; 1 without a battery
  kj::Duration computed() const { return cpu; }
  double spentMwh();
  double radioMwh() const { return radioJoule / 3.6; }
  uint64_t wakeUps() const { return wakes; }
  uint64_t txBytes() const { return sent; }
  uint64_t rxBytes() const { return received; }

  // When the battery will be empty if nothing changes; none on mains.
  kj::Maybe<kj::TimePoint> emptyAt();
  // Resolves when that has become another time, or work has taken a hundredth of the battery or
  // emptied it. One wait at a time.
  kj::Promise<void> changed() { return change.wait(); }

  kj::Duration compute(kj::Duration cpu) override;
  uint64_t memoryBytes() const override { return profile.memoryBytes; }
  void used(const NetworkKind& network, uint64_t txBytes, uint64_t rxBytes) override;

 private:
  WorldTime& time;
  const Profile& profile;
  Mode mode = Mode::OFF;
  bool plugged = true;
  double leftMwh = 0;
  double toldMwh = 0;  // what was left when the bell rang for it
  double spent = 0;    // mWh since the beginning
  double radioJoule = 0;
  double slowness = 1;
  kj::Duration cpu = 0 * kj::SECONDS;
  double heat = 0;  // CPU seconds that have not cooled away
  kj::TimePoint settledAt = WorldTime::BEGINNING;
  kj::TimePoint busyUntil = WorldTime::BEGINNING;
  std::map<std::string, kj::TimePoint> tailUntil;  // by network kind
  uint64_t wakes = 0, sent = 0, received = 0;
  Bell change;

  double baseMw() const;
  void settle();
  void drain(double mwh);
};

}  // namespace hearth::sim
