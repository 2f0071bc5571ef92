#include "simulator/story/verbs.h"

#include "simulator/engines/speech.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::sim {

const Verbs::Entry Verbs::TABLE[] = {
    {"dictate", &Verbs::dictate, false, true},
    {"pair", &Verbs::pair, false, true, "the admin"},
    {"pair-wrong-code", &Verbs::pairWithWrongCode, false, true, "the admin"},
    {"guess-codes", &Verbs::guessCodes, false, true, "an admin"},
    {"remove", &Verbs::remove, false, true, "the admin"},
    {"make-admin", &Verbs::makeAdmin, false, true, "the admin"},
    {"approve", &Verbs::approve, false, true},
    {"false-hands", &Verbs::fallIntoFalseHands, true, true},
    {"write", &Verbs::write, false, true},
    {"copy", &Verbs::copy, false, true},
    {"clear", &Verbs::clear, false, true},
    {"share-folder", &Verbs::shareFolder, false, true},
    {"use-files", &Verbs::useFiles, false, true},
    {"turn-folder", &Verbs::turnFolder, false, true},
    {"move", &Verbs::move, false, true},
    {"plug", &Verbs::plug, false, true},
    {"unplug", &Verbs::unplug, false, true},
    {"kill", &Verbs::kill, true, true},
    {"stop", &Verbs::stop, true, true},
    {"power-off", &Verbs::powerOff, true, true},
    {"power-on", &Verbs::powerOn, false, true},
    {"sleep", &Verbs::sleep, true, true},
    {"wake", &Verbs::wake, false, true},
    {"background", &Verbs::background, true, true},
    {"battery", &Verbs::battery, false, true},
    {"low-battery", &Verbs::lowBattery, true, true},
    {"metered", &Verbs::metered, true, true},
    {"destroy", &Verbs::destroy, false, true},
    {"lock-keys", &Verbs::lockKeys, true, true},
    {"unlock-keys", &Verbs::unlockKeys, false, true},
    {"cut", &Verbs::cut, true, true},
    {"deafen", &Verbs::deafen, true, true},
    {"mute", &Verbs::mute, true, true},
    {"clog", &Verbs::clog, true, true},
    {"lossy", &Verbs::lossy, true, true},
    {"duplicate", &Verbs::duplicate, true, true},
    {"reorder", &Verbs::reorder, true, true},
    {"tamper", &Verbs::tamper, true, true},
    {"rebind", &Verbs::rebind, true, false},
    {"portal", &Verbs::portal, true, false},
    {"swizzle", &Verbs::swizzle, true, false},
    {"split", &Verbs::split, true, false},
    {"replay-call", &Verbs::replayCall, false, true},
    {"clock-step", &Verbs::stepClock, true, true},
    {"clock-stop", &Verbs::stopClock, false, true},
    {"disk-full", &Verbs::fillDisk, true, true},
    {"disk-fail", &Verbs::failDisk, true, true},
    {"disk-slow", &Verbs::slowDisk, true, true},
    {"bit-rot", &Verbs::rot, false, true},
    {"backup", &Verbs::backUp, false, true},
    {"restore", &Verbs::restore, false, true},
    {"restore-database", &Verbs::restoreDatabase, false, true},
    {"engine-crash", &Verbs::crashEngine, true, true},
    {"engine-hang", &Verbs::hangEngine, true, true},
    {"engine-lie", &Verbs::lieEngine, true, true},
    {"engine-start-fails", &Verbs::failEngineStart, true, true},
    {"slow", &Verbs::slow, true, true},
};

const Verbs::Entry* Verbs::find(const std::string& what) {
  auto found = std::ranges::find_if(TABLE, [&](auto& entry) { return what == entry.name; });
  return found == std::end(TABLE) ? nullptr : found;
}

bool Verbs::knows(const std::string& what) { return find(what) != nullptr; }

bool Verbs::isFault(const std::string& what) {
  auto entry = find(what);
  return entry != nullptr && entry->fault;
}

std::vector<std::string> Verbs::all() {
  std::vector<std::string> names;
  for (auto& entry: TABLE) names.emplace_back(entry.name);
  return names;
}

kj::Maybe<std::string> Verbs::complaint(const Happening& h) {
  auto entry = find(h.what);
  if (entry == nullptr) return "nothing that can be done is called " + h.what;
  if (entry->needsDevice && h.device == nullptr) return h.what + " needs a device";
  if (entry->other != nullptr && h.other == nullptr)
    return h.what + " needs other, which is " + entry->other;
  bool tooLong = entry->verb == &Verbs::dictate &&
      (h.amount > Speech::DICTATION_WORDS_MAX || h.second > Speech::SENTENCE_WORDS_MAX);
  if (tooLong)
    return "dictate takes at most " + std::to_string(Speech::DICTATION_WORDS_MAX) +
        " words in sentences of at most " + std::to_string(Speech::SENTENCE_WORDS_MAX);
  return nullptr;
}

kj::Promise<void> Verbs::perform(Happening h) {
  KJ_IF_MAYBE(wrong, complaint(h)) KJ_FAIL_REQUIRE("a step cannot be taken", wrong->c_str());
  auto& entry = *find(h.what);
  auto about = h.device == nullptr ? -1 : static_cast<int>(h.device->index());
  if (entry.fault) run.world.history.add(about, "fault", h.what);
  auto began = run.world.time.now();
  KJ_DEFER(if (entry.fault) noteEnd(about, h.what, began));  // also when all faults are over
  co_await (this->*entry.verb)(h);
}

// What had an effect at one instant alone has no end.
void Verbs::noteEnd(int about, const std::string& what, kj::TimePoint began) {
  auto lasted = run.world.time.now() - began;
  if (lasted == 0 * kj::SECONDS) return;
  run.world.history.add(about, "fault ends",
      kj::str(what.c_str(), " after ", lasted / kj::MILLISECONDS, " ms").cStr());
}

kj::Promise<void> Verbs::wait(const Happening& h) { return run.world.time.after(h.span); }

std::vector<Device*> Verbs::others(const Device& device) {
  std::vector<Device*> all;
  for (DeviceIndex i = 0; i < run.world.deviceCount(); ++i) {
    if (i != device.index()) all.push_back(&run.world.device(i));
  }
  return all;
}

std::vector<Device*> Verbs::shuffled() {
  std::vector<Device*> all;
  for (DeviceIndex i = 0; i < run.world.deviceCount(); ++i) all.push_back(&run.world.device(i));
  for (size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[luck.below(i)]);
  return all;
}

kj::Promise<void> Verbs::dictate(const Happening& h) {
  auto words = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 20;
  auto sentence = h.second > 0 ? static_cast<uint32_t>(h.second) : 6;
  auto& source = h.other == nullptr ? *h.device : *h.other;
  if (h.device->node() == nullptr || source.id() == nullptr) return kj::READY_NOW;
  run.people.dictate(*h.device, source, words, sentence);
  came("dictate");
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::write(const Happening& h) {
  auto changes = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 10;
  auto span = h.span > 0 * kj::SECONDS ? h.span : 30 * kj::SECONDS;
  return run.writers.write(*h.device, changes, span);
}

kj::Promise<void> Verbs::copy(const Happening& h) {
  auto entries = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 10;
  auto span = h.span > 0 * kj::SECONDS ? h.span : 30 * kj::SECONDS;
  auto longest = kj::max(static_cast<int64_t>(h.second), int64_t{3}) * kj::SECONDS;
  return run.copiers.copy(*h.device, entries, span, longest);
}

kj::Promise<void> Verbs::clear(const Happening& h) { return run.copiers.clear(*h.device); }

kj::Promise<void> Verbs::shareFolder(const Happening& h) {
  bool shared = co_await run.owners.share(*h.device);
  came(shared ? "share-folder" : "no-folder");
}

kj::Promise<void> Verbs::useFiles(const Happening& h) {
  auto changes = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 10;
  auto span = h.span > 0 * kj::SECONDS ? h.span : 30 * kj::SECONDS;
  return run.owners.work(*h.device, changes, span);
}

kj::Promise<void> Verbs::turnFolder(const Happening& h) {
  using Direction = devices::Folders::Direction;
  auto direction = luck.permille(500) ? Direction::SEND : Direction::RECEIVE;
  bool turned = co_await run.owners.turn(*h.device, direction, h.span);
  if (turned) came(direction == Direction::SEND ? "folder-sends" : "folder-receives");
}

kj::Promise<void> Verbs::pair(const Happening& h) {
  auto role = run.castOf(*h.device).admin ? crypto::Role::ADMIN : crypto::Role::MEMBER;
  bool paired = co_await run.people.pair(*h.device, *h.other, role);
  came(paired ? "pair" : "pairing-failed");
}

kj::Promise<void> Verbs::pairWithWrongCode(const Happening& h) {
  bool paired = co_await run.people.pair(*h.device, *h.other, crypto::Role::MEMBER, false);
  came(paired ? "paired-with-wrong-code" : "pair-wrong-code");
}

kj::Promise<void> Verbs::guessCodes(const Happening& h) {
  auto guesses = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 6;
  co_await run.people.guessCodes(*h.device, *h.other, guesses);
  if (run.people.guessings().back().locked) came("pairing-locked");
}

kj::Promise<void> Verbs::remove(const Happening& h) {
  if (h.device->id() == nullptr) co_return;
  if (co_await run.people.remove(*h.other, *h.device, crypto::RemoveReason::LOST)) came("remove");
}

kj::Promise<void> Verbs::makeAdmin(const Happening& h) {
  if (h.device->id() == nullptr) co_return;
  auto made = co_await run.people.makeAdmin(*h.other, *h.device);
  KJ_IF_MAYBE(atOnce, made) came(*atOnce ? "make-admin" : "asked-for-admin");
}

kj::Promise<void> Verbs::approve(const Happening& h) {
  if (co_await run.people.approveAll(*h.device) > 0) came("approved");
}

kj::Promise<void> Verbs::fallIntoFalseHands(const Happening& h) {
  if (!h.device->runs() || !h.device->inCircle()) co_return;
  co_await h.device->fallIntoFalseHands();
  came("false-hands");
  co_await wait(h);
  KJ_IF_MAYBE(thief, h.device->process().falseAdmin()) {
    auto& count = thief->count();
    for (auto& [what, times]:
        {std::pair("false-question", count.questions), std::pair("unasked-answer", count.unasked),
            std::pair("false-agreement", count.agreements),
            std::pair("false-signature", count.falseSignatures),
            std::pair("signed-without-a-word", count.signatures)}) {
      if (times > 0) came(what);
    }
  }
  h.device->kill();
  h.device->start();
}

kj::Promise<void> Verbs::move(const Happening& h) {
  run.world.history.add(h.device->index(), "step", "moves");
  h.device->put(h.networks);
  came("move");
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::plug(const Happening& h) {
  h.device->plug(true);
  if (!h.device->isOn() && !run.isDestroyed(*h.device)) h.device->powerOn();
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::unplug(const Happening& h) {
  h.device->plug(false);
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::kill(const Happening& h) {
  if (!h.device->runs() || !h.device->inCircle()) co_return;
  h.device->kill();
  came("kill");
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  h.device->start();
}

kj::Promise<void> Verbs::stop(const Happening& h) {
  if (!h.device->runs() || !h.device->inCircle()) co_return;
  h.device->stop();
  came("stop");
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  h.device->start();
}

kj::Promise<void> Verbs::powerOff(const Happening& h) {
  if (!h.device->isOn()) co_return;
  h.device->losePower();
  came("power-off");
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  if (!run.isDestroyed(*h.device)) h.device->powerOn();
}

kj::Promise<void> Verbs::powerOn(const Happening& h) {
  if (!run.isDestroyed(*h.device)) h.device->powerOn();
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::sleep(const Happening& h) {
  if (!h.device->isAwake()) co_return;
  h.device->sleep();
  came("sleep");
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  h.device->wake();
}

kj::Promise<void> Verbs::wake(const Happening& h) {
  h.device->wake();
  return kj::READY_NOW;
}

// The app is sent to the background: the system lets it go on a little, then suspends it.
kj::Promise<void> Verbs::background(const Happening& h) {
  auto goesOn = h.device->kind().backgroundFor;
  if (goesOn == 0 * kj::SECONDS) co_return;
  co_await run.world.time.after(goesOn);
  came("background");
  co_await sleep(h);
}

kj::Promise<void> Verbs::battery(const Happening& h) {
  h.device->setLevel(h.amount);
  h.device->plug(false);
  return kj::READY_NOW;
}

// Its user notices, after a while.
kj::Promise<void> Verbs::lowBattery(const Happening& h) {
  constexpr double LEVEL = 0.1;
  if (!h.device->kind().hasBattery()) co_return;
  came("low-battery");
  h.device->setLevel(LEVEL);
  h.device->plug(false);
  co_await wait(h);
  h.device->plug(true);
}

// Nothing of bulk goes meanwhile, once it has looked.
kj::Promise<void> Verbs::metered(const Happening& h) {
  constexpr auto LOOKS = 1 * kj::SECONDS;
  using Way = devices::BulkGate::Way;
  auto& device = *h.device;
  device.meter(true);
  KJ_DEFER(device.meter(false));
  co_await run.world.time.after(kj::min(LOOKS, h.span));
  auto passed = [&device]() -> kj::Maybe<uint64_t> {
    KJ_IF_MAYBE(node, device.node()) {
      auto& gate = node->data().gate();
      return gate.passedBytes(Way::UP) + gate.passedBytes(Way::DOWN);
    }
    return nullptr;
  };
  auto starts = device.starts;
  auto before = passed();
  co_await run.world.time.after(kj::max(h.span - LOOKS, 0 * kj::SECONDS));
  auto after = passed();
  if (before == nullptr || after == nullptr || device.starts != starts) co_return;
  came("metered");
  auto moved = KJ_ASSERT_NONNULL(after) - KJ_ASSERT_NONNULL(before);
  if (moved > 0)
    run.owners.complain(
        device, " has moved " + std::to_string(moved) + " bytes of bulk on a metered network");
}

kj::Promise<void> Verbs::destroy(const Happening& h) {
  run.destroyed.insert(h.device->index());
  h.device->losePower();
  came("destroy");
  return kj::READY_NOW;
}

// The device has booted, and nobody unlocks it: what starts from now on gets no key.
kj::Promise<void> Verbs::lockKeys(const Happening& h) {
  h.device->lockKeys();
  came("lock-keys");
  if (h.span == 0 * kj::SECONDS) co_return;
  co_await wait(h);
  h.device->unlockKeys();
}

kj::Promise<void> Verbs::unlockKeys(const Happening& h) {
  h.device->unlockKeys();
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::stepClock(const Happening& h) {
  constexpr double YEAR = 365.25 * 86'400;
  auto years = static_cast<double>(luck.below(21)) - 10;
  auto seconds = h.amount != 0 ? h.amount : years * YEAR;
  h.device->time.stepWall(static_cast<int64_t>(seconds) * kj::SECONDS);
  came("clock-step");
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::stopClock(const Happening& h) {
  h.device->time.stopWall();
  came("clock-stop");
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::fillDisk(const Happening& h) {
  h.device->disk.full = h.device->folders.image.full = true;
  came("disk-full");
  co_await wait(h);
  h.device->disk.full = h.device->folders.image.full = false;
}

kj::Promise<void> Verbs::failDisk(const Happening& h) {
  h.device->disk.failing = h.device->folders.image.failing = true;
  came("disk-fail");
  co_await wait(h);
  h.device->disk.failing = h.device->folders.image.failing = false;
}

kj::Promise<void> Verbs::slowDisk(const Happening& h) {
  auto usual = h.device->kind().syncTakes;
  h.device->disk.syncTakes =
      (h.amount > 0 ? static_cast<int64_t>(h.amount) : 500) * kj::MILLISECONDS;
  came("disk-slow");
  co_await wait(h);
  h.device->disk.syncTakes = usual;
}

// Bits of the database file flip while nobody looks.
kj::Promise<void> Verbs::rot(const Happening& h) {
  h.device->kill();
  h.device->disk.rot("hearth.db", h.amount > 0 ? static_cast<uint64_t>(h.amount) : 1);
  came("bit-rot");
  co_await wait(h);
  h.device->start();
  if (h.device->refusesToStart) came("refused-to-start");
}

kj::Promise<void> Verbs::backUp(const Happening& h) {
  h.device->backup = h.device->disk.contents();
  came("backup");
  return kj::READY_NOW;
}

// An older copy of the whole device is put back; whether it knows that by itself shows before it meets anybody.
kj::Promise<void> Verbs::restore(const Happening& h) {
  if (h.device->backup.empty()) co_return;
  h.device->kill();
  h.device->disk.restore(h.device->backup);
  came("restore");
  co_await wait(h);
  h.device->start();
  co_await run.world.time.after(1 * kj::SECONDS);
  KJ_IF_MAYBE(node, h.device->node()) came(node->circle().hasForgotten() ? "noticed" : "unnoticed");
}

// The database alone, beside an anchor that is newer.
kj::Promise<void> Verbs::restoreDatabase(const Happening& h) {
  if (h.device->backup.empty()) co_return;
  h.device->kill();
  auto isDatabase = [](auto& file) { return file.first.starts_with("hearth.db"); };
  auto files = h.device->disk.contents();
  std::erase_if(files, isDatabase);
  for (auto& file: h.device->backup) {
    if (isDatabase(file)) files.insert(file);
  }
  h.device->disk.restore(files);
  came("restore-database");
  co_await wait(h);
  h.device->start();
  co_await run.world.time.after(1 * kj::SECONDS);
  KJ_IF_MAYBE(node, h.device->node()) came(node->alarms().empty() ? "unnoticed" : "noticed");
}

kj::Promise<void> Verbs::crashEngine(const Happening& h) {
  h.device->engineFaults.framesToCrash = 1 + static_cast<uint32_t>(luck.below(100));
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::hangEngine(const Happening& h) {
  h.device->engineFaults.framesToHang = 1 + static_cast<uint32_t>(luck.below(100));
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::lieEngine(const Happening& h) {
  h.device->engineFaults.framesToLie = 1 + static_cast<uint32_t>(luck.below(20));
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::failEngineStart(const Happening& h) {
  h.device->engineFaults.startsThatFail = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 1;
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::slow(const Happening& h) {
  h.device->power.slowDown(h.amount > 0 ? h.amount : 10);
  came("slow");
  co_await wait(h);
  h.device->power.slowDown(1);
}

}  // namespace hearth::sim
