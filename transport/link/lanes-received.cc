// What a peer's frames do to the streams of a session, and how these go on over another link.

#include "transport/link/lanes.h"

#include <algorithm>

namespace hearth::transport {

namespace {
using Event = LaneEvent;
using Kind = LaneEvent::Kind;
}  // namespace

Result<Event> Lanes::received(uint8_t type, kj::ArrayPtr<const kj::byte> body, kj::TimePoint now) {
  FlatReader in(body);
  switch (static_cast<LaneFrame>(type)) {
    case LaneFrame::STREAM:
      return streamBytes(in);
    case LaneFrame::BULK_END:
      return bulkEnded(in);
    case LaneFrame::OPEN:
      return opened(in);
    case LaneFrame::CREDIT:
      return credited(in);
    case LaneFrame::FIN:
      return finished(in);
    case LaneFrame::RESET:
      return wasReset(in);
    case LaneFrame::FRAME:
      return frame(in, now);
    case LaneFrame::FRAME_CREDIT:
      return frameCredited(in);
    case LaneFrame::FIN_ACK:
      return finishKnown(in);
  }
  return no(Errc::BAD_FORMAT, "a frame of no known type");
}

Result<Event> Lanes::opened(FlatReader& in) {
  auto id = in.u32();
  auto lane = in.u8();
  auto window = in.u32();
  auto header = in.var16(HEADER_BYTES_MAX);
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (lane >= LANES || isOurs(id) || id <= peerNewest)
    return no(Errc::BAD_FORMAT, "a stream that cannot be opened so");
  if (window > WINDOW_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "more credit than a stream can have");
  if (!mayOpen(true)) return no(Errc::LIMIT_EXCEEDED, "too many streams on a link");
  peerNewest = id;
  auto& stream = begin(id, static_cast<Lane>(lane), header);
  stream.opened = true;
  stream.credit = window;
  return Event{Kind::OPENED, id};
}

Result<Event> Lanes::streamBytes(FlatReader& in) {
  auto id = in.u32();
  auto bytes = in.remaining();
  if (!in.good() || !wasOpened(id)) return no(Errc::BAD_FORMAT, "bytes for no stream");
  auto stream = find(id);
  if (stream == nullptr) return Event();  // on their way when we reset it
  return chunk(id, *stream, bytes);
}

Result<Event> Lanes::receivedBulk(
    StreamId id, uint64_t offset, kj::ArrayPtr<const kj::byte> bytes) {
  if (!wasOpened(id)) return no(Errc::BAD_FORMAT, "bytes for no stream");
  auto stream = find(id);
  if (stream == nullptr) return Event();
  if (offset != stream->received())
    return no(Errc::INTEGRITY_FAILED, "a bulk record that is not the next of its stream");
  ++stream->bulkReceived;
  return chunk(id, *stream, bytes);
}

Result<Event> Lanes::chunk(StreamId id, Stream& stream, kj::ArrayPtr<const kj::byte> bytes) {
  if (stream.finReceived || stream.bulkEndCame)
    return no(Errc::BAD_FORMAT, "bytes behind the end of a stream");
  if (bytes.size() > stream.granted() - stream.received())
    return no(Errc::LIMIT_EXCEEDED, "more bytes than were granted");
  if (stream.released) {
    stream.taken += bytes.size();
    wake(id, stream);
    return Event();
  }
  stream.in.append(bytes);
  return Event{Kind::READABLE, id};
}

// DATA records are numbered without a gap; a BULK record that was held back behind the last of a stream would
// be missed by nobody, were it not for the totals.
Result<Event> Lanes::bulkEnded(FlatReader& in) {
  auto id = in.u32();
  auto bytes = in.u64();
  auto records = in.u32();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (!wasOpened(id)) return no(Errc::BAD_FORMAT, "the end of no stream");
  auto stream = find(id);
  if (stream == nullptr) return Event();
  if (stream->bulkEndCame || stream->finReceived)
    return no(Errc::BAD_FORMAT, "a stream that ends twice");
  if (bytes != stream->received() || records != stream->bulkReceived)
    return no(Errc::INTEGRITY_FAILED, "a stream that lacks bulk records");
  stream->bulkEndCame = true;
  return Event();
}

Result<Event> Lanes::credited(FlatReader& in) {
  auto id = in.u32();
  auto taken = in.u64();
  auto window = in.u32();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (!wasOpened(id)) return no(Errc::BAD_FORMAT, "credit for no stream");
  auto stream = find(id);
  if (stream == nullptr) return Event();
  if (taken < stream->kept || taken > stream->sent || window > WINDOW_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "credit for what cannot have been read");
  if (taken + window < stream->credit) return no(Errc::BAD_FORMAT, "credit that is taken back");
  stream->keepFrom(taken);
  stream->credit = taken + window;
  wake(id, *stream);
  return Event{Kind::WRITABLE, id};
}

Result<Event> Lanes::frame(FlatReader& in, kj::TimePoint now) {
  auto id = in.u32();
  auto number = in.u64();
  auto sentUs = in.u32();
  auto left = in.u32() * kj::MICROSECONDS;
  auto bytes = in.remaining();
  if (!in.good() || !wasOpened(id)) return no(Errc::BAD_FORMAT, "a frame for no stream");
  if (left > LiveLimits::DEADLINE_MAX || bytes.size() > LIVE_FRAME_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a frame that is too long, or has too long");
  auto onTheWay = transit.of(sentUs, now);
  auto stream = find(id);
  if (stream == nullptr) return Event();
  if (stream->lane != Lane::LIVE || stream->finReceived)
    return no(Errc::BAD_FORMAT, "a frame on a stream that has none, or no more");
  auto& frames = stream->liveFrames().in;
  if (auto taken = frames.received(number, left - onTheWay, bytes, now, liveCounts); !taken)
    return no(taken.error());
  if (stream->released) frames.dropAll();
  wake(id, *stream);
  return stream->released ? Event() : Event{Kind::FRAME, id};
}

Result<Event> Lanes::frameCredited(FlatReader& in) {
  auto id = in.u32();
  auto number = in.u64();
  auto late = in.u64();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (!wasOpened(id)) return no(Errc::BAD_FORMAT, "credit for frames of no stream");
  auto stream = find(id);
  if (stream == nullptr) return Event();
  if (stream->lane != Lane::LIVE)
    return no(Errc::BAD_FORMAT, "credit for frames on a stream that has none");
  auto credited = stream->liveFrames().out.credited(number, late, liveCounts);
  if (!credited) return no(credited.error());
  wake(id, *stream);
  return Event();
}

Result<Event> Lanes::finished(FlatReader& in) {
  auto id = in.u32();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (!wasOpened(id)) return no(Errc::BAD_FORMAT, "the end of no stream");
  auto found = streams.find(id);
  if (found == streams.end()) return Event();
  auto& stream = found->second;
  if (stream.finReceived) return no(Errc::BAD_FORMAT, "a stream that ends twice");
  if (stream.bulkReceived > 0 && !stream.bulkEndCame)
    return no(Errc::BAD_FORMAT, "bulk records without their totals");
  stream.finReceived = true;
  stream.finAckOwed = true;
  wake(id, stream);
  return stream.released ? Event() : Event{Kind::ENDED, id};
}

Result<Event> Lanes::finishKnown(FlatReader& in) {
  auto id = in.u32();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (!wasOpened(id)) return no(Errc::BAD_FORMAT, "the end of no stream is known");
  auto found = streams.find(id);
  if (found == streams.end()) return Event();
  auto& stream = found->second;
  if (!stream.finSent || stream.finKnown)
    return no(Errc::BAD_FORMAT, "an end is known that was not sent");
  stream.finKnown = true;
  stream.keepFrom(stream.written());
  settle(found);
  return Event();
}

Result<Event> Lanes::wasReset(FlatReader& in) {
  auto id = in.u32();
  in.u16();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (!wasOpened(id)) return no(Errc::BAD_FORMAT, "a reset of no stream");
  auto found = streams.find(id);
  if (found == streams.end()) return Event();
  bool told = !found->second.released;
  forget(found);
  return told ? Event{Kind::RESET, id} : Event();
}

LaneStates Lanes::states() {
  LaneStates states{.newestOfPeer = peerNewest};
  for (auto& [id, stream]: streams) {
    // What the peer has not heard of begins anew; what is over on the wire is nobody's business.
    if (!stream.opened || stream.atEnd) continue;
    stream.stated = stream.taken;
    states.streams.push_back(
        {id, stream.received(), stream.taken, stream.granted(), stream.finReceived});
  }
  return states;
}

Result<std::vector<Event>> Lanes::resume(const LaneStates& peer) {
  auto cannot = no(Errc::INTEGRITY_FAILED, "a session resumed by a peer that did not have it");
  if (peer.newestOfPeer >= nextId) return cannot;
  // A stream that is gone here is missing in our states, which says so.
  resets.clear();
  unopened.clear();
  transit.restart();
  std::vector<Event> events;
  for (auto next = streams.begin(); next != streams.end();) {
    auto found = next++;
    auto& [id, stream] = *found;
    if (stream.atEnd) continue;
    KJ_IF_MAYBE(frames, stream.frames) {
      (*frames)->out.carrierChanged();
      (*frames)->in.carrierChanged();
    }
    stream.bulkSent = stream.bulkReceived = 0;  // totals are those of one carrier
    stream.bulkEndSent = stream.bulkEndCame = false;
    if (isOurs(id) && id > peer.newestOfPeer) {
      if (stream.received() > 0 || stream.finReceived) return cannot;
      stream.opened = false;
      stream.sent = 0;
      stream.finSent = false;
      unopened.push_back(id);
      continue;
    }
    stream.opened = true;
    auto known = std::ranges::lower_bound(peer.streams, id, {}, &StreamState::id);
    if (known != peer.streams.end() && known->id == id) {
      if (auto good = resumeKnown(stream, *known); !good) return no(good.error());
    } else if (stream.finSent && stream.finReceived) {
      // Both ends had come, and only our word about the peer's, or its about ours, was lost.
      stream.finKnown = true;
      stream.finAckOwed = false;
      stream.keepFrom(stream.written());
    } else {
      if (!stream.released) events.push_back({Kind::RESET, id});
      forget(found);
      continue;
    }
    wake(id, stream);
    settle(found);
  }
  return events;
}

Result<void> Lanes::resumeKnown(Stream& stream, const StreamState& peer) {
  auto cannot = no(Errc::INTEGRITY_FAILED, "a stream resumed where it has not been");
  stream.finAckOwed = false;  // our states have told that its end is known
  if (peer.finReceived) {
    if (!stream.finSent || peer.received != stream.sent) return cannot;
    stream.finKnown = true;
    stream.keepFrom(stream.written());
    return {};
  }
  if (stream.finKnown || peer.taken < stream.kept || peer.received > stream.sent ||
      peer.granted < stream.credit || peer.granted - peer.taken > WINDOW_BYTES_MAX)
    return cannot;
  stream.keepFrom(peer.taken);
  stream.sent = peer.received;
  stream.credit = peer.granted;
  stream.finSent = false;
  return {};
}

}  // namespace hearth::transport
