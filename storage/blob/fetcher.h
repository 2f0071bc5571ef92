#pragma once
// The side that wants blobs: asks every peer that is there, each for as much as it delivers in a quarter of a second,
// what is needed first, and verifies each part when it arrives. A pure machine: events and times in, effects out.
//
//   a part is  to do -> asked of one peer -> here
//                ^            |
//                +------------+  the peer lacks it, is busy, stalls or goes away, or has sent something else
//
// Whoever sends other bytes than the tree says has lied, is named and not asked again. Where the author of a tree
// has made it wrong, the blob has failed, whoever sent it. What is here already is told by Holdings, so that a
// fetch that was cut or begins anew after a restart asks for what is missing and nothing else.

#include "storage/blob/messages.h"

#include <kj/time.h>

#include <deque>
#include <map>
#include <set>

namespace hearth::storage {

// What of a wanted blob is here.
class Holdings {
 public:
  virtual kj::Maybe<crypto::Buffer> node(const Digest& hash) = 0;
  virtual bool hasChunk(const ContentId& content, uint64_t offset, const Child& chunk) = 0;
};

class BlobFetcher final {
 public:
  using PeerNumber = uint32_t;  // chosen by the caller, for as long as a peer is here
  using Time = kj::TimePoint;

  static constexpr size_t WANTED_MAX = 65'536, PEERS_MAX = 64;
  static constexpr uint64_t WINDOW_LEAST = 64 << 10,
                            WINDOW_MOST = 16 << 20;              // bytes asked of a peer
  static constexpr kj::Duration WORTH = 250 * kj::MILLISECONDS;  // what it delivers in that time
  // Without a part, while some are asked: this, and as long as what is asked takes at the rate that was seen.
  static constexpr kj::Duration STALL = 3 * kj::SECONDS;
  static constexpr uint64_t RATE_LEAST = 16
      << 10;  // bytes a second, of the slowest peer that is waited for
  static constexpr kj::Duration PATIENCE = 30 * kj::SECONDS;  // for one part, while others come
  static constexpr kj::Duration PAUSE_LEAST = 2 * kj::SECONDS,
                                PAUSE_MOST = 60 * kj::SECONDS;  // after it
  static constexpr kj::Duration LACKS_FOR =
      30 * kj::SECONDS;  // a peer that lacked some of a blob is asked again
  static constexpr kj::Duration BUSY_FOR = 200 * kj::MILLISECONDS;

  struct Range {
    uint64_t begin = 0, end = BLOB_BYTES_MAX;

    bool operator==(const Range&) const = default;
  };

  struct Sent {
    PeerNumber peer;
    crypto::Buffer message;
  };
  struct Here {
    ContentId content;
    uint8_t level;  // 0: a chunk
    uint64_t offset;
    Child part;
    crypto::Buffer bytes;
  };
  struct Lied {
    PeerNumber peer;
    Error error;
  };
  struct Ended {
    ContentId content;
    Result<void> how;  // done; or failed, as its author has made it
  };
  // In the order in which they are to be carried out: parts are kept before their blob is done.
  struct Effects {
    std::vector<Sent> send;
    std::vector<Here> here;
    std::vector<Lied> lied;
    std::vector<Ended> ended;
  };

  // The holdings outlive the fetcher.
  explicit BlobFetcher(Holdings& holdings): holdings(holdings) {}

  // Events. Effects are collected until they are taken.

  // Lower needs first, among equal ones who came first. Of a blob that is wanted already need and range change.
  // Errors: LIMIT_EXCEEDED.
  Result<void> want(const BlobRef& ref, uint32_t need, Range range, Time now);
  void forget(const ContentId& content);

  void peerHere(PeerNumber peer, Time now);  // more than PEERS_MAX are not asked
  void peerGone(PeerNumber peer, Time now);
  // It has got more of a blob than it had when it said that it lacks some.
  void peerHas(PeerNumber peer, const ContentId& content, Time now);

  void received(PeerNumber peer, crypto::Bytes message, Time now);
  void tick(Time now);

  Effects take();
  // When tick() shall be called, if nothing happens before.
  kj::Maybe<Time> next() const;

  // Blobs that every peer that is here lacks; when there is none, all that is wanted.
  std::vector<ContentId> stuck() const;
  size_t wanted() const { return blobs.size(); }

 private:
  using Rank = std::pair<uint32_t, uint64_t>;  // need, and who came first

  struct Part {
    Expected expected;
    uint64_t offset;
  };
  struct Blob {
    ContentId content;
    Range range;
    std::deque<Part> todo;  // in order of their offsets
    size_t asked = 0;
    std::map<PeerNumber, Time> lackedBy;
  };
  struct Asked {
    Rank blob;
    Part part;
    Time since;
  };
  struct Peer {
    std::map<uint32_t, Asked> asked;  // by ticket
    uint64_t askedBytes = 0;
    double bytesPerSecond = 0;
    uint64_t arrivedBytes = 0;  // since `countedAt`
    Time countedAt = kj::origin<Time>(), heardAt = kj::origin<Time>();
    Time notBefore = kj::origin<Time>();  // stalled, or busy
    kj::Duration pause = PAUSE_LEAST;
    Rank from{};  // there is nothing to be asked of it before
    bool liar = false;
  };

  Holdings& holdings;
  std::map<Rank, Blob> blobs;
  std::map<ContentId, Rank> ranks;
  std::set<Rank> ready;  // blobs that have something to do
  std::map<PeerNumber, Peer> peers;
  uint64_t wants = 0;
  uint32_t tickets = 0;
  Effects effects;

  void add(Blob& blob, const std::vector<Part>& parts);
  void missing(const Blob& blob, const Part& part, std::vector<Part>& found);
  void below(const Blob& blob, const Part& part, const BlobNode& node, std::vector<Part>& found);
  bool settle(const Rank& rank, Blob& blob);
  void end(const Rank& rank, Result<void> how);
  void giveBack(Peer& peer, std::map<uint32_t, Asked>::iterator asked);
  void giveBackAll(Peer& peer);
  void arrived(PeerNumber number, Peer& peer, const GiveParts::Part& part, Time now);
  Result<std::vector<Part>> verified(const Blob& blob, const Part& part, crypto::Bytes bytes);
  void lacks(PeerNumber number, Peer& peer, uint32_t ticket, Time now);
  void lied(PeerNumber number, Peer& peer, Error error);
  void measure(Peer& peer, size_t bytes, Time now);
  static uint64_t window(const Peer& peer);
  static Time stalls(const Peer& peer);
  void askAll(Time now);
  AskParts askOf(PeerNumber number, Peer& peer, Time now);
  void reopen(const Rank& rank);
};

}  // namespace hearth::storage
