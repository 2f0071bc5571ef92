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

}  // namespace hearth::sim
