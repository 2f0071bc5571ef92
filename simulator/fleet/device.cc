#include "simulator/fleet/device.h"

#include "simulator/engines/speech.h"

#include <kj/debug.h>

#include <cstdio>

namespace hearth::sim {

namespace {

Chance streamOf(const DeviceSurroundings& around, kj::StringPtr what, DeviceIndex number) {
  return Chance::of(around.seed, what, number);
}

// A clock is some seconds off and drifts as its kind does.
kj::Duration wallErrorOf(Chance chance) {
  return chance.between(-3 * kj::SECONDS, 3 * kj::SECONDS);
}

int32_t driftOf(Chance chance, const Profile& profile) {
  auto most = static_cast<uint64_t>(profile.driftPpm);
  return static_cast<int32_t>(chance.below(2 * most + 1)) - profile.driftPpm;
}

int percentOf(double level) { return static_cast<int>(level * 100); }

}  // namespace

Device::Device(DeviceSurroundings around, DeviceIndex number, std::string name,
    const Profile& profile, const kj::ReadableDirectory& plugins)
    : time(around.time, wallErrorOf(streamOf(around, "wall", number)),
          driftOf(streamOf(around, "drift", number), profile)),
      disk(streamOf(around, "disk", number)),
      folders(streamOf(around, "files", number)),
      power(around.time, profile),
      around(around),
      number(number),
      name(kj::mv(name)),
      profile(profile),
      plugins(plugins),
      entropy(streamOf(around, "entropy", number)),
      stack(around.wire, *this) {
  disk.syncTakes = profile.syncTakes;
  around.wire.terrain.addDevice(number, power);
}

Device::~Device() noexcept(false) { killDaemon(); }

void Device::note(const char* kind, std::string text) {
  around.history.add(number, kind, kj::mv(text));
}

// What people see of the battery: the page of a run and the live view draw it from the history.
void Device::noteBattery() {
  if (!profile.hasBattery()) return;
  percentNoted = percentOf(power.level());
  char text[8];
  snprintf(text, sizeof(text), "%.3f", power.level());
  note("battery", text);
}

void Device::noteBatteryIfChanged() {
  if (percentNoted.orDefault(-1) != percentOf(power.level())) noteBattery();
}

void Device::event(kj::StringPtr eventName, std::initializer_list<TraceField> fields) {
  auto text =
      kj::strArray(KJ_MAP(field, fields) { return kj::str(field.name, "=", field.text); }, " ");
  note("trace", std::string(eventName.cStr()) + " " + text.cStr());
  onTrace(eventName, text);
  if (eventName == "link.up") noteCounters();
}

void Device::noteCounters() {
  KJ_IF_MAYBE(running, node()) {
    for (auto& [caller, counter]: running->circle().accepted())
      acceptedFrom[caller].insert(counter);
  }
}

kj::Maybe<devices::Node&> Device::node() {
  if (daemon.get() == nullptr) return nullptr;
  return daemon->node();
}

kj::Own<kj::AsyncIoStream> Device::connectApp() {
  if (daemon.get() == nullptr)
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "no daemon runs there"));
  return daemon->connect();
}

void Device::hear(devices::Recording recording) {
  KJ_REQUIRE(profile.microphone, "a device without a microphone hears nothing", name);
  spoken = kj::mv(recording);
  KJ_IF_MAYBE(node, this->node()) node->hear(heard());
}

devices::Recording Device::heard() const {
  KJ_IF_MAYBE(words, spoken) return {kj::heapArray<const int16_t>(words->samples)};
  return Speech::say(0, 1, 1);
}

std::string Device::address(NetworkIndex network) const {
  return kj::str(toText(Terrain::addressIn(network, number)), ':', HEARTH_PORT).cStr();
}

void Device::mayVisit(NetworkIndex network) { visits.push_back(network); }

void Device::put(std::vector<NetworkIndex> networks) {
  place = kj::mv(networks);
  applyPlace();
}

void Device::applyPlace() {
  around.wire.terrain.attach(number, on ? place : std::vector<NetworkIndex>());
}

kj::Own<Daemon> Device::makeDaemon() {
  std::vector<std::string> addresses;
  for (auto network: visits) addresses.push_back(address(network));
  if (takesDatagrams) {
    for (auto network: visits) addresses.push_back("udp:" + address(network));
  }
  kj::Maybe<devices::Recording> microphone;
  if (profile.microphone) microphone = heard();
  ++starts;
  auto made = kj::heap<Daemon>(DaemonParts{around.time, time, entropy, disk, folders, stack,
      SimLocalLink::Surroundings{around.wire, *this, stack, time.timer(), around.dying}, power,
      profile, plugins, engineFaults, *this, streamOf(around, "daemon", number),
      Chance::of(around.seed, "engines", (uint64_t{starts} << 16) | number), name,
      kj::mv(addresses), kj::mv(microphone), takesDatagrams, keysLocked, hasAes, !power.onMains(),
      power.level(), *this,
      chip.map([](auto& counter) -> devices::RollbackCounter& { return counter; }),
      [this](const DeviceId& id) { deviceId = id; },
      [this](kj::StringPtr why) { startFailed(why); }});
  deviceId = made->id();
  return made;
}

// Whoever waits for something of the process stops doing so before it is gone.
void Device::endErrands() {
  starting = nullptr;
  errands.cancel(KJ_EXCEPTION(DISCONNECTED, "the process has ended"));
}

// What is destroyed in good order would write on; a kill leaves the disk as it was.
void Device::killDaemon() {
  endErrands();
  if (daemon.get() == nullptr) return;
  around.dying = true;
  disk.undoing([this]() { daemon = nullptr; });
  around.dying = false;
}

void Device::powerOn() {
  if (on || power.isEmpty()) return;
  on = true;
  power.setMode(time.isSuspended() ? Power::Mode::ASLEEP : Power::Mode::ON);
  note("state", "on");
  applyPlace();
  if (hasCircle) start();
  draining = watchBattery().eagerlyEvaluate(nullptr);
}

void Device::losePower() {
  if (!on) return;
  on = false;  // first: what the process closes says no goodbye
  power.setMode(Power::Mode::OFF);
  applyPlace();
  killDaemon();
  disk.losePower();
  folders.losePower();
  time.resume();  // whatever waits for a device that sleeps waits no longer
  note("state", "off");
}

void Device::kill() {
  if (daemon.get() == nullptr) return;
  killDaemon();
  note("state", "killed");
}

void Device::stop() {
  endErrands();
  if (daemon.get() == nullptr) return;
  daemon = nullptr;
  note("state", "stopped");
}

void Device::start() {
  if (!on || daemon.get() != nullptr || !hasCircle) return;
  refusesToStart = false;
  whyNotStarted.clear();
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { daemon = makeDaemon(); })) {
    startsWhileLocked += keysLocked;
    return startFailed(e->getDescription());
  }
  note("state", "daemon starts");
  starting = daemon->run()
                 .then([this](Result<bool> ran) {
                   if (!ran) return startFailed(ran.error().because);
                   if (*ran) return;
                   hasCircle = false;  // a join that was cut off before it was stored
                   stopSoon();
                 })
                 .eagerlyEvaluate([this](kj::Exception&& e) { startFailed(e.getDescription()); });
}

// A daemon that cannot start exits; somebody may start it again.
void Device::startFailed(kj::StringPtr why) {
  refusesToStart = true;
  whyNotStarted = why.cStr();
  note("state", "does not start: " + whyNotStarted);
  stopSoon();
}

// From within what waits for the daemon's start.
void Device::stopSoon() {
  around.tasks.add(kj::evalLater([this, thisStart = starts]() {
    if (starts == thisStart) stop();
  }));
}

kj::Promise<void> Device::fallIntoFalseHands() {
  kill();
  daemon = makeDaemon();
  note("state", "in false hands");
  return errands.wrap(daemon->runFalsely());
}

void Device::sleep() {
  if (time.isSuspended()) return;
  time.suspend();
  if (on) power.setMode(Power::Mode::ASLEEP);
  note("state", "asleep");
}

void Device::wake() {
  if (!time.isSuspended()) return;
  time.resume();
  if (on) power.setMode(Power::Mode::ON);
  note("state", "awake");
}

// The level before and behind a jump: between two that are noted it is taken for a slope.
void Device::plug(bool mains) {
  noteBattery();
  power.plug(mains);
  note("state", mains ? "on mains" : "on battery");
  noteBattery();
}

void Device::setLevel(double share) {
  noteBattery();
  power.setLevel(share);
  noteBattery();
}

// It is in another network now, and looks what that is.
void Device::meter(bool isMetered) {
  isMetered ? ++meters : --meters;
  KJ_IF_MAYBE(running, node()) running->data().gate().lookAgain();
  note("state", isMetered ? "on a metered network" : "on a network without a meter");
}

kj::Promise<devices::Outlook> Device::look() {
  devices::Outlook outlook{nullptr, meters > 0};
  if (!power.onMains()) outlook.batteryPercent = static_cast<uint8_t>(power.level() * 100 + 0.5);
  return outlook;
}

void Device::lockKeys() {
  keysLocked = true;
  note("state", "keys locked");
}

void Device::unlockKeys() {
  if (!keysLocked) return;
  keysLocked = false;
  note("state", "keys unlocked");
  start();
}

kj::Promise<void> Device::init() {
  KJ_REQUIRE(
      on && !hasCircle && daemon.get() == nullptr, "hearth init needs a device without", name);
  daemon = makeDaemon();
  co_await errands.wrap(daemon->init());
  hasCircle = true;
  note("state", "a new circle");
  stop();
  start();
}

kj::Promise<Result<void>> Device::join(kj::Function<void(kj::String)> shown) {
  KJ_REQUIRE(
      on && !hasCircle && daemon.get() == nullptr, "hearth join needs a device without", name);
  auto thisStart = starts + 1;
  bool cutOff = false;
  auto joined = co_await kj::evalNow([&]() {
    daemon = makeDaemon();
    return errands.wrap(daemon->join(kj::mv(shown)));
  }).catch_([this, &cutOff](kj::Exception&& e) -> Result<void> {
    cutOff = true;
    note("state", kj::str("joining failed: ", e.getDescription()).cStr());
    return no(Errc::PAIRING_CLOSED, "the process that wanted to join has ended");
  });
  if (starts != thisStart) co_return joined;
  hasCircle = joined.has_value() || cutOff;  // whether it was stored, the next start finds out
  if (cutOff) co_return joined;
  note("state", hasCircle ? "joined" : std::string("not joined: ") + joined.error().because.cStr());
  stop();
  if (hasCircle) start();
  co_return joined;
}

// It is looked at when it could be empty, and when somebody has changed that.
kj::Promise<void> Device::watchBattery() {
  constexpr auto LOOK_EVERY = 10 * kj::MINUTES;
  for (;;) {
    noteBatteryIfChanged();
    auto next = around.time.now() + LOOK_EVERY;
    KJ_IF_MAYBE(empty, power.emptyAt()) next = kj::min(next, *empty);
    if (power.onMains() && !profile.hasBattery()) co_return;
    co_await around.time.at(next).exclusiveJoin(power.changed());
    if (!on) co_return;
    if (power.isEmpty()) {
      note("fault", "the battery is empty");
      around.tasks.add(kj::evalLater([this]() { losePower(); }));
      co_return;
    }
  }
}

}  // namespace hearth::sim
