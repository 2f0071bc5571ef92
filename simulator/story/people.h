#pragma once
// What the people of a world do with their devices, and what they remember of it: the checkers ask
// them afterwards what should have come of it.

#include "simulator/fleet/world.h"

#include <memory>

namespace hearth::sim {

// Somebody has dictated.
struct Dictation {
  uint32_t number = 0;
  DeviceIndex sink = 0, source = 0;
  std::vector<std::string> said;   // every word
  std::vector<std::string> heard;  // as the app got them, once each: what it has returned from
  kj::TimePoint begunAt = WorldTime::BEGINNING, endedAt = WorldTime::BEGINNING;
  kj::Duration speech = 0 * kj::SECONDS;
  kj::Maybe<kj::TimePoint> wrongAt = nullptr;  // when a word came that was not the next one
  std::string wrongWord;
  bool refused = false;          // the job could not even begin
  bool sinkKnewItIsOut = false;  // of the circle, when it was asked
  bool sinkWasStale = false;     // had heard of no admin for too long
  bool appGone = false;          // the sink's daemon went away
  bool ended = false;
  std::string state, message;
  std::string job;  // id, in hex
  struct Placed {
    kj::TimePoint at;
    std::string stage, device;
    uint32_t attempt;
  };
  std::vector<Placed> placed;
  std::vector<std::string> events;      // kinds, in order
  uint64_t levels = 0, levelsLate = 0;  // of the microphone: shown, and not worth showing any more
};

// A change of the circle that somebody was told had happened: it must not be forgotten.
struct Acknowledged {
  kj::TimePoint at;
  DeviceIndex by;
  bool isRemoval;
  DeviceId target;
  bool stillLinked = false;  // the device that removed it had a link to it some time later
};

// Somebody has tried one code after another.
struct Guessing {
  DeviceIndex at;      // the new device
  uint32_t taken = 0;  // guesses that it listened to
  bool locked = false;
};

class People final {
 public:
  explicit People(World& world): world(world), chance(Chance::of(world.seed(), "people")) {}

  // hearth init.
  kj::Promise<void> found(Device& device);

  // hearth join --code on the one, hearth pair on the other. False: it did not work out.
  kj::Promise<bool> pair(Device& fresh, Device& admin, crypto::Role role = crypto::Role::MEMBER,
      bool rightCode = true);

  // Somebody who does not know the code tries so many; the new device locks after some.
  kj::Promise<void> guessCodes(Device& fresh, Device& beside, uint32_t guesses);

  // hearth remove.
  kj::Promise<bool> remove(Device& admin, Device& target, crypto::RemoveReason reason);

  // hearth device role TARGET admin. None: it was refused; false: it waits for another admin.
  kj::Promise<kj::Maybe<bool>> makeAdmin(Device& admin, Device& target);

  // hearth approve of everything that the device's user is asked. How much of it is done by now.
  kj::Promise<uint32_t> approveAll(Device& admin);

  // hearth dictate on `sink` from the microphone of `source`; a recording stands in for it.
  Dictation& dictate(Device& sink, Device& source, uint32_t words, uint32_t sentenceWords);

  const std::vector<std::shared_ptr<Dictation>>& dictations() const { return spoken; }
  const std::vector<Acknowledged>& acknowledgements() const { return told; }
  const std::vector<Guessing>& guessings() const { return guessed; }
  uint32_t pairings() const { return pairingCount; }
  uint32_t wrongCodes() const { return wrongCodeCount; }

 private:
  class App;
  World& world;
  Chance chance;
  std::vector<std::shared_ptr<Dictation>> spoken;
  std::vector<Acknowledged> told;
  std::vector<Guessing> guessed;
  uint32_t nextWord = 0, pairingCount = 0, wrongCodeCount = 0;

  struct Joining {
    kj::ForkedPromise<Result<void>> outcome;
    kj::Promise<kj::String> code;  // empty when the process ended before it showed one
  };

  void note(const Device& device, std::string text);
  Joining beginJoining(Device& fresh);
  kj::Promise<void> lookForLink(Device& admin, Device& target, size_t number);
  kj::Promise<void> guess(Device& beside, std::string address, crypto::PairingCode code);
  kj::Promise<bool> pairFrom(Device& admin, Device& fresh, crypto::PairingCode code,
      std::string address, crypto::Role role);
  template <typename T>
  kj::Promise<Result<T>> ask(Device& device, kj::Promise<Result<T>> answer);
  kj::Maybe<std::string> addressBetween(Device& from, Device& to);
};

}  // namespace hearth::sim
