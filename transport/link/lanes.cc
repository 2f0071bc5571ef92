#include "transport/link/lanes.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::transport {

namespace {
bool isWaitedFor(Lane lane) { return lane == Lane::LIVE || lane == Lane::INTERACTIVE; }

// As many of `bytes` as go in a BULK record.
size_t bulkShare(Lane lane, size_t bytes) {
  if (lane == Lane::BULK) return bytes / Lanes::BULK_STEP_BYTES * Lanes::BULK_STEP_BYTES;
  if (lane != Lane::INTERACTIVE || bytes < Lanes::SMALL_BULK_BYTES_LEAST) return 0;
  return bytes / Lanes::SMALL_STEP_BYTES * Lanes::SMALL_STEP_BYTES;
}
}  // namespace

Result<StreamId> Lanes::open(Lane lane, kj::ArrayPtr<const kj::byte> header) {
  KJ_REQUIRE(header.size() <= HEADER_BYTES_MAX, header.size());
  if (!mayOpen(false)) return no(Errc::LIMIT_EXCEEDED, "too many streams on a link");
  auto id = nextId;
  nextId += 2;
  begin(id, lane, header).credit =
      WINDOW_BYTES;  // both sides begin with the same; OPEN states ours
  unopened.push_back(id);
  return id;
}

size_t Lanes::write(StreamId id, kj::ArrayPtr<const kj::byte> bytes) {
  auto stream = find(id);
  if (stream == nullptr || stream->finishing) return 0;
  auto count =
      std::min(bytes.size(), QUEUE_BYTES_MAX - std::min(stream->unsent(), QUEUE_BYTES_MAX));
  stream->out.append(bytes.slice(0, count));
  wake(id, *stream);
  return count;
}

void Lanes::finish(StreamId id) {
  auto stream = find(id);
  if (stream == nullptr) return;
  stream->finishing = true;
  wake(id, *stream);
}

void Lanes::reset(StreamId id, Errc code) {
  auto found = streams.find(id);
  if (found == streams.end()) return;
  auto& stream = found->second;
  // A peer that has not heard of the stream, or knows it to be over, needs no word.
  if (!stream.opened) {
    unopened.erase(std::ranges::find(unopened, id));
  } else if (!stream.atEnd) {
    resets.push_back({id, code, stream.lane});
  }
  forget(found);
}

void Lanes::release(StreamId id) {
  auto found = streams.find(id);
  if (found == streams.end()) return;
  auto& stream = found->second;
  if (!stream.finishing) return reset(id, Errc::STALE);
  if (isWaitedFor(stream.lane)) --waitedFor;
  stream.released = true;
  stream.taken = stream.received();
  stream.in.clear();
  KJ_IF_MAYBE(frames, stream.frames) (*frames)->in.dropAll();
  wake(id, stream);
  settle(found);
}

size_t Lanes::read(StreamId id, kj::ArrayPtr<kj::byte> out) {
  auto stream = find(id);
  if (stream == nullptr) return 0;
  auto count = stream->in.take(out);
  stream->taken += count;
  if (count > 0) wake(id, *stream);
  return count;
}

uint64_t Lanes::writeFrame(
    StreamId id, kj::ArrayPtr<const kj::byte> bytes, kj::TimePoint deadline, kj::TimePoint now) {
  KJ_REQUIRE(bytes.size() <= LIVE_FRAME_BYTES_MAX, bytes.size());
  KJ_REQUIRE(deadline - now <= LiveLimits::DEADLINE_MAX, deadline - now);
  auto stream = find(id);
  if (stream == nullptr || stream->finishing) return 0;
  KJ_REQUIRE(stream->lane == Lane::LIVE, "frames with deadlines go over the live lane");
  auto number = stream->liveFrames().out.put(bytes, deadline, now, liveCounts);
  wake(id, *stream);
  return number;
}

kj::Maybe<LiveFrame> Lanes::readFrame(StreamId id, kj::TimePoint now) {
  auto stream = find(id);
  if (stream == nullptr) return nullptr;
  KJ_IF_MAYBE(frames, stream->frames) {
    auto frame = (*frames)->in.take(now, liveCounts);
    wake(id, *stream);
    return frame;
  }
  return nullptr;
}

bool Lanes::atEnd(StreamId id) const {
  auto stream = find(id);
  return stream == nullptr || (stream->finReceived && stream->in.empty());
}

bool Lanes::isOpen(StreamId id) const {
  auto stream = find(id);
  return stream != nullptr && !stream->released;
}

// A stream that is reset leaves a frame behind, so that those of all open ones may come on top.
void Lanes::addTo(Holdings& holdings) const {
  size_t held = 0, kept = 0, unread = 0, liveUnsent = 0, liveUnread = 0;
  for (auto& [id, stream]: streams) {
    held = std::max(held, stream.out.size());
    kept = std::max(kept, static_cast<size_t>(stream.sent - stream.kept));
    unread = std::max(unread, stream.in.size());
    KJ_IF_MAYBE(frames, stream.frames) {
      liveUnsent = std::max(liveUnsent, (*frames)->out.queued());
      liveUnread = std::max(liveUnread, (*frames)->in.queued());
    }
  }
  holdings.push_back({"streams of a link", std::max(count[0], count[1]), STREAMS_MAX});
  // Whatever was sent over a link that is cut is to be sent again.
  holdings.push_back(
      {"bytes of a stream that the peer has not read", held, QUEUE_BYTES_MAX + WINDOW_BYTES_MAX});
  holdings.push_back({"bytes of a stream kept to be sent again", kept, WINDOW_BYTES_MAX});
  holdings.push_back({"bytes of a stream to be read", unread, WINDOW_BYTES});
  holdings.push_back({"live frames of a stream to be sent", liveUnsent, LiveLimits::QUEUED_MAX});
  holdings.push_back({"live frames of a stream to be read", liveUnread, LiveLimits::UNREAD_MAX});
  holdings.push_back(
      {"urgent frames of a link", unopened.size() + resets.size(), URGENT_MAX + 2 * STREAMS_MAX});
}

kj::Maybe<Lanes::OutFrame> Lanes::next(kj::TimePoint now, size_t bulkBytesMax) {
  // Resets first: they make room at the peer for the streams that are opened behind them.
  if (!resets.empty()) return resetFrame();
  if (!unopened.empty()) return openFrame();
  for (auto& lane: ready) {
    // The streams of a lane take turns: who has sent goes to the end.
    while (!lane.empty()) {
      auto found = streams.find(lane.front());
      lane.pop_front();
      found->second.queued = false;
      auto frame = nextOf(found, now, bulkBytesMax);
      if (frame != nullptr) return frame;
    }
  }
  return nullptr;
}

bool Lanes::hasNext() const {
  return !resets.empty() || !unopened.empty() ||
      std::ranges::any_of(ready, [](auto& lane) { return !lane.empty(); });
}

Lanes::OutFrame Lanes::resetFrame() {
  auto reset = resets.front();
  resets.pop_front();
  OutFrame frame(LaneFrame::RESET, reset.lane);
  frame.put(reset.id).put(static_cast<uint16_t>(reset.code));
  return frame;
}

Lanes::OutFrame Lanes::openFrame() {
  auto id = unopened.front();
  unopened.pop_front();
  auto& stream = streams.at(id);
  stream.opened = true;
  wake(id, stream);
  OutFrame frame(LaneFrame::OPEN, stream.lane);
  frame.put(id).put(static_cast<uint8_t>(stream.lane)).put(stream.window);
  frame.put(static_cast<uint16_t>(stream.header.size()));
  frame.bytes.first = stream.header;
  return frame;
}

kj::Maybe<Lanes::OutFrame> Lanes::nextOf(
    Streams::iterator found, kj::TimePoint now, size_t bulkBytesMax) {
  auto& [id, stream] = *found;
  if (!stream.hasFrame()) return nullptr;
  auto frame = takeFrame(id, stream, now, bulkBytesMax);
  wake(id, stream);
  settle(found);
  return frame;
}

kj::Maybe<Lanes::OutFrame> Lanes::takeFrame(
    StreamId id, Stream& stream, kj::TimePoint now, size_t bulkBytesMax) {
  OutFrame frame(LaneFrame::FIN, stream.lane);
  if (stream.finAckOwed) {
    stream.finAckOwed = false;
    frame.type = LaneFrame::FIN_ACK;
    return kj::mv(frame.put(id));
  }
  if (stream.creditIsDue()) {
    stream.stated = stream.taken;
    frame.type = LaneFrame::CREDIT;
    return kj::mv(frame.put(id).put(stream.stated).put(stream.window));
  }
  if (stream.frameCreditIsDue()) {
    auto credit = stream.liveFrames().in.credit();
    frame.type = LaneFrame::FRAME_CREDIT;
    return kj::mv(frame.put(id).put(credit.number).put(credit.late));
  }
  if (stream.mayHaveLiveFrame()) {
    // What was too late has gone, and may have been all.
    KJ_IF_MAYBE(live, liveFrame(id, stream, now)) return kj::mv(*live);
  }
  if (stream.bytesAreDue()) return chunkFrame(id, stream, bulkBytesMax);
  if (!stream.finIsDue()) return nullptr;
  if (stream.bulkEndIsDue()) {
    stream.bulkEndSent = true;
    frame.type = LaneFrame::BULK_END;
    return kj::mv(frame.put(id).put(stream.written()).put(stream.bulkSent));
  }
  // Frames that the peer grants no more are not waited for.
  KJ_IF_MAYBE(frames, stream.frames) (*frames)->out.dropAll(liveCounts);
  stream.finSent = true;
  return kj::mv(frame.put(id));
}

kj::Maybe<Lanes::OutFrame> Lanes::liveFrame(StreamId id, Stream& stream, kj::TimePoint now) {
  KJ_IF_MAYBE(live, stream.liveFrames().out.next(now, liveCounts)) {
    OutFrame frame(LaneFrame::FRAME, stream.lane);
    frame.put(id).put(live->number).put(Transit::microseconds(now)).put(live->leftUs);
    frame.bytes.first = live->bytes;
    return kj::mv(frame);
  }
  return nullptr;
}

Lanes::OutFrame Lanes::chunkFrame(StreamId id, Stream& stream, size_t bulkBytesMax) {
  OutFrame frame(LaneFrame::STREAM, stream.lane);
  frame.stream = id;
  frame.offset = stream.sent;
  auto count =
      static_cast<size_t>(std::min<uint64_t>(stream.unsent(), stream.credit - stream.sent));
  auto inBulk = bulkShare(stream.lane, std::min(count, bulkBytesMax));
  if (inBulk > 0) {
    count = inBulk;
    frame.bulk = true;
    ++stream.bulkSent;
  } else {
    count = std::min(count, CHUNK_BYTES_MAX);
    frame.put(id);
  }
  frame.bytes = stream.out.view(static_cast<size_t>(stream.sent - stream.kept), count);
  stream.sent += count;
  return frame;
}

bool Lanes::mayOpen(bool byPeer) const {
  return count[byPeer] < STREAMS_MAX && unopened.size() + resets.size() < URGENT_MAX;
}

bool Lanes::wasOpened(StreamId id) const {
  return isOurs(id) ? id < nextId : id <= peerNewest && id > 0;
}

Lanes::Stream& Lanes::begin(StreamId id, Lane lane, kj::ArrayPtr<const kj::byte> header) {
  auto& stream = streams[id];
  stream.lane = lane;
  stream.header = kj::heapArray(header);
  stream.window = WINDOW_BYTES;
  ++count[!isOurs(id)];
  if (isWaitedFor(lane)) ++waitedFor;
  return stream;
}

Lanes::Stream* Lanes::find(StreamId id) {
  auto found = streams.find(id);
  return found == streams.end() ? nullptr : &found->second;
}

const Lanes::Stream* Lanes::find(StreamId id) const {
  auto found = streams.find(id);
  return found == streams.end() ? nullptr : &found->second;
}

void Lanes::forget(Streams::iterator found) {
  auto& [id, stream] = *found;
  if (!stream.atEnd) --count[!isOurs(id)];
  if (isWaitedFor(stream.lane) && !stream.released) --waitedFor;
  KJ_IF_MAYBE(frames, stream.frames) (*frames)->out.dropAll(liveCounts);
  // Not left to be found missing: a peer could open and reset streams without end.
  if (stream.queued) std::erase(ready[static_cast<size_t>(stream.lane)], id);
  streams.erase(found);
}

// A stream is over on the wire when each side knows that the other has all. It counts no longer then, and
// goes when its owner does.
void Lanes::settle(Streams::iterator found) {
  auto& [id, stream] = *found;
  if (!stream.atEnd && stream.finKnown && stream.finReceived && !stream.finAckOwed) {
    stream.atEnd = true;
    --count[!isOurs(id)];
  }
  if (stream.atEnd && stream.released) forget(found);
}

void Lanes::wake(StreamId id, Stream& stream) {
  if (stream.queued || !stream.hasFrame()) return;
  stream.queued = true;
  ready[static_cast<size_t>(stream.lane)].push_back(id);
}

}  // namespace hearth::transport
