#pragma once
// The streams of one link, sorted into lanes of strict priority, with credit for each stream
// (docs/PROTOCOL.md, "Lanes"). A pure machine: frames in, frames out.
//
//   control (RPC, membership) > live (frames with deadlines) > interactive (job streams) > bulk
//
// Small writes to one stream are coalesced into one frame; within a lane the streams take turns.

#include "core/base/flat.h"
#include "core/base/holding.h"
#include "core/base/result.h"

#include <deque>
#include <map>
#include <vector>

namespace hearth::transport {

enum class Lane : uint8_t { CONTROL = 0, LIVE = 1, INTERACTIVE = 2, BULK = 3 };
constexpr size_t LANES = 4;

using StreamId = uint32_t;

// Frame types of the lanes inside DATA records; lower numbers belong to the link itself.
enum class LaneFrame : uint8_t {
  STREAM = 4,  // u32 id | bytes
  OPEN = 8,    // u32 id | u8 lane | u32 credit | var16 header
  CREDIT = 9,  // u32 id | u32 bytes more
  FIN = 10,    // u32 id
  RESET = 11,  // u32 id | u16 errc
};

class Lanes final {
 public:
  static constexpr size_t STREAMS_MAX = 1'024;
  static constexpr size_t HEADER_BYTES_MAX = 1'024;
  // What a peer may send on a stream before it is granted more: one round trip of 1 Gbit/s at 2 ms.
  static constexpr uint32_t WINDOW_BYTES = 256 << 10;
  static constexpr size_t QUEUE_BYTES_MAX = 256 << 10;  // written and not yet sent, per stream
  static constexpr size_t CHUNK_BYTES_MAX = 16 << 10;   // of one STREAM frame
  // OPEN and RESET frames that wait to be sent: past it no stream is opened, by neither side.
  static constexpr size_t URGENT_MAX = 2 * STREAMS_MAX;

  struct OutFrame {
    LaneFrame type;
    Lane lane;
    kj::Array<kj::byte> body;
  };

  // What a received frame changed, for the caller to act on.
  struct Event {
    enum class Kind : uint8_t { OPENED, READABLE, WRITABLE, ENDED, RESET };
    Kind kind;
    StreamId stream;
  };

  // The initiator of the link opens streams of odd numbers, the responder of even ones.
  explicit Lanes(bool initiator): nextId(initiator ? 1 : 2), peerParity(initiator ? 0 : 1) {}

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
  bool atEnd(StreamId stream) const;  // the peer has finished and all is read
  bool isOpen(StreamId stream) const { return streams.contains(stream); }
  Lane laneOf(StreamId stream) const { return streams.at(stream).lane; }
  kj::ArrayPtr<const kj::byte> headerOf(StreamId stream) const { return streams.at(stream).header; }

  // Whether a stream of a lane above bulk and below control is open: somebody waits for it.
  bool anyWaitedFor() const;

  void addTo(Holdings& holdings) const;

  // The most urgent frame that may be sent now, or none.
  kj::Maybe<OutFrame> next();

  // Takes a frame of the peer's.
  // Errors (all end the link): BAD_FORMAT, LIMIT_EXCEEDED (credit, streams or header overdrawn).
  Result<std::vector<Event>> received(uint8_t type, kj::ArrayPtr<const kj::byte> body);

 private:
  struct Stream {
    Lane lane = Lane::CONTROL;
    kj::Array<kj::byte> header;
    std::deque<kj::byte> unsent;
    std::deque<kj::byte> unread;
    uint64_t credit = 0;      // bytes that may be sent
    uint64_t peerCredit = 0;  // bytes that the peer may send
    uint32_t owed = 0;        // bytes read here and not yet granted again
    bool finishing = false, finSent = false, finReceived = false;
    bool released = false;
  };

  StreamId nextId;
  StreamId peerParity;
  StreamId peerNewest = 0;
  std::map<StreamId, Stream> streams;
  std::deque<OutFrame> urgent;  // OPEN, in the order of their numbers, and RESET
  StreamId lastServed[LANES] = {};

  kj::Maybe<OutFrame> nextOf(StreamId id, Stream& stream);
  OutFrame chunkFrame(StreamId id, Stream& stream);
  Result<std::vector<Event>> opened(FlatReader& in);
  Result<std::vector<Event>> streamBytes(FlatReader& in);
  Result<std::vector<Event>> credited(FlatReader& in);
  Result<std::vector<Event>> finished(FlatReader& in);
  Result<std::vector<Event>> wasReset(FlatReader& in);
  bool wasOpened(StreamId id) const;
  bool mayOpen() const { return streams.size() < STREAMS_MAX && urgent.size() < URGENT_MAX; }
  void forgetIfReleased(StreamId id);
};

}  // namespace hearth::transport
