// What a link makes of the records that come.
#include "crypto/pairing/payloads.h"
#include "transport/link/link-frames.h"
#include "transport/link/link.h"

#include <kj/debug.h>

namespace hearth::transport {

kj::Promise<void> Link::read() {
  for (;;) {
    if (auto taken = receivedAll(); !taken) {
      end(taken.error(), Ending::CUT);
    }
    if (over) co_return;
    co_await carrier->more();
  }
}

// All records that have come whole.
Result<void> Link::receivedAll() {
  while (!over) {
    auto bodyBytesMax = keys.carriesBulk() ? crypto::BULK_BYTES_MAX : crypto::DATA_BYTES_MAX;
    auto found = carrier->next(bodyBytesMax);
    if (!found) return no(found.error());
    KJ_IF_MAYBE(record, *found) {
      if (auto taken = received(*record); !taken) return taken;
    } else {
      break;
    }
  }
  return {};
}

Result<void> Link::received(RecordView record) {
  bool renews =
      record.type == crypto::RecordType::HS_INIT || record.type == crypto::RecordType::HS_RESP;
  if (!peerConfirmed && renews)
    return no(Errc::BAD_FORMAT, "new keys before the first are confirmed");
  switch (record.type) {
    case crypto::RecordType::DATA:
      return data(record);
    case crypto::RecordType::BULK:
      return bulk(record);
    case crypto::RecordType::HS_INIT:
      keys.called(kj::heapArray<kj::byte>(record.body));
      return {};
    case crypto::RecordType::HS_RESP:
      keys.answered(record.body);
      return {};
    default:
      return no(Errc::BAD_FORMAT, "a record that has no place on an open link");
  }
}

Result<void> Link::data(RecordView record) {
  auto index = crypto::receiverIndexOf(record.body);
  if (!index) return no(index.error());
  auto key = keys.opening(*index);
  if (key == nullptr) return no(Errc::KEYS_EXPIRED, "a record for other keys");
  auto frame = crypto::openDataInPlace(KJ_ASSERT_NONNULL(key).key, record.body);
  if (!frame) return no(frame.error());
  pulse.heard();
  keys.opened(*index);
  // Somebody on the way can spoil a record; what a record says is the peer's.
  if (auto taken = received(*frame); !taken) end(taken.error(), Ending::OVER);
  return {};
}

Result<void> Link::bulk(RecordView record) {
  auto index = crypto::receiverIndexOf(record.body);
  if (!index) return no(index.error());
  auto opening = keys.opening(*index);
  if (opening == nullptr) return no(Errc::KEYS_EXPIRED, "a record for other keys");
  auto& with = KJ_ASSERT_NONNULL(opening);
  if (with.bulk == nullptr || !peerConfirmed)
    return no(Errc::BAD_FORMAT, "a BULK record that has no place on this link");
  if (membershipOnly() && !isEarly())
    return no(Errc::NOT_AUTHORISED, "a stream on a membership link");
  auto chunk = KJ_ASSERT_NONNULL(with.bulk).openInPlace(record.body, with.key.counter());
  if (!chunk) return no(chunk.error());
  pulse.heard();
  keys.opened(*index);
  if (auto taken = bulkChunk(*chunk); !taken) end(taken.error(), Ending::OVER);
  return {};
}

Result<void> Link::bulkChunk(const crypto::BulkView& chunk) {
  if (hasLetGo || isEarly()) return {};
  if (!mayCarry()) return no(Errc::BAD_FORMAT, "a stream before its session goes on");
  pulse.owe();
  auto& ours = *KJ_ASSERT_NONNULL(session);
  ours.handover.heard();
  auto taken = ours.receivedBulk(chunk.streamId, chunk.offset, chunk.data);
  if (taken) ours.lanes().ringWriter();
  return taken;
}

void Link::measured(kj::Duration roundTrip) {
  KJ_IF_MAYBE(ours, session) (*ours)->lanes().lanes.roundTrip(roundTrip);
}

Result<void> Link::received(const crypto::DataView& frame) {
  auto type = static_cast<crypto::Frame>(frame.type);
  if (type == crypto::Frame::CONFIRM) {
    if (peerConfirmed) return no(Errc::BAD_FORMAT, "a second CONFIRM");
    peerConfirmed = true;
    // A callee says nothing before the caller has shown that it holds the keys.
    if (!initiated()) sendOwn(number(crypto::Frame::CONFIRM), exchange->heads());
    pulse.ping();  // measures the way there and back
    expectSession();
    auto taken = membership(exchange->confirmed(frame.body));
    if (taken && !over) owner.confirmed(*this);
    return taken;
  }
  if (!peerConfirmed) return no(Errc::BAD_FORMAT, "a frame before the peer's CONFIRM");
  if (ownFrames.size() >= OWN_FRAMES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a peer that asks and does not read");
  return ownFrame(frame);
}

// A caller without a session assumes that one begins. Where this side goes on with another one, the caller learns
// of that later than it sends.
bool Link::isEarly() const { return !carrying && !initiated() && !peerResumed; }

// Whoever was called says RESUME before anything else.
bool Link::mayCarry() const { return carrying && (peerResumed || !initiated()); }

// A link over which nothing goes on is of no use to either side, and it takes a place.
void Link::expectSession() {
  placing = timer.afterDelay(CARRYING_WITHIN)
                .then([this]() {
                  bool agrees = carrying && peerResumed;
                  if (!agrees && !hasLetGo && !membershipOnly()) close(Errc::STALE);
                })
                .eagerlyEvaluate(nullptr);
}

Result<void> Link::ownFrame(const crypto::DataView& frame) {
  switch (frame.type) {
    case number(crypto::Frame::KEEPALIVE):
      return {};
    case number(crypto::Frame::CLOSE):
      return goodbye(frame.body);
    case number(crypto::Frame::MEMBERSHIP):
      return membership(exchange->received(frame.body));
    case PING:
      if (frame.body.size() != Pulse::TOKEN_BYTES)
        return no(Errc::BAD_FORMAT, "a PING without its token");
      sendOwn(PONG, kj::heapArray(frame.body));
      return {};
    case PONG:
      KJ_IF_MAYBE(took, pulse.answered(frame.body)) measured(*took);
      return {};
    case RESUME:
      return resume(frame.body);
    default:
      return laneFrame(frame);
  }
}

// A link that another one makes superfluous leaves the session as it is.
Result<void> Link::goodbye(crypto::Bytes body) {
  bool another = body.size() == 1 && body[0] == static_cast<kj::byte>(Errc::BUSY);
  end({Errc::STALE, "the peer said goodbye"}, another ? Ending::CUT : Ending::OVER);
  return {};
}

Result<void> Link::resume(crypto::Bytes body) {
  if (membershipOnly()) return no(Errc::NOT_AUTHORISED, "a session on a membership link");
  if (peerResumed) return no(Errc::BAD_FORMAT, "a second RESUME");
  peerResumed = true;
  auto frame = readResume(body);
  if (!frame) return no(frame.error());
  if (carrying) placing = nullptr;
  if (hasLetGo || closing) return {};
  return owner.resumed(*this, kj::mv(*frame));
}

Result<void> Link::laneFrame(const crypto::DataView& frame) {
  if (isEarly()) return {};
  if (membershipOnly()) return no(Errc::NOT_AUTHORISED, "a stream on a membership link");
  if (hasLetGo) return {};  // on their way when another link took over
  if (!mayCarry()) return no(Errc::BAD_FORMAT, "a stream before its session goes on");
  pulse.owe();
  auto& ours = *KJ_ASSERT_NONNULL(session);
  ours.handover.heard();
  auto taken = ours.received(frame.type, frame.body);
  if (!taken) return no(taken.error());
  KJ_IF_MAYBE(opened, *taken) owner.incoming(*this, kj::mv(opened->header), kj::mv(opened->stream));
  KJ_IF_MAYBE(still, session) {
    (*still)->updateAttention();
    (*still)->lanes().ringWriter();
  }
  return {};
}

Result<void> Link::membership(Result<MembershipExchange::Step> step) {
  if (!step) return no(step.error());
  if (step->restricted && !isMembershipOnly) {
    isMembershipOnly = true;
    letGo();
    owner.restricted(*this);
  }
  sendMembership(kj::mv(step->send));
  // The caller of a membership link ends it; the callee waits for that.
  if (step->done && membershipOnly() && initiated()) close(Errc::STALE);
  return {};
}

}  // namespace hearth::transport
