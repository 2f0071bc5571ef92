#include "simulator/fleet/power.h"

#include <algorithm>

namespace hearth::sim {

namespace {

constexpr double MWH_PER_JOULE = 1 / 3.6;

double inSeconds(kj::Duration span) { return static_cast<double>(span / kj::NANOSECONDS) / 1e9; }

}  // namespace

double Power::baseMw() const {
  switch (mode) {
    case Mode::OFF:
      return 0;
    case Mode::ASLEEP:
      return profile.asleepMw;
    case Mode::ON:
      return profile.idleMw;
  }
  return 0;
}

void Power::drain(double mwh) {
  spent += mwh;
  if (plugged || leftMwh <= 0) return;
  leftMwh = std::max(0.0, leftMwh - mwh);
  if (leftMwh > 0 && toldMwh - leftMwh < profile.batteryMwh / 100) return;
  toldMwh = leftMwh;
  change.ring();
}

void Power::settle() {
  auto passed = inSeconds(time.now() - settledAt);
  settledAt = time.now();
  drain(baseMw() * passed / 3'600);
  heat = std::max(0.0, heat - passed * profile.coolingPerS);
}

void Power::setMode(Mode next) {
  settle();
  mode = next;
  change.ring();
}

// On mains the battery is full at once: what charging takes is not what is studied here.
void Power::plug(bool mains) {
  settle();
  plugged = mains || !profile.hasBattery();
  if (plugged) toldMwh = leftMwh = profile.batteryMwh;
  change.ring();
}

void Power::setLevel(double share) {
  settle();
  toldMwh = leftMwh = profile.batteryMwh * share;
  change.ring();
}

bool Power::isEmpty() {
  settle();
  return !plugged && leftMwh <= 0;
}

double Power::level() {
  settle();
  return profile.hasBattery() ? leftMwh / profile.batteryMwh : 1;
}

double Power::spentMwh() {
  settle();
  return spent;
}

kj::Maybe<kj::TimePoint> Power::emptyAt() {
  settle();
  if (plugged || baseMw() <= 0) return nullptr;
  auto seconds = std::max(1.0, leftMwh / baseMw() * 3'600);
  if (seconds > 1e8) return nullptr;
  return time.now() + static_cast<int64_t>(seconds * 1e3) * kj::MILLISECONDS;
}

kj::Duration Power::compute(kj::Duration amount) {
  settle();
  if (time.now() > busyUntil) {
    ++wakes;
    drain(profile.wakeMicrojoule / 1e6 * MWH_PER_JOULE);
  }
  cpu += amount;
  heat += inSeconds(amount);
  bool hot = profile.heatCapacityS > 0 && heat > profile.heatCapacityS;
  auto factor = slowness * (hot ? profile.throttled : 1);
  drain(profile.activeMw / 1e3 * inSeconds(amount) * MWH_PER_JOULE);
  auto takes = static_cast<int64_t>(inSeconds(amount) * factor * 1e9) * kj::NANOSECONDS;
  busyUntil = std::max(busyUntil, time.now() + takes);
  return takes;
}

void Power::used(const NetworkKind& network, uint64_t txBytes, uint64_t rxBytes) {
  settle();
  sent += txBytes;
  received += rxBytes;
  auto joule = (static_cast<double>(txBytes) * network.txNanojoulePerByte +
                   static_cast<double>(rxBytes) * network.rxNanojoulePerByte) /
      1e9;
  // The radio stays on for its tail after the last byte; what was counted already is not counted anew.
  auto& countedUntil = tailUntil.emplace(network.name, WorldTime::BEGINNING).first->second;
  auto until = time.now() + network.tail;
  auto from = std::max(countedUntil, time.now());
  if (until > from) joule += network.tailMw / 1e3 * inSeconds(until - from);
  if (time.now() > countedUntil) ++wakes;
  countedUntil = std::max(countedUntil, until);
  radioJoule += joule;
  drain(joule * MWH_PER_JOULE);
}

}  // namespace hearth::sim
