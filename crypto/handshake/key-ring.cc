#include "crypto/handshake/key-ring.h"

namespace hearth::crypto {

KeyRing::KeyRing(LinkSession& session, kj::TimePoint now)
    : current(keysOf(session, now)),
      bornAt(now),
      dueAfter(session.rehandshakeAfter) {}

KeyRing::Keys KeyRing::keysOf(LinkSession& session, kj::TimePoint now) {
  auto& sending = session.initiator ? session.keys.i2r : session.keys.r2i;
  auto& receiving = session.initiator ? session.keys.r2i : session.keys.i2r;
  kj::Maybe<BulkSender> bulkSending;
  kj::Maybe<BulkReceiver> bulkReceiving;
  if (session.bulk) {
    auto key = [&](Direction direction) {
      return bulkKey(session.keys.exporter, session.keys.noiseH, direction);
    };
    bulkSending = BulkSender(key(session.initiator ? Direction::I2R : Direction::R2I));
    bulkReceiving = BulkReceiver(key(session.initiator ? Direction::R2I : Direction::I2R));
  }
  return {SendingKey(kj::mv(sending)), ReceivingKey(kj::mv(receiving)), kj::mv(bulkSending),
      kj::mv(bulkReceiving), session.ownIndex, session.peerIndex, session.rehandshakeAfter,
      session.expiresAfter(), now};
}

void KeyRing::add(LinkSession& session, kj::TimePoint now) {
  tick(now);
  auto keys = keysOf(session, now);
  if (session.initiator) {
    replace(kj::mv(keys), now);
  } else {
    next = kj::mv(keys);
  }
}

void KeyRing::replace(Keys keys, kj::TimePoint now) {
  bornAt = keys.madeAt;
  dueAfter = keys.dueAfter;
  former = kj::mv(current);
  formerSince = now;
  current = kj::mv(keys);
  next = nullptr;
  ++count;
}

kj::Maybe<KeyRing::Sealing> KeyRing::sealing(kj::TimePoint now) {
  KJ_IF_MAYBE(keys, current) {
    if (now - keys->madeAt < keys->expiresAfter - ON_THE_WAY_MAX)
      return Sealing{keys->sending, keys->peerIndex, keys->bulkSending};
  }
  return nullptr;
}

kj::Maybe<KeyRing::Opening> KeyRing::opening(uint32_t receiverIndex, kj::TimePoint now) {
  tick(now);
  for (auto held: {&current, &next, &former}) {
    KJ_IF_MAYBE(keys, *held) {
      if (keys->ownIndex == receiverIndex) return Opening{keys->receiving, keys->bulkReceiving};
    }
  }
  return nullptr;
}

bool KeyRing::carriesBulk() const {
  for (auto held: {&current, &next, &former}) {
    KJ_IF_MAYBE(keys, *held) {
      if (keys->bulkReceiving != nullptr) return true;
    }
  }
  return false;
}

bool KeyRing::opened(uint32_t receiverIndex, kj::TimePoint now) {
  KJ_IF_MAYBE(keys, next) {
    if (keys->ownIndex == receiverIndex) {
      replace(kj::mv(*keys), now);
      former = nullptr;  // the peer has changed over, and a carrier keeps its records in order
      return true;
    }
  }
  KJ_IF_MAYBE(keys, current) {
    if (keys->ownIndex == receiverIndex) former = nullptr;
  }
  return false;
}

bool KeyRing::isDue(kj::TimePoint now) const { return age(now) >= dueAfter; }

void KeyRing::tick(kj::TimePoint now) {
  KJ_IF_MAYBE(keys, current) {
    if (now - keys->madeAt >= keys->expiresAfter) current = nullptr;
  }
  KJ_IF_MAYBE(keys, next) {
    if (now - keys->madeAt >= NEXT_FOR) next = nullptr;
  }
  if (now - formerSince >= FORMER_FOR) former = nullptr;
}

kj::Maybe<kj::TimePoint> KeyRing::wakeAt() const {
  kj::Maybe<kj::TimePoint> soonest;
  auto consider = [&](kj::TimePoint at) { soonest = kj::min(soonest.orDefault(at), at); };
  KJ_IF_MAYBE(keys, current) consider(keys->madeAt + keys->expiresAfter);
  KJ_IF_MAYBE(keys, next) consider(keys->madeAt + NEXT_FOR);
  if (former != nullptr) consider(formerSince + FORMER_FOR);
  return soonest;
}

}  // namespace hearth::crypto
