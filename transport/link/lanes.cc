#include "transport/link/lanes.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::transport {

namespace {

using Events = std::vector<Lanes::Event>;
using Kind = Lanes::Event::Kind;

kj::Array<kj::byte> take(std::deque<kj::byte>& queue, size_t count) {
  auto bytes = kj::heapArray<kj::byte>(count);
  auto end = queue.begin() + static_cast<ptrdiff_t>(count);
  std::copy(queue.begin(), end, bytes.begin());
  queue.erase(queue.begin(), end);
  return bytes;
}

}  // namespace

Result<StreamId> Lanes::open(Lane lane, kj::ArrayPtr<const kj::byte> header) {
  KJ_REQUIRE(header.size() <= HEADER_BYTES_MAX, header.size());
  if (!mayOpen()) return no(Errc::LIMIT_EXCEEDED, "too many streams on a link");
  auto id = nextId;
  nextId += 2;
  auto& stream = streams[id];
  stream.lane = lane;
  stream.header = kj::heapArray(header);
  stream.credit = WINDOW_BYTES;  // both sides begin with the same; OPEN states ours
  stream.peerCredit = WINDOW_BYTES;
  FlatWriter body;
  body.u32(id).u8(static_cast<uint8_t>(lane)).u32(WINDOW_BYTES).var16(header);
  urgent.push_back({LaneFrame::OPEN, lane, body.finish()});
  return id;
}

size_t Lanes::write(StreamId id, kj::ArrayPtr<const kj::byte> bytes) {
  auto found = streams.find(id);
  if (found == streams.end() || found->second.finishing) return 0;
  auto& queue = found->second.unsent;
  auto count = std::min(bytes.size(), QUEUE_BYTES_MAX - std::min(queue.size(), QUEUE_BYTES_MAX));
  queue.insert(queue.end(), bytes.begin(), bytes.begin() + count);
  return count;
}

void Lanes::finish(StreamId id) {
  auto found = streams.find(id);
  if (found != streams.end()) found->second.finishing = true;
}

void Lanes::reset(StreamId id, Errc code) {
  auto found = streams.find(id);
  if (found == streams.end()) return;
  FlatWriter body;
  body.u32(id).u16(static_cast<uint16_t>(code));
  urgent.push_back({LaneFrame::RESET, found->second.lane, body.finish()});
  streams.erase(found);
}

void Lanes::release(StreamId id) {
  auto found = streams.find(id);
  if (found == streams.end()) return;
  if (found->second.finishing) {
    found->second.released = true;
    forgetIfReleased(id);
  } else {
    reset(id, Errc::STALE);
  }
}

size_t Lanes::read(StreamId id, kj::ArrayPtr<kj::byte> out) {
  auto found = streams.find(id);
  if (found == streams.end()) return 0;
  auto& stream = found->second;
  auto count = std::min(out.size(), stream.unread.size());
  auto end = stream.unread.begin() + static_cast<ptrdiff_t>(count);
  std::copy(stream.unread.begin(), end, out.begin());
  stream.unread.erase(stream.unread.begin(), end);
  stream.owed += static_cast<uint32_t>(count);
  return count;
}

bool Lanes::atEnd(StreamId id) const {
  auto found = streams.find(id);
  if (found == streams.end()) return true;
  return found->second.finReceived && found->second.unread.empty();
}

bool Lanes::anyWaitedFor() const {
  return std::ranges::any_of(streams, [](auto& entry) {
    return entry.second.lane == Lane::LIVE || entry.second.lane == Lane::INTERACTIVE;
  });
}

// A stream that is reset leaves a frame behind, so that those of all open ones may come on top.
void Lanes::addTo(Holdings& holdings) const {
  size_t unsent = 0, unread = 0;
  for (auto& [id, stream]: streams) {
    unsent = std::max(unsent, stream.unsent.size());
    unread = std::max(unread, stream.unread.size());
  }
  holdings.push_back({"streams of a link", streams.size(), STREAMS_MAX});
  holdings.push_back({"bytes of a stream to be sent", unsent, QUEUE_BYTES_MAX});
  holdings.push_back({"bytes of a stream to be read", unread, WINDOW_BYTES});
  holdings.push_back({"urgent frames of a link", urgent.size(), URGENT_MAX + STREAMS_MAX});
}

kj::Maybe<Lanes::OutFrame> Lanes::next() {
  if (!urgent.empty()) {
    auto frame = kj::mv(urgent.front());
    urgent.pop_front();
    return kj::mv(frame);
  }
  for (size_t lane = 0; lane < LANES; ++lane) {
    // Behind the stream that was served last, and around: the streams of a lane take turns.
    auto start = streams.upper_bound(lastServed[lane]);
    for (size_t i = 0; i < streams.size(); ++i, ++start) {
      if (start == streams.end()) start = streams.begin();
      if (static_cast<size_t>(start->second.lane) != lane) continue;
      auto id = start->first;
      auto frame = nextOf(id, start->second);
      if (frame == nullptr) continue;
      lastServed[lane] = id;
      forgetIfReleased(id);
      return frame;
    }
  }
  return nullptr;
}

kj::Maybe<Lanes::OutFrame> Lanes::nextOf(StreamId id, Stream& stream) {
  if (stream.owed >= WINDOW_BYTES / 2 && !stream.finReceived) {
    FlatWriter body;
    body.u32(id).u32(stream.owed);
    stream.peerCredit += stream.owed;
    stream.owed = 0;
    return OutFrame{LaneFrame::CREDIT, stream.lane, body.finish()};
  }
  if (!stream.unsent.empty() && stream.credit > 0) return chunkFrame(id, stream);
  if (stream.finishing && !stream.finSent && stream.unsent.empty()) {
    stream.finSent = true;
    FlatWriter body;
    body.u32(id);
    return OutFrame{LaneFrame::FIN, stream.lane, body.finish()};
  }
  return nullptr;
}

Lanes::OutFrame Lanes::chunkFrame(StreamId id, Stream& stream) {
  auto count = std::min<uint64_t>({stream.unsent.size(), CHUNK_BYTES_MAX, stream.credit});
  stream.credit -= count;
  FlatWriter body;
  body.u32(id).bytes(take(stream.unsent, count));
  return {LaneFrame::STREAM, stream.lane, body.finish()};
}

Result<Events> Lanes::received(uint8_t type, kj::ArrayPtr<const kj::byte> body) {
  FlatReader in(body);
  switch (static_cast<LaneFrame>(type)) {
    case LaneFrame::STREAM:
      return streamBytes(in);
    case LaneFrame::OPEN:
      return opened(in);
    case LaneFrame::CREDIT:
      return credited(in);
    case LaneFrame::FIN:
      return finished(in);
    case LaneFrame::RESET:
      return wasReset(in);
  }
  return no(Errc::BAD_FORMAT, "a frame of no known type");
}

Result<Events> Lanes::opened(FlatReader& in) {
  auto id = in.u32();
  auto lane = in.u8();
  auto credit = in.u32();
  auto header = in.var16(HEADER_BYTES_MAX);
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (lane >= LANES || id % 2 != peerParity || id <= peerNewest)
    return no(Errc::BAD_FORMAT, "a stream that cannot be opened so");
  if (!mayOpen()) return no(Errc::LIMIT_EXCEEDED, "too many streams on a link");
  peerNewest = id;
  auto& stream = streams[id];
  stream.lane = static_cast<Lane>(lane);
  stream.header = kj::heapArray(header);
  stream.credit = credit;
  stream.peerCredit = WINDOW_BYTES;
  return Events{{Kind::OPENED, id}};
}

Result<Events> Lanes::streamBytes(FlatReader& in) {
  auto id = in.u32();
  auto bytes = in.remaining();
  if (!in.good() || !wasOpened(id)) return no(Errc::BAD_FORMAT, "bytes for no stream");
  auto found = streams.find(id);
  if (found == streams.end()) return Events();  // on their way when we reset it
  auto& stream = found->second;
  if (stream.finReceived) return no(Errc::BAD_FORMAT, "bytes behind the end of a stream");
  if (bytes.size() > stream.peerCredit)
    return no(Errc::LIMIT_EXCEEDED, "more bytes than were granted");
  stream.peerCredit -= bytes.size();
  stream.unread.insert(stream.unread.end(), bytes.begin(), bytes.end());
  return Events{{Kind::READABLE, id}};
}

Result<Events> Lanes::credited(FlatReader& in) {
  auto id = in.u32();
  auto more = in.u32();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  auto found = streams.find(id);
  if (!wasOpened(id)) return no(Errc::BAD_FORMAT, "credit for no stream");
  if (found == streams.end()) return Events();
  found->second.credit += more;
  if (found->second.credit > UINT32_MAX)
    return no(Errc::LIMIT_EXCEEDED, "more credit than a stream can have");
  return Events{{Kind::WRITABLE, id}};
}

Result<Events> Lanes::finished(FlatReader& in) {
  auto id = in.u32();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  auto found = streams.find(id);
  if (!wasOpened(id)) return no(Errc::BAD_FORMAT, "the end of no stream");
  if (found == streams.end()) return Events();
  found->second.finReceived = true;
  return Events{{Kind::ENDED, id}};
}

Result<Events> Lanes::wasReset(FlatReader& in) {
  auto id = in.u32();
  in.u16();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (!wasOpened(id)) return no(Errc::BAD_FORMAT, "a reset of no stream");
  if (streams.erase(id) == 0) return Events();
  return Events{{Kind::RESET, id}};
}

bool Lanes::wasOpened(StreamId id) const {
  return id % 2 == peerParity ? id <= peerNewest && id > 0 : id < nextId;
}

void Lanes::forgetIfReleased(StreamId id) {
  auto found = streams.find(id);
  if (found != streams.end() && found->second.released && found->second.finSent)
    streams.erase(found);
}

}  // namespace hearth::transport
