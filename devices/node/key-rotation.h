#pragma once
// A device takes other keys: once, when its first ones were the only admin's, as soon as nothing runs
// on it; or at once, when it was put back to an older copy of itself. An attempt that fails, on a full
// disk for one, changes nothing and is made again; what a crash leaves half done is for the next start
// (rotation.h).

#include "core/trace/trace.h"
#include "devices/node/rotation.h"

namespace hearth::devices {

class KeyRotation final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr kj::Duration LOOK_EVERY = 10 * kj::SECONDS;
  static constexpr kj::Duration LAST_WORDS_WITHIN = 1 * kj::SECONDS;

  // All outlive the rotation.
  struct Surroundings {
    kj::Timer& timer;
    Trace& trace;
    Entropy& entropy;
    const kj::Directory& home;
    const Identity& identity;
    CircleKeeper& keeper;
  };

  // `isBusy` says whether something runs on this device that would be lost.
  KeyRotation(Surroundings around, kj::Function<bool()> isBusy)
      : around(around),
        isBusy(kj::mv(isBusy)),
        tasks(*this) {}

  // Another admin is at hand, who would learn of the new keys at once.
  void witnessed();
  // This device knows again what it had forgotten. Nothing runs on it that would be waited for.
  void remembered();

  // Now: what is begun would be lost.
  bool isUnderWay() const { return underWay; }
  // Resolves when the home holds the new keys and the others were told.
  kj::Promise<void> done() { return replaced.addBranch(); }

  // Nothing of it happens any more.
  void stop() { tasks.clear(); }

 private:
  Surroundings around;
  kj::Function<bool()> isBusy;
  bool wanted = false;  // or under way
  bool underWay = false;
  bool remembers = false;
  kj::Maybe<Identity> next;  // as keys/next holds it
  bool named = false;        // by an op on disk: this device is `next` from then on
  kj::PromiseFulfillerPair<void> replacing = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> replaced = replacing.promise.fork();
  kj::TaskSet tasks;

  bool isDue() const;
  void begin(bool atOnce);
  kj::Promise<void> tryUntilDone(bool atOnce);
  kj::Promise<void> idle();
  kj::Promise<bool> attempt();
  kj::Promise<Result<void>> takeKeys();
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices
