#include "transport/link/call.h"

#include <kj/debug.h>

namespace hearth::transport {

using crypto::LinkStatus;

kj::Promise<Result<crypto::LinkInitiator>> beginCall(
    HandshakeTools tools, DeviceId peer, uint32_t index, bool resync) {
  auto counter = co_await tools.circle.nextInitCounter();
  auto member = tools.circle.find(peer);
  if (member == nullptr) co_return no(Errc::UNKNOWN_PEER, "a device that is not in the circle");
  auto& known = KJ_ASSERT_NONNULL(member);
  kj::Maybe<crypto::LinkInitiator::EpochPsk> psk;
  if (!resync) {
    psk = tools.circle.epochWith(peer);
    if (psk == nullptr) co_return no(Errc::EPOCH_UNKNOWN, "this device holds no epoch secret");
  }
  co_return crypto::LinkInitiator::begin({.self = tools.circle.self(),
                                             .peer = {peer, known.x, known.bundle, known.hasAes},
                                             .index = index,
                                             .initCounter = counter},
      kj::mv(psk), tools.entropy, tools.guard);
}

namespace {

// What the log says of the caller, as far as the handshake's answer tells it.
LinkStatus statusOf(const crypto::LinkOpening& opening, const crypto::LinkSelf& self,
    const Circle::Member& member) {
  if (member.standing == Circle::Standing::GONE) return LinkStatus::REMOVED;
  if (member.standing == Circle::Standing::SUSPENDED) return LinkStatus::SUSPENDED;
  return crypto::bundleStatus(opening, self.bundle, member.bundle);
}

}  // namespace

Result<Call> openCall(HandshakeTools tools, crypto::Bytes body) {
  auto init = crypto::readHsInit(body);
  if (!init) return no(init.error());
  auto self = tools.circle.self();
  if (!crypto::mac1Holds(crypto::GateKeys::forLink(crypto::publicOf(self.x)), *init))
    return no(Errc::BAD_MAC, "the caller does not know whom it calls");
  auto machine = crypto::LinkResponder::open(self, *init, tools.entropy, tools.guard);
  if (!machine) return no(machine.error());
  Call call(kj::mv(*machine));
  if (auto judged = call.judgeBy(tools.circle); !judged) return no(judged.error());
  return kj::mv(call);
}

// Whom the caller claims to be, against the log, the replay counter and the epoch.
Result<void> Call::judgeBy(Circle& circle) {
  auto& opening = machine.opening();
  auto self = circle.self();
  KJ_IF_MAYBE(member, circle.find(opening.device)) {
    auto judged = crypto::judge(opening, self, {member->x, circle.lastInitCounter(opening.device)});
    if (!judged) return judged;
    bundle = member->bundle;
    hasAes = member->hasAes;
    status = statusOf(opening, self, *member);
    if (isResync()) return {};
    KJ_IF_MAYBE(known, circle.epochWith(opening.device)) {
      if (known->epoch == opening.epoch) {
        psk = kj::mv(known->psk);
        return {};
      }
    }
    return no(Errc::EPOCH_UNKNOWN, "the caller has another epoch");
  }
  if (!isResync() || opening.device == self.id)
    return no(Errc::UNKNOWN_PEER, "the caller is not in the circle");
  stranger = true;
  return {};
}

kj::Promise<void> Call::accept(Circle& circle) {
  auto& opening = machine.opening();
  if (stranger) return kj::READY_NOW;
  return circle.acceptInitCounter(opening.device, opening.initCounter);
}

Result<crypto::LinkResponder::Answer> Call::answer(uint32_t index) {
  return machine.answer(index, kj::mv(psk), bundle, status, hasAes);
}

}  // namespace hearth::transport
