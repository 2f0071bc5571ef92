#pragma once
// Blobs between this device and all others that there are links to: one stream to each (blob-session.h), one fetcher
// for all that is wanted here (storage/blob/fetcher.h), and answers from every place where blobs are
// (blob-place.h).

#include "core/trace/trace.h"
#include "devices/data/blob-session.h"
#include "devices/data/bulk-gate.h"
#include "devices/data/peer-streams.h"
#include "storage/blob/fetcher.h"

namespace hearth::devices {

// First byte of a lane stream's header: what the stream is for.
constexpr kj::byte STREAM_KIND_BLOBS = 7;

class BlobExchange final: public BlobFetching,
                          private BlobSession::Host,
                          private BulkGate::User,
                          private storage::BlobFetcher::Allowance {
 public:
  // Of parts that have come and that no target has kept yet. With more, nothing is read from peers.
  static constexpr uint64_t UNKEPT_BYTES_MAX = 16 << 20;

  // Who may have what.
  class Readers {
   public:
    // Whether the device has a part in blobs at all: it may be asked and it gets answers.
    virtual bool readsBlobs(const DeviceId& device) const = 0;
    virtual bool mayRead(const DeviceId& device, const crypto::CollectionId& collection) const = 0;
  };

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    Trace& trace;
    transport::Links& links;
    const Readers& readers;
    BulkGate& gate;
    DeviceId self;
  };
  explicit BlobExchange(Surroundings around);
  ~BlobExchange() noexcept(false);

  // Peers are answered from there as well. The place outlives this object.
  void add(BlobPlace& place) { places.push_back(&place); }

  // Parts of blobs as this device has them: of the first of `asked`, as many as come to `mostBytes`, at least one.
  kj::Promise<BlobPlace::Answers> ownParts(std::vector<storage::AskedPart> asked, size_t mostBytes);

  // Where this device looks for what no device has that it can reach: asked as if it were one more of them, by messages
  // (storage/blob/messages.h), while it is open.
  class Reserve {
   public:
    virtual void ask(crypto::Buffer message) = 0;
    // Something is wanted that was not.
    virtual void wanted() = 0;
    // Whether it is just bringing the blob: nobody needs to despair of it.
    virtual bool isBringing(const ContentId& content) const = 0;
    // Where it should be found, and was found missing or changed: INTEGRITY_FAILED or ROLLBACK.
    virtual kj::Maybe<Errc> whyNot(const ContentId& content) const = 0;
  };
  void setReserve(kj::Maybe<Reserve&> brings) { reserve = brings; }
  void openReserve() { beginToAsk(DeviceId()); }
  void closeReserve() { peerGone(DeviceId()); }
  void reserveAnswers(crypto::Buffer message);
  void reserveHas(const ContentId& content) { peerHas(DeviceId(), content); }
  // Of what is wanted, all that nobody has who is asked.
  std::vector<BlobRef> stuck() const;
  kj::Maybe<Errc> whyNot(const ContentId& content) const {
    KJ_IF_MAYBE(brings, reserve) return brings->whyNot(content);
    return nullptr;
  }
  bool isFetching(const ContentId& content) const { return active.contains(content); }

  // There is a session with the peer, or no more.
  void peerUp(const DeviceId& peer) { streams.peerUp(peer); }
  void peerDown(const DeviceId& peer) { streams.peerDown(peer); }
  void incoming(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream) {
    streams.incoming(peer, kj::mv(stream));
  }

  // No promise of it outlives this object. No target drops one while it is called.
  kj::Promise<Result<void>> fetch(BlobRef ref, Wish wish, BlobTarget& target) override;
  void peerHas(const DeviceId& peer, const ContentId& content) override;
  void isHere(const crypto::CollectionId& collection, const ContentId& content) override;
  bool isStuck(const ContentId& content) const override;
  kj::Maybe<std::string> whyResting() const override { return around.gate.whyResting(); }
  size_t fetching() const { return active.size(); }
  // Devices that have sent other bytes than they should: they are not asked again while this device runs.
  const std::map<DeviceId, Error>& liars() const { return lied; }

 private:
  using Machine = storage::BlobFetcher;
  using Fulfiller = kj::Own<kj::PromiseFulfiller<Result<void>>>;

  struct Fetch {
    uint64_t number;
    BlobRef ref;
    Wish wish;
    BlobTarget* target;
    Fulfiller fulfiller;
    size_t unkept = 0;                // parts on their way to the target
    kj::Maybe<Result<void>> ended{};  // all has come
    kj::Maybe<kj::Exception> failed{};
  };
  struct Coming {
    uint64_t fetch;  // its number
    BlobTarget::Arrived arrived;
  };
  struct Target {
    size_t fetches = 0;
    std::vector<Machine::Look> toLook;
    std::vector<Coming> toKeep;
    uint64_t keepingBytes = 0;  // that it is keeping just now
    bool isLooking = false, isKeeping = false;
    kj::Promise<void> looking = nullptr, keeping = nullptr;
  };

  Surroundings around;
  std::vector<BlobPlace*> places;
  Machine fetcher{static_cast<Machine::Allowance&>(*this)};
  std::map<DeviceId, Machine::PeerNumber> numbers;
  std::map<Machine::PeerNumber, DeviceId> peers;
  std::map<DeviceId, Error> lied;
  std::map<ContentId, Fetch> active;
  std::map<ContentId, std::deque<Fetch>> waiting;  // for the end of another one of the same blob
  std::map<BlobTarget*, Target> targets;
  std::vector<ContentId> settled;  // perhaps: to be looked at
  uint64_t unkeptBytes = 0, fetches = 0;
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> waitingForRoom;
  uint32_t nextNumber = 1;
  bool isPoked = false, hasRested = false;
  transport::Bell poked;
  PeerStreams<BlobSession> streams;
  kj::Maybe<Reserve&> reserve;  // whose device is called zero
  kj::Promise<void> ticking = nullptr;
  kj::Promise<void> driving;

  void peerHere(const DeviceId& peer);
  void beginToAsk(const DeviceId& peer);
  void ask(const DeviceId& peer, crypto::Buffer message);
  void peerGone(const DeviceId& peer);
  void begin(Fetch fetch);
  void cancel(const ContentId& content, uint64_t number);
  void drop(const ContentId& content);
  void poke();
  kj::Promise<void> drive();
  void driveOnce();
  void carryOut(Machine::Effects effects);
  void sortOut(std::vector<Machine::Here> here);
  void nameLiar(const Machine::Lied& liar);
  void settle(const ContentId& content);
  void serveTargets();
  kj::Promise<void> look(BlobTarget& target);
  kj::Promise<void> keep(BlobTarget& target);
  bool isActive(const ContentId& content, uint64_t number) const;
  void fail(const std::vector<ContentId>& contents, kj::Maybe<kj::Exception> why);

  kj::Promise<void> answered(const DeviceId& peer, crypto::Buffer message) override;
  kj::Promise<kj::Vector<kj::Maybe<crypto::Buffer>>> lookUp(
      const DeviceId& peer, std::vector<storage::AskedPart> asked, size_t mostBytes) override;
  kj::Maybe<kj::Promise<void>> holdsBack(const DeviceId& peer) override;
  void gave(const DeviceId& peer, size_t bytes) override;
  void gateChanged() override;
  bool isWaiting() const override;
  Left left(Machine::PeerNumber peer, Machine::Time now) override;
  void asked(Machine::PeerNumber peer, uint64_t bytes, Machine::Time now) override;
};

}  // namespace hearth::devices
