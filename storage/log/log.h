#pragma once
// The operation log of this device: every entry of every collection, its own and those of others. What is
// reported to be here is on disk; each author's entries are here without gaps, oldest first.

#include "core/entropy/entropy.h"
#include "core/time/hlc.h"
#include "storage/sql/store.h"
#include "storage/tables/entries.h"

#include <kj/time.h>

#include <set>

namespace hearth::storage {

// What an entry says, once it is opened: u8 kind | u64 target | var8 topic | bytes.
struct Content {
  static constexpr size_t TOPIC_BYTES_MAX = 255;

  entries::Label label;
  crypto::Buffer bytes;

  crypto::Buffer encode() const;
  // Errors: BAD_FORMAT.
  static Result<Content> decode(crypto::Bytes plain);
};

class Log final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t COLLECTIONS_MAX = 4'096;

  // The circle that the log belongs to.
  class Circle {
   public:
    virtual const DeviceId& self() const = 0;
    virtual const crypto::SignSecret& signSecret() const = 0;
    // Of a device that is or was of the circle.
    virtual kj::Maybe<crypto::SignPublic> signerOf(const DeviceId& author) const = 0;
    // None: this device may not write, or can read nothing.
    virtual kj::Maybe<EpochId> epochToWriteIn() const = 0;
    virtual kj::Maybe<crypto::CollectionKey> keyOf(
        const EpochId& epoch, const crypto::CollectionId& collection) const = 0;
  };

  // An entry that has come to the disk.
  struct Stored {
    const EntryHead& head;
    const Digest& hash;
    const DeviceId& from;  // the peer that brought it, or this device; zero: it is read again
    int64_t place;         // among all entries, in the order in which they came
    kj::Maybe<const Content&> content;  // none: it cannot be read here
  };

  // Whoever follows the log. Told of each entry once it is on disk, in the order of each author.
  class Follower {
   public:
    virtual void stored(const Stored& entry) = 0;
  };

  // All outlive the log.
  struct Surroundings {
    const kj::Clock& clock;
    Entropy& entropy;
    Store& store;
    Circle& circle;
  };
  explicit Log(Surroundings around): around(around), tasks(*this) {}

  void follow(Follower& follower) { followers.push_back(&follower); }

  // Reads what the disk holds. Nothing else may be asked before.
  // Errors: INTEGRITY_FAILED.
  kj::Promise<Result<void>> load();

  // Writes an entry of this device; resolves when it is on disk, and throws when the disk refuses it.
  // Errors: EPOCH_UNKNOWN for a device that holds no key; ROLLBACK while own entries are missing.
  kj::Promise<Result<void>> append(crypto::CollectionId collection, Content content);

  // Takes an entry that `from` has brought; resolves with whether it was new when it is on disk.
  // Errors: those of Entry; UNKNOWN_PEER for the entry of a stranger; STALE when one before it is missing;
  // EQUIVOCATION when its author has written another one in its place;
  // BAD_FORMAT when it is older than the one before;
  // LIMIT_EXCEEDED for one collection too many.
  kj::Promise<Result<bool>> take(crypto::Buffer envelope, DeviceId from);

  // Opens what could not be read before: keys have come.
  kj::Promise<void> readAgain();

  // How far this device itself has come, where it wrote last first. What is on disk.
  struct OwnHead {
    crypto::CollectionId collection;
    entries::Head head;
  };
  std::vector<OwnHead> ownHeads() const;
  // So far it had come once, as somebody else remembers: what is gone of that is awaited from others, and nothing
  // is appended to the collection meanwhile.
  void hadOnce(const crypto::CollectionId& collection, uint64_t entries);
  // Entries of this device that are gone.
  size_t ownMissing() const;

  std::vector<crypto::CollectionId> collections() const;
  // What is on disk of a collection. Stays where it is.
  const ItemSet& items(const crypto::CollectionId& collection) const;

  // The content of an entry that lies on this disk; none where it cannot be read.
  kj::Maybe<Content> contentOf(const Entry& entry) const;

 private:
  struct Collection {
    ItemSet items;
    std::map<Digest, kj::ForkedPromise<void>> underWay;  // to the disk
    // Before an author's newest, or of this device behind it.
    std::set<std::pair<DeviceId, uint64_t>> missing;
  };

  // How far an author has come in a collection, and when that was by its clock.
  struct Reached {
    entries::Head head;
    uint64_t time = 0;
  };

  Surroundings around;
  std::vector<Follower*> followers;
  std::map<crypto::CollectionId, Collection> all;
  std::map<entries::HeadKey, Reached> accepted;  // with what is on its way to the disk
  std::map<entries::HeadKey, Reached> durable;
  Hlc clock;
  kj::TaskSet tasks;

  bool lacksOwn(const crypto::CollectionId& collection) const;
  Result<void> follows(const Entry& entry, const Collection& in) const;
  kj::Promise<void> write(Entry entry, kj::Maybe<Content> content, DeviceId from);
  kj::Promise<void> writeNow(Entry entry, kj::Maybe<Content> content, DeviceId from);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::storage
