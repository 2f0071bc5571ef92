#pragma once
// Keeps this device's operation log in step with one peer's, over one stream: first both find out what each of
// them lacks of every collection, then each says what is new. What was written here is delivered at once, what
// others wrote is offered, for the peer may have it from them.

#include "core/trace/trace.h"
#include "devices/data/sync-message.h"
#include "storage/log/log.h"
#include "transport/link/lane-stream.h"
#include "transport/link/links.h"

#include <kj/timer.h>

#include <set>

namespace hearth::devices {

class SyncSession final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t BATCH_BYTES = 256 << 10;  // of entries that are read from disk at a time
  static constexpr size_t TAKING_BYTES_MAX = 8 << 20;  // of entries on their way to this disk
  static constexpr size_t TAKING_MAX = 256;
  // What waits to be written; a peer that makes this device answer and does not read is hung up on.
  static constexpr size_t OUT_BYTES_MAX = 32 << 20;
  static constexpr size_t OFFERED_MAX = 4'096;  // of the peer's, that this device still lacks
  // When entries have come before what they follow, the collection is compared anew, but not without end.
  static constexpr kj::Duration COMPARE_AGAIN_AFTER = 1 * kj::SECONDS;
  // An entry whose author has a link to this device is awaited from there.
  static constexpr kj::Duration FROM_AUTHOR_WITHIN = 1 * kj::SECONDS;

  // All outlive the session.
  struct Surroundings {
    kj::Timer& timer;
    Trace& trace;
    Entropy& entropy;
    storage::Store& store;
    storage::Log& log;
    transport::Links& links;
    DeviceId self;
  };

  // `opener`: this side opened the stream.
  SyncSession(
      Surroundings around, const DeviceId& peer, bool opener, kj::Own<kj::AsyncIoStream> stream);

  // Ends with the stream.
  // Errors: of a peer that breaks the rules.
  kj::Promise<Result<void>> run();

  // An entry has come to this disk.
  void stored(const storage::Log::Stored& entry);

  // Nothing is under way, and each has told the other all that it has.
  bool isInStep() const;
  size_t holds() const { return asked.size() + offered.size(); }

 private:
  using CollectionId = crypto::CollectionId;
  using Name = storage::ItemName;

  // Of one collection.
  struct Comparison {
    kj::Maybe<storage::Reconciler> machine;
    bool isOver = false;     // what the peer lacks is known
    std::set<Name> lacking;  // at the peer, to be delivered in order
    bool isAskedAgain = false;
  };

  Surroundings around;
  DeviceId peer;
  bool opener;
  kj::Own<kj::AsyncIoStream> stream;
  SyncNonce own;
  kj::Maybe<storage::ReconcileSalt> salt;  // none before the peer's HELLO
  std::map<CollectionId, Comparison> comparisons;
  std::set<std::pair<CollectionId, Name>> asked;    // by WANT of the peer
  std::set<std::pair<CollectionId, Name>> offered;  // by HAVE of the peer, and not here yet
  std::vector<crypto::Buffer> out;                  // messages to be written
  size_t outBytes = 0;
  transport::Bell toSay, roomToTake;
  size_t taking = 0, takingBytes = 0;
  kj::PromiseFulfillerPair<Result<void>> end = kj::newPromiseAndFulfiller<Result<void>>();
  kj::TaskSet tasks;

  void say(const sync::Message& message);
  kj::Promise<Result<void>> speak();
  kj::Promise<Result<void>> listen();
  Result<void> received(sync::Hello& hello);
  Result<void> received(sync::Compare& compare);
  Result<void> received(sync::Compared& compared);
  Result<void> received(sync::Deliver& deliver);
  Result<void> received(sync::Have& have);
  Result<void> received(sync::Want& want);
  void begin(const CollectionId& collection);
  kj::Promise<void> compareAgain(CollectionId collection);
  kj::Promise<void> askUnlessItComes(sync::Name name);
  kj::Promise<void> take(crypto::Buffer envelope);
  bool hasToDeliver() const;
  kj::Promise<void> deliverSome();
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices
