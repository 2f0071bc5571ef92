#include "simulator/story/run.h"

#include "simulator/story/check.h"
#include "simulator/story/verbs.h"
#include "storage/tables/jobs.h"
#include "storage/tables/ops.h"
#include "storage/tables/peers.h"

#include <kj/debug.h>

#include <algorithm>
#include <ctime>

namespace hearth::sim {

namespace {

double secondsOf(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Where devices are set up: side by side on a table.
NetworkKind table() {
  return {.name = "workshop",
      .latencyMin = 200 * kj::MICROSECONDS,
      .latencyMax = 400 * kj::MICROSECONDS,
      .upBps = 100e6,
      .downBps = 100e6};
}

// Between two slices nothing happens: whoever looks then changes nothing. A week is looked at less
// often.
kj::Duration sliceOf(const Scenario& scenario) {
  constexpr int64_t LOOKS = 600;
  return kj::max(1 * kj::SECONDS, kj::min(scenario.lasts / LOOKS, 10 * kj::SECONDS));
}

}  // namespace

Run::Run(const Scenario& scenario, const Catalogue& catalogue, uint64_t seed)
    : scenario(scenario),
      world(seed),
      catalogue(catalogue),
      chance(Chance::of(seed, "story")),
      workshop(world.addNetwork(table())),
      tasks(*this) {
  build();
}

Run::~Run() noexcept(false) { tasks.clear(); }

void Run::build() {
  for (auto& [name, kind]: scenario.networks) {
    auto found = catalogue.networks.find(kind);
    KJ_REQUIRE(found != catalogue.networks.end(), "no such kind of network", kind.c_str());
    networks[name] = world.addNetwork(found->second);
  }
  for (auto& cast: scenario.devices) {
    auto found = catalogue.profiles.find(cast.profile);
    KJ_REQUIRE(found != catalogue.profiles.end(), "no such profile", cast.profile.c_str());
    auto& device = world.addDevice(cast.name, found->second);
    if (cast.udp) device.takeDatagrams();
    if (cast.counter) device.chip.emplace();
    if (cast.hidden) continue;
    std::set<NetworkIndex> visited;
    for (auto& list: {cast.at, cast.visits}) {
      for (auto network: placesOf(list)) {
        if (visited.insert(network).second) device.mayVisit(network);
      }
    }
  }
  for (auto& step: scenario.steps) {
    KJ_IF_MAYBE(wrong, Verbs::complaint(happeningOf(step)))
      KJ_FAIL_REQUIRE("a step cannot be taken", wrong->c_str());
  }
  for (auto& storm: scenario.storms) {
    for (auto& [fault, weight]: storm.faults)
      KJ_REQUIRE(Verbs::isFault(fault), "no fault that ends by itself", fault.c_str());
  }
}

std::vector<NetworkIndex> Run::placesOf(const std::vector<std::string>& names) const {
  std::vector<NetworkIndex> places;
  for (auto& name: names) places.push_back(networks.at(name));
  return places;
}

// Every device is charged, and brought in by the first admin of its circle.
kj::Promise<void> Run::setUp() {
  std::map<std::string, std::vector<DeviceIndex>> circles;
  for (DeviceIndex i = 0; i < world.deviceCount(); ++i) {
    auto& cast = scenario.devices[i];
    auto& device = world.device(i);
    device.put(cast.later ? placesOf(cast.at) : std::vector<NetworkIndex>{workshop});
    device.plug(true);
    device.powerOn();
    if (!cast.later) circles[cast.circle].push_back(i);
  }
  kj::Vector<kj::Promise<void>> standing;
  for (auto& [name, circle]: circles) standing.add(standUp(kj::mv(circle)));
  co_await kj::joinPromises(standing.releaseAsArray());
  for (DeviceIndex i = 0; i < world.deviceCount(); ++i) {
    auto& cast = scenario.devices[i];
    auto& device = world.device(i);
    device.put(placesOf(cast.at));
    if (cast.battery >= 0) {
      device.setLevel(cast.battery);
      device.plug(false);
    }
  }
  co_await world.time.after(60 * kj::SECONDS);  // plugins are measured, links are made
  began = world.time.now();
  for (DeviceIndex i = 0; i < world.deviceCount(); ++i) {
    auto& device = world.device(i);
    wakesBefore.push_back(device.power.wakeUps() + device.time.wakes());
    radioMwhBefore.push_back(device.power.radioMwh());
  }
  world.history.add(-1, "step", "the story begins");
}

Happening Run::happeningOf(const Step& step) {
  Happening happening{
      .what = step.what, .span = step.span, .amount = step.amount, .second = step.second};
  if (!step.device.empty()) happening.device = &world.device(step.device.c_str());
  if (!step.other.empty()) happening.other = &world.device(step.other.c_str());
  happening.networks = placesOf(step.networks);
  return happening;
}

// What a device that is brought in is there for.
crypto::Role Run::roleOf(DeviceIndex device) {
  if (scenario.devices[device].admin) return crypto::Role::ADMIN;
  bool isVault = world.device(device).kind().deviceClass == "vault";
  return isVault ? crypto::Role::VAULT : crypto::Role::MEMBER;
}

kj::Promise<void> Run::standUp(std::vector<DeviceIndex> circle) {
  auto first = *std::ranges::find_if(circle, [this](auto i) { return scenario.devices[i].admin; });
  co_await people.found(world.device(first));
  co_await world.time.after(1 * kj::SECONDS);
  for (auto i: circle) {
    if (i == first) continue;
    if (!co_await people.pair(world.device(i), world.device(first), roleOf(i)))
      broken = "the set-up could not pair " + scenario.devices[i].name;
  }
}

kj::Promise<void> Run::follow(Step step, Chance luck) {
  Verbs verbs(*this, Chance(luck.next()));
  for (uint32_t i = 0; i < step.times; ++i) {
    auto at = began + step.at + static_cast<int64_t>(i) * step.every +
        luck.between(0 * kj::SECONDS, step.jitter);
    bool happens = luck.permille(step.permille);
    if (at > world.time.now()) co_await world.time.at(at);
    if (!happens || !storming) continue;
    co_await verbs.perform(happeningOf(step));
  }
}

kj::Promise<void> Run::blow(const Storm& storm, Chance luck) {
  auto until = began + storm.until;
  uint64_t weights = 0;
  for (auto& [fault, weight]: storm.faults) weights += weight;
  co_await world.time.at(began + storm.from);
  for (;;) {
    // Everything is drawn whether it is used or not.
    auto pause = luck.between(storm.every / 4, storm.every * 7 / 4);
    auto pick = luck.below(weights);
    auto span = luck.between(storm.span / 4, storm.span * 2);
    auto whom = luck.next();
    auto own = luck.next();
    co_await world.time.after(pause);
    if (world.time.now() >= until || !storming) co_return;
    auto fault = storm.faults.begin();
    for (; pick >= fault->second; ++fault) pick -= fault->second;
    auto device = storm.devices.empty()
        ? &world.device(static_cast<DeviceIndex>(whom % world.deviceCount()))
        : &world.device(storm.devices[whom % storm.devices.size()].c_str());
    if (isDestroyed(*device)) continue;
    auto names = std::vector<std::string>();
    for (auto& [name, index]: networks) names.push_back(name);
    blown.push_back({.at = world.time.now() - began,
        .what = fault->first,
        .device = device->called(),
        .networks = kj::mv(names),
        .span = span});
    std::vector<NetworkIndex> all;
    for (auto& [name, index]: networks) all.push_back(index);
    auto verbs = kj::heap<Verbs>(*this, Chance(own));
    auto done = verbs->perform(
        {.what = fault->first, .device = device, .networks = kj::mv(all), .span = span});
    tasks.add(done.attach(kj::mv(verbs)));
  }
}

// Everything that can be made whole is: nothing of the story goes on.
void Run::heal() {
  storming = false;
  tasks.clear();
  world.terrain.mendAll();
  for (DeviceIndex i = 0; i < world.deviceCount(); ++i) {
    auto& device = world.device(i);
    if (isDestroyed(device)) continue;
    device.disk.full = device.disk.failing = false;
    device.folders.image.full = device.folders.image.failing = false;
    device.disk.syncTakes = device.kind().syncTakes;
    device.power.slowDown(1);
    auto& faults = device.engineFaults;
    faults.framesToCrash = faults.framesToHang = faults.framesToLie = faults.startsThatFail = 0;
    device.put(placesOf(castOf(device).at));
    device.plug(true);
    device.wake();
    device.unlockKeys();
    device.powerOn();
    if (device.runs() && device.node() == nullptr) device.kill();  // it waited to be paired
    device.start();
    tasks.add(owners.turnBack(device));
  }
  healed = world.time.now();
  world.history.add(-1, "step", "all faults are over");
}

void Run::pass(kj::Duration span, kj::Maybe<Watcher&>& watcher) {
  auto slice = sliceOf(scenario);
  auto end = world.time.now() + span;
  while (world.time.now() < end) {
    world.runUntil(kj::min(end, world.time.now() + slice));
    bounds.look(world);
    KJ_IF_MAYBE(watch, watcher) (*watch)(*this);
  }
}

void Run::begin(kj::Maybe<Watcher&> watcher) {
  tasks.add(setUp());
  for (auto limit = world.time.now() + SET_UP_WITHIN +
          60 * static_cast<int64_t>(world.deviceCount()) * kj::SECONDS;
      began == WorldTime::BEGINNING && broken == nullptr && world.time.now() < limit;)
    pass(1 * kj::SECONDS, watcher);
  KJ_IF_MAYBE(why, broken) KJ_FAIL_REQUIRE("the set-up failed", why->c_str());
  KJ_REQUIRE(began != WorldTime::BEGINNING, "the set-up does not end");
  // A step's luck is its own, whatever steps there are beside it: a scenario that is cut down still
  // fails with its seed.
  for (auto& step: scenario.steps) {
    auto key = kj::str(step.what.c_str(), '/', step.at / kj::NANOSECONDS, '/', step.device.c_str(),
        '/', step.other.c_str());
    tasks.add(follow(step, Chance::of(world.seed(), key)));
  }
  uint64_t number = 0;
  for (auto& storm: scenario.storms)
    tasks.add(blow(storm, Chance::of(world.seed(), "storm", number++)));
}

void Run::end(kj::Maybe<Watcher&> watcher) {
  heal();
  pass(scenario.heals, watcher);
  for (DeviceIndex i = 0; i < world.deviceCount(); ++i) {
    if (world.device(i).node() == nullptr) continue;
    tasks.add(foldDisk(world.device(i)));
    if (!writers.changes().empty()) tasks.add(writers.read(world.device(i)));
    if (owners.changes() > 0) tasks.add(owners.read(world.device(i)));
    if (!copiers.entries().empty()) tasks.add(copiers.read(world.device(i)));
  }
  pass(1 * kj::SECONDS, watcher);
}

Outcome Run::judge(kj::Maybe<kj::Exception> died) {
  Outcome outcome{.scenario = scenario.name, .seed = world.seed()};
  countEffects();
  KJ_IF_MAYBE(e, died) {
    outcome.violations.push_back(
        {world.time.now(), -1, "world", kj::str(e->getDescription()).cStr()});
  } else {
    outcome.violations = check(*this);
    KJ_IF_MAYBE(why, broken) outcome.violations.push_back({world.time.now(), -1, "story", *why});
  }
  for (auto& violation: outcome.violations)
    world.history.add(violation.device, "violation", violation.checker + ": " + violation.text);
  outcome.fingerprint = world.fingerprint();
  outcome.effects = effects;
  outcome.virtualS = static_cast<double>(world.time.elapsed() / kj::MILLISECONDS) / 1e3;
  return outcome;
}

std::expected<void, std::string> Run::take(const Step& step) {
  auto known = [&](const std::string& name) {
    return name.empty() ||
        std::ranges::any_of(scenario.devices, [&](auto& cast) { return cast.name == name; });
  };
  for (auto& name: {step.device, step.other}) {
    if (!known(name)) return std::unexpected("no device is called " + name);
  }
  for (auto& name: step.networks) {
    if (!networks.contains(name)) return std::unexpected("no network is called " + name);
  }
  if (!storming) return std::unexpected("the story is over");
  auto happening = happeningOf(step);
  KJ_IF_MAYBE(wrong, Verbs::complaint(happening)) return std::unexpected(*wrong);
  auto verbs = kj::heap<Verbs>(*this, Chance::of(world.seed(), "taken", taken++));
  auto done = kj::evalLater([&verbs = *verbs, happening = kj::mv(happening)]() mutable {
    return verbs.perform(kj::mv(happening));
  });
  tasks.add(done.attach(kj::mv(verbs)));
  return {};
}

Outcome Run::go(kj::Maybe<Watcher&> watcher) {
  auto wall = secondsOf(CLOCK_MONOTONIC), cpu = secondsOf(CLOCK_PROCESS_CPUTIME_ID);
  auto outcome = judge(kj::runCatchingExceptions([&]() {
    begin(watcher);
    pass(began + scenario.lasts - world.time.now(), watcher);
    end(watcher);
  }));
  outcome.wallS = secondsOf(CLOCK_MONOTONIC) - wall;
  outcome.cpuS = secondsOf(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  return outcome;
}

namespace {

uint64_t printOf(storage::Database& db) {
  constexpr uint32_t JOBS_FOLDED = 1'000;
  Fingerprint print;
  auto ops = storage::ops::all(db);
  if (ops) {
    for (auto& op: *ops) print.add(op);
  }
  for (auto& peer: storage::peers::all(db)) {
    print.add(peer.device.asBytes());
    for (auto& address: peer.addresses) print.add(kj::StringPtr(address.c_str()).asBytes());
  }
  for (auto& job: storage::jobs::newest(db, JOBS_FOLDED)) print.add(job.record);
  return print.value();
}

}  // namespace

// What a device's database holds, salts and pages aside. A page that has rotted is refused by name.
kj::Promise<void> Run::foldDisk(Device& device) {
  uint64_t print = 0;
  try {
    print = co_await device.whileItRuns(
        device.process().database().read([](storage::Database& db) { return printOf(db); }));
  } catch (const kj::Exception& e) {
    if (!effects.contains("bit-rot")) throw;
    world.history.add(
        device.index(), "state", kj::str("its database is refused: ", e.getDescription()).cStr());
  }
  world.fold(kj::str(device.called().c_str(), print));
}

void Run::countEffects() {
  auto count = [this](const char* what, uint64_t times) {
    if (times > 0) effects[what] += times;
  };
  for (DeviceIndex i = 0; i < world.deviceCount(); ++i) {
    auto& device = world.device(i);
    count("page-lost", device.disk.lost);
    count("page-torn", device.disk.torn);
    count("write-refused", device.disk.refused);
    count("bit-rotted", device.disk.rotted);
    count("file-lost", device.folders.image.lost);
    count("engine-crash", device.engineFaults.crashed);
    count("engine-hang", device.engineFaults.hung);
    count("engine-lie", device.engineFaults.lied);
    count("engine-start-fails", device.engineFaults.failed);
    count("keys-locked", device.startsWhileLocked);
  }
  count("tampered", world.tamperings());
  count("at-limit", bounds.reached());
  count("carried", bounds.carried());
  count("by-udp", bounds.byUdp());
  count("punched", bounds.punched());
  count("datagram-lost", world.datagrams().lost);
  count("datagram-twice", world.datagrams().twice);
  count("datagram-late", world.datagrams().late);
  count("level-late-counted", bounds.lateFrames());
  count("file-changed", owners.changes());
  for (auto& [device, page]: owners.pages()) count("text-merged", page.status.merged);
  count("file-freed", owners.freed());
  count("copied", copiers.acknowledged());
  count("not-copied", copiers.entries().size() - copiers.acknowledged());
  count("cleared", copiers.cleared());
  count("written", writers.acknowledged());
  count("not-written", writers.changes().size() - writers.acknowledged());
  for (auto& event: world.history.all()) {
    count("battery-empty", event.kind == "fault" && event.text == "the battery is empty");
    count("session-moved", event.kind == "trace" && event.text.starts_with("link.moved"));
  }
  for (auto& dictation: people.dictations()) {
    for (auto& kind: dictation->events) {
      if (kind == "lost" || kind == "failed" || kind == "waiting" || kind == "resumed")
        count(("job-" + kind).c_str(), 1);
    }
    count("job-done", dictation->state == "done");
    count("refused-as-stale", dictation->refused && dictation->sinkWasStale);
    count("level", dictation->levels);
    count("level-late", dictation->levelsLate);
  }
}

void Run::taskFailed(kj::Exception&& e) {
  // A person or a fault of the story met something that no part of Hearth should throw at them.
  if (broken == nullptr) broken = std::string(kj::str(e.getDescription()).cStr());
  world.history.add(-1, "violation", kj::str(e.getDescription()).cStr());
}

}  // namespace hearth::sim
