#include "devices/node/key-rotation.h"

#include <kj/debug.h>

namespace hearth::devices {

void KeyRotation::witnessed() { begin(false); }

// Whoever was put back to an older copy of itself would write rival ops one day: it goes on under other
// keys.
void KeyRotation::remembered() {
  remembers = true;
  begin(true);
}

// Before it remembers, a device that has forgotten signs nothing: it would be a rival op.
bool KeyRotation::isDue() const {
  if (named) return true;
  if (!around.keeper.isActive(around.keeper.selfId())) return false;
  if (around.keeper.hasForgotten()) return remembers;
  return hasOutgrownItsKeys(around.keeper.log(), around.keeper.selfId());
}

void KeyRotation::begin(bool atOnce) {
  if (wanted || !isDue()) return;
  wanted = true;
  tasks.add(kj::evalLater([this, atOnce]() { return tryUntilDone(atOnce); }));
}

kj::Promise<void> KeyRotation::tryUntilDone(bool atOnce) {
  if (!atOnce) co_await idle();
  while (isDue()) {
    if (co_await attempt()) {
      // The others are told over the old links.
      co_await around.timer.afterDelay(LAST_WORDS_WITHIN);
      replacing.fulfiller->fulfill();
      co_return;
    }
    co_await idle();
  }
  wanted = false;
}

// Nothing that runs is disturbed: a new id is a new device to whoever works with this one.
kj::Promise<void> KeyRotation::idle() {
  do {
    co_await around.timer.afterDelay(LOOK_EVERY);
  } while (isBusy());
}

// Whether this device has the new keys. Once the circle knows them there is no way back, and nothing
// else may begin before the home holds them too.
kj::Promise<bool> KeyRotation::attempt() {
  underWay = true;
  bool taken = false;
  try {
    auto done = co_await takeKeys();
    taken = done.has_value();
    if (!done) KJ_LOG(WARNING, "the keys could not be rotated", done.error().because);
  } catch (const kj::Exception& e) {
    KJ_LOG(WARNING, "the keys could not be rotated yet", e.getDescription());
  }
  underWay = taken || named;
  co_return taken;
}

// Every attempt takes the same keys: others in keys/next would be lost if the op of an earlier attempt
// had reached the disk after all.
kj::Promise<Result<void>> KeyRotation::takeKeys() {
  if (next == nullptr) next = around.identity.makeNext(around.home, around.entropy);
  auto& keys = KJ_ASSERT_NONNULL(next);
  if (!named) {
    auto rotated = co_await around.keeper.rotateTo(keys);
    if (!rotated) co_return no(rotated.error());
    named = true;
  }
  Identity::adoptNext(around.home);
  around.trace.event("keys.rotated", {{"to", keys.keys.id}});
  co_return Result<void>();
}

void KeyRotation::taskFailed(kj::Exception&& e) {
  KJ_LOG(ERROR, "no keys are rotated any more", e);
}

}  // namespace hearth::devices
