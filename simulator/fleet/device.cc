#include "simulator/fleet/device.h"

#include "simulator/engines/speech.h"

#include <kj/debug.h>

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

}  // namespace

Device::Device(DeviceSurroundings around, DeviceIndex number, std::string name,
    const Profile& profile, const kj::ReadableDirectory& plugins)
    : time(around.time, wallErrorOf(streamOf(around, "wall", number)),
          driftOf(streamOf(around, "drift", number), profile)),
      disk(streamOf(around, "disk", number)),
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

Device::~Device() noexcept(false) { endDaemon(); }

void Device::note(const char* kind, std::string text) {
  around.history.add(number, kind, kj::mv(text));
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
  kj::Maybe<devices::Recording> microphone;
  if (profile.microphone) microphone = Speech::say(0, 1, 1);
  ++starts;
  auto made = kj::heap<Daemon>(DaemonParts{around.time, time, entropy, disk, stack, power, profile,
      plugins, engineFaults, *this, streamOf(around, "daemon", number), name, kj::mv(addresses),
      kj::mv(microphone), !power.onMains(), power.level()});
  deviceId = made->id();
  return made;
}

// What is destroyed in good order would write on; a kill leaves the disk as it was.
void Device::endDaemon() {
  hangUp();
  if (daemon.get() == nullptr) return;
  auto left = disk.contents();
  bool full = kj::mv(disk.full), failing = kj::mv(disk.failing);
  disk.full = disk.failing = false;
  around.dying = true;
  daemon = nullptr;
  around.dying = false;
  disk.full = full;
  disk.failing = failing;
  disk.restore(left);
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
  disk.losePower();
  endDaemon();
  time.resume();  // whatever waits for a device that sleeps waits no longer
  note("state", "off");
}

void Device::kill() {
  if (daemon.get() == nullptr) return;
  endDaemon();
  note("state", "killed");
}

void Device::hangUp() {
  starting = nullptr;
  asking.cancel(KJ_EXCEPTION(DISCONNECTED, "the daemon has ended"));
}

void Device::stop() {
  hangUp();
  if (daemon.get() == nullptr) return;
  daemon = nullptr;
  note("state", "stopped");
}

void Device::start() {
  if (!on || daemon.get() != nullptr || !hasCircle) return;
  refusesToStart = false;
  whyNotStarted.clear();
  auto failed = [this](kj::StringPtr why) {
    refusesToStart = true;
    whyNotStarted = why.cStr();
    note("state", std::string("does not start: ") + why.cStr());
  };
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { daemon = makeDaemon(); })) {
    return failed(e->getDescription());
  }
  note("state", "daemon starts");
  starting =
      daemon->run()
          .then([this, failed](Result<bool> ran) mutable {
            if (!ran) return failed(ran.error().because);
            if (!*ran) hasCircle = false;  // a join that was cut off before it was stored
          })
          .eagerlyEvaluate([failed](kj::Exception&& e) mutable { failed(e.getDescription()); });
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

void Device::plug(bool mains) {
  power.plug(mains);
  note("state", mains ? "on mains" : "on battery");
}

kj::Promise<void> Device::init() {
  KJ_REQUIRE(
      on && !hasCircle && daemon.get() == nullptr, "hearth init needs a device without", name);
  daemon = makeDaemon();
  co_await whileRunning(daemon->init());
  hasCircle = true;
  note("state", "a new circle");
  stop();
  start();
}

kj::Promise<Result<void>> Device::join(kj::Function<void(kj::String)> shown) {
  KJ_REQUIRE(
      on && !hasCircle && daemon.get() == nullptr, "hearth join needs a device without", name);
  daemon = makeDaemon();
  hasCircle = true;  // as far as anybody knows who finds the device after a crash
  auto joined = co_await whileRunning(daemon->join(kj::mv(shown)));
  hasCircle = joined.has_value();
  note("state", hasCircle ? "joined" : std::string("not joined: ") + joined.error().because.cStr());
  stop();
  if (hasCircle) start();
  co_return joined;
}

// A battery that nothing drains but the device itself is looked at when it could be empty.
kj::Promise<void> Device::watchBattery() {
  constexpr auto LOOK_EVERY = 10 * kj::MINUTES;
  for (;;) {
    auto next = around.time.now() + LOOK_EVERY;
    KJ_IF_MAYBE(empty, power.emptyAt()) next = kj::min(next, *empty);
    if (power.onMains() && !profile.hasBattery()) co_return;
    co_await around.time.at(next);
    if (!on) co_return;
    if (power.isEmpty()) {
      note("fault", "the battery is empty");
      around.tasks.add(kj::evalLater([this]() { losePower(); }));
      co_return;
    }
  }
}

}  // namespace hearth::sim
