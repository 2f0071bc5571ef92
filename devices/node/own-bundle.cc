#include "devices/node/own-bundle.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

constexpr uint32_t AES_HW = crypto::Bundle::AES_HW;

bool saysAes(const crypto::Bundle& bundle) { return (bundle.flags & AES_HW) != 0; }

}  // namespace

crypto::Bundle ownBundle(const crypto::CircleState& state, const Identity& identity) {
  KJ_IF_MAYBE(member, state.find(identity.keys.id)) return member->bundle();
  return identity.bundle;
}

kj::Promise<void> sayWhetherAes(CircleKeeper& keeper, const Identity& identity, bool hasAes) {
  if (saysAes(ownBundle(keeper.state(), identity)) == hasAes) co_return;
  auto bundle = ownBundle(keeper.state(), identity);
  bundle.flags = hasAes ? bundle.flags | AES_HW : bundle.flags & ~AES_HW;
  ++bundle.version;
  auto envelope = bundle.seal(identity.keys);
  auto said = keeper.say(crypto::BundleUpdatePayload{{envelope.begin(), envelope.end()}});
  if (!hasAes) {
    auto done = co_await said;
    // Who may not write has no link on which anything but membership messages passes.
    if (!done) KJ_LOG(INFO, "that AES is gone could not be said", done.error().because);
    co_return;
  }
  // What is not said costs no more than time.
  co_await said.then(
      [](Result<void> done) {
        if (!done) KJ_LOG(INFO, "that AES is there could not be said", done.error().because);
      },
      [](kj::Exception&& e) {
        KJ_LOG(WARNING, "that AES is there could not be stored", e.getDescription());
      });
}

}  // namespace hearth::devices
