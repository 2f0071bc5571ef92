#pragma once
// The streams of one session, sorted into lanes of strict priority, with credit for each stream
// (docs/PROTOCOL.md, "Lanes"). A pure machine: frames in, frames out.
//
//   control (RPC, membership) > live (frames with deadlines) > interactive (job streams) > bulk
//
// Small writes to one stream are coalesced into one frame; within a lane the streams take turns. The
// streams outlive the carrier: what was sent is kept until the peer is known to have read it, so that a
// session goes on over another link with the byte that the peer lacks (lane-states.h).

#include "core/base/flat.h"
#include "core/base/holding.h"
#include "core/base/result.h"
#include "transport/link/lane-states.h"
#include "transport/link/lane-streams.h"
#include "transport/link/transit.h"

#include <deque>
#include <map>

namespace hearth::transport {

class Lanes final {
 public:
  static constexpr size_t STREAMS_MAX = 1'024;  // opened by one side and not yet at their end
  static constexpr size_t HEADER_BYTES_MAX = 1'024;
  // What a peer may send on a stream before it is granted more: one round trip of 1 Gbit/s at 2 ms.
  static constexpr uint32_t WINDOW_BYTES = 256 << 10;
  static constexpr uint32_t WINDOW_BYTES_MAX = 16 << 20;  // that a peer may grant
  static constexpr size_t QUEUE_BYTES_MAX = 256 << 10;    // written and not yet sent, per stream
  // Of one STREAM frame: with the heads of frame and record it just fills a step of the padding (data.h).
  static constexpr size_t CHUNK_BYTES_MAX = (16 << 10) - 7;
  // Of one frame with a deadline, which is one FRAME.
  static constexpr size_t LIVE_FRAME_BYTES_MAX =
      CHUNK_BYTES_MAX + sizeof(StreamId) - LANE_FRAME_HEAD_BYTES;
  // A chunk in a BULK record has no padding: it is whole steps of what its lane would be padded to, so that
  // its length tells no more. What is less goes in DATA.
  static constexpr size_t BULK_STEP_BYTES = 16 << 10;        // of lane bulk
  static constexpr size_t SMALL_STEP_BYTES = 16;             // of lane interactive,
  static constexpr size_t SMALL_BULK_BYTES_LEAST = 1 << 10;  // from here on
  // OPEN and RESET frames that wait to be sent: past it no stream is opened, by neither side.
  static constexpr size_t URGENT_MAX = 2 * STREAMS_MAX;

  using OutFrame = LaneOutFrame;
  using Event = LaneEvent;

  // The side that chooses the session's links opens streams of odd numbers, the other of even ones.
  explicit Lanes(bool chooser): nextId(chooser ? 1 : 2), peerParity(chooser ? 0 : 1) {}

  // Errors: LIMIT_EXCEEDED for one stream too many, or too many frames unsent. Requires a header
  // within its limit.
  Result<StreamId> open(Lane lane, kj::ArrayPtr<const kj::byte> header);

  // Queues as much as the stream has room for and gives how much that was; 0: wait for WRITABLE.
  // A stream that is gone takes nothing: isOpen() says so.
  size_t write(StreamId stream, kj::ArrayPtr<const kj::byte> bytes);
  void finish(StreamId stream);  // no more writes
  void reset(StreamId stream, Errc code);

  // The stream's owner is gone: what it finished is still sent, anything else is reset.
  void release(StreamId stream);

  // Moves received bytes into `out`, which grants the peer as much again; 0: wait for READABLE.
  size_t read(StreamId stream, kj::ArrayPtr<kj::byte> out);
  // Frames with deadlines, on a stream of the live lane (live-frames.h). A frame is dropped where its
  // deadline finds it; its number is given, 0 where the stream takes nothing any more. Requires a frame
  // and a deadline within their limits.
  uint64_t writeFrame(StreamId stream, kj::ArrayPtr<const kj::byte> bytes, kj::TimePoint deadline,
      kj::TimePoint now);
  kj::Maybe<LiveFrame> readFrame(StreamId stream, kj::TimePoint now);  // none: wait for FRAME
  const LiveCounts& live() const { return liveCounts; }
  void roundTrip(kj::Duration measured) { transit.roundTrip(measured); }

  bool atEnd(StreamId stream) const;  // the peer has finished and all is read
  bool isOpen(StreamId stream) const;
  Lane laneOf(StreamId stream) const { return streams.at(stream).lane; }
  kj::ArrayPtr<const kj::byte> headerOf(StreamId stream) const { return streams.at(stream).header; }

  // Whether a stream of a lane above bulk and below control is open: somebody waits for it.
  bool anyWaitedFor() const { return waitedFor > 0; }

  void addTo(Holdings& holdings) const;

  // The most urgent frame that may be sent now, or none. It refers to the stream's own bytes: seal or
  // copy it before anything else is asked of this machine. `bulkBytesMax`: of a chunk that is to go in a
  // BULK record; 0 where the link has none.
  kj::Maybe<OutFrame> next(kj::TimePoint now, size_t bulkBytesMax = 0);

  // Whether next() may have one.
  bool hasNext() const;

  // Takes a frame of the peer's, and says what it changed.
  // Errors (all end the link): BAD_FORMAT, LIMIT_EXCEEDED (credit, streams or header overdrawn).
  Result<Event> received(uint8_t type, kj::ArrayPtr<const kj::byte> body, kj::TimePoint now);

  // Takes a chunk that came in a BULK record. Errors: the same.
  Result<Event> receivedBulk(StreamId stream, uint64_t offset, kj::ArrayPtr<const kj::byte> bytes);

  // What the peer must know to go on over another carrier. From here on nothing that still comes over
  // the old one may be taken.
  LaneStates states();

  // Goes on where the peer is: call it before the first frame of the new carrier, and before next().
  // Gives the streams that the peer has reset meanwhile.
  // Errors (all end the link): INTEGRITY_FAILED when the two sides cannot have had one session.
  Result<std::vector<Event>> resume(const LaneStates& peer);

 private:
  using Stream = LaneStreamState;
  using Streams = std::map<StreamId, Stream>;

  StreamId nextId;
  StreamId peerParity;
  StreamId peerNewest = 0;
  Streams streams;
  size_t count[2] = {};  // of streams not yet at their end, by whether the peer opened them
  size_t waitedFor = 0;
  struct Reset {
    StreamId id;
    Errc code;
    Lane lane;
  };
  std::deque<Reset> resets;
  std::deque<StreamId> unopened;      // OPEN is yet to be sent, in the order of their numbers
  std::deque<StreamId> ready[LANES];  // that have a frame to send, perhaps; the first is next
  LiveCounts liveCounts;
  Transit transit;  // of the peer's frames

  bool isOurs(StreamId id) const { return id % 2 != peerParity; }
  bool mayOpen(bool byPeer) const;
  bool wasOpened(StreamId id) const;
  Stream& begin(StreamId id, Lane lane, kj::ArrayPtr<const kj::byte> header);
  Stream* find(StreamId id);
  const Stream* find(StreamId id) const;
  void forget(Streams::iterator stream);
  void settle(Streams::iterator stream);
  void wake(StreamId id, Stream& stream);

  OutFrame openFrame();
  OutFrame resetFrame();
  kj::Maybe<OutFrame> nextOf(Streams::iterator stream, kj::TimePoint now, size_t bulkBytesMax);
  kj::Maybe<OutFrame> takeFrame(
      StreamId id, Stream& stream, kj::TimePoint now, size_t bulkBytesMax);
  kj::Maybe<OutFrame> liveFrame(StreamId id, Stream& stream, kj::TimePoint now);
  OutFrame chunkFrame(StreamId id, Stream& stream, size_t bulkBytesMax);
  Result<Event> opened(FlatReader& in);
  Result<Event> streamBytes(FlatReader& in);
  Result<Event> chunk(StreamId id, Stream& stream, kj::ArrayPtr<const kj::byte> bytes);
  Result<Event> bulkEnded(FlatReader& in);
  Result<Event> credited(FlatReader& in);
  Result<Event> frame(FlatReader& in, kj::TimePoint now);
  Result<Event> frameCredited(FlatReader& in);
  Result<Event> finished(FlatReader& in);
  Result<Event> finishKnown(FlatReader& in);
  Result<Event> wasReset(FlatReader& in);
  Result<void> resumeKnown(Stream& stream, const StreamState& peer);
};

}  // namespace hearth::transport
