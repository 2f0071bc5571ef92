#pragma once
// The side that wants blobs: asks every peer that is there, each for as much as it delivers in a quarter of a second,
// what is needed first, and verifies each part when it arrives. A pure machine: events and times in, effects out.
//
//   a part is  to do -> asked of one peer -> here
//                ^            |
//                +------------+  the peer lacks it, is busy, stalls or goes away, or has sent something else
//
// Whoever sends other bytes than the tree says has lied, is named and not asked again. Where the author of a tree
// has made it wrong, the blob has failed, whoever sent it. Before a part is to do, it is looked whether it is here
// already, so that a fetch that was cut or begins anew after a restart asks for what is missing and nothing else.

#include "storage/blob/messages.h"

#include <kj/time.h>

#include <deque>
#include <map>
#include <set>

namespace hearth::storage {

class BlobFetcher final {
 public:
  using PeerNumber = uint32_t;  // chosen by the caller, for as long as a peer is here
  using Time = kj::TimePoint;

  // How much peers may be asked for, beside what they deliver. When it becomes more than was said, take() is called.
  class Allowance {
   public:
    struct Left {
      uint64_t bytes = UINT64_MAX;  // now; of a part that is begun all is asked for
      kj::Maybe<Time>
          again{};  // where there are none: when there will be some; none: it is not known
    };
    virtual Left left(PeerNumber peer, Time now) = 0;
    virtual void asked(PeerNumber peer, uint64_t bytes, Time now) = 0;
  };

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
  // A peer that lacked some of a blob is asked again for some of that one, each time after twice as long.
  static constexpr kj::Duration LACKS_LEAST = 30 * kj::SECONDS, LACKS_MOST = 1 * kj::HOURS;
  static constexpr kj::Duration BUSY_FOR = 200 * kj::MILLISECONDS;

  struct Range {
    uint64_t begin = 0, end = BLOB_BYTES_MAX;

    bool operator==(const Range&) const = default;
  };

  // Chunks are not asked for further than this behind the first that is missing: whoever keeps them in order needs
  // no more room.
  static constexpr uint64_t AHEAD_MAX = 32 << 20;

  // Whether a part is here: to be answered by looked().
  struct Look {
    uint64_t number;
    ContentId content;
    uint8_t level;  // 0: a chunk
    uint64_t offset;
    Child part;
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
    std::vector<Look> look;
    std::vector<Sent> send;
    std::vector<Here> here;
    std::vector<Lied> lied;
    std::vector<Ended> ended;
  };

  BlobFetcher() = default;
  explicit BlobFetcher(Allowance& allowance): allowance(allowance) {}  // which outlives it

  // Events. Effects are collected until they are taken.

  // Lower needs first, among equal ones who came first. Of a blob that is wanted already need and range change.
  // Errors: LIMIT_EXCEEDED.
  Result<void> want(const BlobRef& ref, uint32_t need, Range range);
  void forget(const ContentId& content);

  void peerHere(PeerNumber peer, Time now);  // more than PEERS_MAX are not asked
  void peerGone(PeerNumber peer);
  // It has got more of a blob than it had when it said that it lacks some.
  void peerHas(PeerNumber peer, const ContentId& content);

  // The answer to a Look: of a node that is here its bytes, of a chunk none; nothing for what is not here.
  void looked(uint64_t number, kj::Maybe<crypto::Bytes> here);
  void received(PeerNumber peer, crypto::Bytes message, Time now);
  void tick(Time now);
  // Until now nothing was read of what peers may have sent: their silence says nothing of them.
  void didNotListen(Time now);

  // Asks peers for as much as they deliver, and gives all that is to be done.
  Effects take(Time now);
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
  // What a peer has said that it lacks.
  struct Lacking {
    Time until = kj::origin<Time>();  // it is not asked for it
    kj::Duration pause = LACKS_LEAST / 2;
  };
  struct Blob {
    ContentId content;
    Range range;
    std::deque<Part> todo;           // in order of their offsets
    std::multiset<uint64_t> waited;  // offsets of what is asked for and what is looked for
    size_t asked = 0;                // parts that peers are asked for
    std::map<PeerNumber, Lacking> lackedBy;
  };
  struct Asked {
    Rank blob;
    Part part;
    Time since;

    uint64_t weight() const;  // what it puts in flight, in bytes
  };
  struct Peer {
    std::map<uint32_t, Asked> asked;  // by ticket
    uint64_t askedBytes = 0;
    double bytesPerSecond = 0;
    uint64_t arrivedBytes = 0;  // since `countedAt`
    Time countedAt = kj::origin<Time>(), heardAt = kj::origin<Time>();
    Time notBefore = kj::origin<Time>();  // stalled, or busy
    kj::Maybe<Time> heldUntil;            // it may be asked for more then
    kj::Duration pause = PAUSE_LEAST;
    Rank from{};  // there is nothing to be asked of it before
    bool liar = false;
  };

  kj::Maybe<Allowance&> allowance;
  std::map<Rank, Blob> blobs;
  std::map<ContentId, Rank> ranks;
  std::set<Rank> ready;  // blobs that have something to do
  std::map<PeerNumber, Peer> peers;
  std::map<uint64_t, std::pair<Rank, Part>> looks;  // that are not answered, by number
  std::multimap<Time, std::pair<Rank, PeerNumber>> lackEnds;
  uint64_t wants = 0, looksMade = 0;
  uint32_t tickets = 0;
  Effects effects;

  void look(const Rank& rank, Blob& blob, const Part& part);
  void lookBelow(const Rank& rank, Blob& blob, const Part& part, const BlobNode& node);
  static void add(Blob& blob, const Part& part);
  void settle(const Rank& rank, Blob& blob);
  void end(const Rank& rank, Result<void> how);
  void giveBack(Peer& peer, std::map<uint32_t, Asked>::iterator asked);
  void giveBackAll(Peer& peer);
  void arrived(PeerNumber number, Peer& peer, const GiveParts::Part& part, Time now);
  void lacks(PeerNumber number, Peer& peer, uint32_t ticket, Time now);
  void lied(PeerNumber number, Peer& peer, Error error);
  static void measure(Peer& peer, size_t bytes, Time now);
  static void beginToAsk(Peer& peer, Time now);
  static uint64_t window(const Peer& peer);
  static Time stalls(const Peer& peer);
  static bool isLackedBy(const Blob& blob, PeerNumber peer, Time now);
  static bool isTooFarAhead(const Blob& blob);
  void askAll(Time now);
  AskParts askOf(PeerNumber number, Peer& peer, Time now);
  void reopen(const Rank& rank);
};

}  // namespace hearth::storage
