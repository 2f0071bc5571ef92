#pragma once
// One document in memory, as the operation log has it and a little ahead of it: what this device changes is here
// at once and counts once it is on disk. Changes that come while the disk is busy are one entry.

#include "storage/crdt/draft.h"
#include "storage/log/log.h"

#include <kj/function.h>

namespace hearth::storage {

class LiveDocument final: private kj::TaskSet::ErrorHandler {
 public:
  // What an entry of the log is to a document.
  enum class Kind : uint8_t { CHANGE = 1, UNDO = 2, REDO = 3 };

  // With so much of it written since, a document is written down whole, so that it is read from there.
  static constexpr size_t TAIL_BYTES_MAX = 256 << 10;
  static constexpr size_t TAIL_ENTRIES_MAX = 256;
  // Of changes that build on what has not come yet; more are read from the log once something has come.
  static constexpr size_t WAITING_BYTES_MAX = 16 << 20;

  // All outlive the document.
  struct Surroundings {
    const kj::Clock& clock;
    Store& store;
    Log& log;
    Log::Circle& circle;
  };
  LiveDocument(Surroundings around, const crypto::CollectionId& collection, std::string name);
  ~LiveDocument() noexcept(false);

  const std::string& name() const { return name_; }
  // To be read.
  Document& document() { return document_; }
  // Everything that was changed is on disk, and nothing is under way.
  bool isQuiet() const { return !isWriting && waiters.empty(); }

  // It has been read from the log. Throws when that failed.
  kj::Promise<void> ready() { return ready_.addBranch(); }
  bool hasFailed() const { return failed; }

  // An entry of this document has come to the disk.
  void arrived(const Log::Stored& entry);

  // See Documents::Open.
  kj::Promise<Result<void>> change(kj::Function<Result<void>(Draft&)> make);
  kj::Promise<Result<bool>> undo() { return takeBack(Kind::UNDO); }
  kj::Promise<Result<bool>> redo() { return takeBack(Kind::REDO); }
  kj::Promise<void> changed() { return change_.addBranch(); }

 private:
  // A bundle, and who has signed for it; nobody where this device has written it down itself.
  struct Part {
    crypto::Buffer bytes;
    kj::Maybe<DeviceId> author;
    kj::Maybe<EventName> lacks;  // an event that it builds on and that is not here
  };
  using Waiter = kj::Own<kj::PromiseFulfiller<Result<void>>>;

  Surroundings around;
  crypto::CollectionId collection;
  std::string name_;
  Document document_;
  Version durable;            // of the document: what is on disk of it
  std::vector<Part> waiting;  // that build on what is not here
  size_t waitingBytes = 0;
  bool hasDropped = false;  // some for which there was no room
  int64_t upto = 0;         // place of the newest entry that has come
  size_t tailBytes = 0, tailEntries = 0;
  bool isLoading = false, failed = false;
  std::vector<Part> meanwhile;  // that came while it was loading
  bool isWriting = false;
  std::vector<Waiter> waiters;   // for what is not on disk
  kj::ForkedPromise<void> turn;  // of taking back, which is an entry of its own
  kj::PromiseFulfillerPair<void> next = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> change_ = next.promise.fork();
  kj::ForkedPromise<void> ready_;
  kj::TaskSet tasks;

  void tellChanged();
  void take(Part part);
  bool tryTake(Part& part);
  void takeWaiting();
  void isOnDisk(const Version& version);
  kj::Promise<void> load();
  void loadAgain() { ready_ = load().fork(); }
  kj::Promise<void> read();
  kj::Promise<Result<void>> written();
  kj::Promise<void> writeAll();
  kj::Promise<Result<void>> writeOnce(Kind kind, uint64_t target);
  void considerSnapshot();
  kj::Promise<Result<bool>> takeBack(Kind kind);
  kj::Promise<Result<bool>> takeBackNow(Kind kind);
  Result<void> invert(const Content& content);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::storage
