#pragma once
// The blobs that people put and name, as a person sees them: what there is in the circle, what of it is here, and how
// it comes here and goes. A blob is fetched by whoever gets or pins it; nobody pushes any (docs/adr/0094).

#include "devices/data/blob-keeping.h"
#include "devices/data/blob-names.h"
#include "devices/data/blob-put.h"

#include <kj/timer.h>

namespace hearth::devices {

class Blobs final: private kj::TaskSet::ErrorHandler {
 public:
  using Has = BlobNames::Has;

  // How long nobody who can be reached may have a blob before whoever asks for it is told so.
  static constexpr kj::Duration PATIENCE = 5 * kj::SECONDS;
  static constexpr size_t PUTS_MAX = 64;  // at a time
  static constexpr uint32_t GET_NEED = 1'000, PIN_NEED = 2'000;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    const CircleKeeper& keeper;
    BlobExchange& exchange;
    BlobStore::Surroundings store;
    storage::Documents& names;  // of namedBlobs()
  };
  explicit Blobs(Surroundings around);

  // Reads what is called how, and begins to follow it. Resolves when everything may be asked.
  kj::Promise<void> start();
  kj::Promise<void> ready() { return isReady.addBranch(); }

  struct View {
    std::string name;
    BlobRef ref;
    std::map<DeviceId, Has> holders;
    bool isHere = false, isPinned = false;
    kj::Maybe<uint64_t> received{};  // bytes, while it is fetched
  };
  kj::Promise<std::vector<View>> list();
  // By name or the beginning of a content id. Errors: those of BlobNames::find.
  kj::Promise<Result<View>> find(std::string wanted);

  // Errors: BAD_FORMAT for a name that no blob can have.
  Result<void> mayName(const std::string& name) { return names.mayName(name, nullptr); }

  // Begins to take a blob in, which is here until it is given up. Errors: EPOCH_UNKNOWN where this device may not
  // write; BUSY.
  using PutNumber = uint64_t;
  Result<PutNumber> beginToPut();
  BlobPut& put(PutNumber number) { return *puts.at(number); }
  void giveUp(PutNumber number) { puts.erase(number); }
  // Between cut() and the second time. Errors: QUOTA_EXCEEDED.
  kj::Promise<Result<void>> makeRoomFor(const BlobPut& put);
  // It is on disk, here to stay, and every device will know its name.
  // Errors: those of BlobPut::finish and of BlobNames::name; then there is nothing of it here that was not before.
  kj::Promise<Result<void>> finish(BlobPut& put, std::string name);

  // Resolves when all of it is here. Errors: UNKNOWN_PEER when no device that can be reached has it;
  // QUOTA_EXCEEDED; those of BlobKeeping::fetch.
  kj::Promise<Result<void>> fetch(BlobRef ref, uint32_t need = GET_NEED);
  // Of a blob that is here: at most BlobStore::READ_BYTES_MAX. Errors: those of BlobStore::read.
  kj::Promise<Result<crypto::Buffer>> read(BlobRef ref, uint64_t offset, size_t bytes);
  // The same of one that need not be here, and that is not kept then. Errors: those of both.
  kj::Promise<Result<crypto::Buffer>> readFromOthers(BlobRef ref, uint64_t offset, size_t bytes);

  // Fetches it, and keeps it whatever the room.
  kj::Promise<Result<void>> pin(BlobRef ref);
  kj::Promise<Result<void>> unpin(BlobRef ref);
  // All devices forget what is called so, and shred it.
  kj::Promise<Result<void>> remove(std::string name);

  // All that every device is to shred.
  kj::Promise<std::vector<ContentId>> removed();

  kj::Promise<storage::blobs::Usage> usage() { return store.usage(); }
  uint64_t room() const { return store.room(); }
  void setRoom(uint64_t bytes) { store.setRoom(bytes); }
  kj::Promise<void> pause(kj::Duration time) { return around.timer.afterDelay(time); }

  // How much of it has come, while it is fetched.
  kj::Maybe<uint64_t> received(const BlobRef& ref) const {
    return keeping.received(ref.contentId());
  }

 private:
  Surroundings around;
  BlobStore store;
  BlobKeeping keeping;
  BlobNames names;
  struct Fetching {
    kj::ForkedPromise<Result<void>> running;
    size_t users = 0;
  };
  std::map<ContentId, Fetching> fetching;
  std::map<PutNumber, kj::Own<BlobPut>> puts;
  PutNumber putsBegun = 0;
  std::map<ContentId, uint32_t> told;  // to the store: how many others keep it
  std::set<ContentId> shredded;        // of those that were removed
  kj::PromiseFulfillerPair<void> readiness = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> isReady = readiness.promise.fork();
  kj::TaskSet tasks;

  const DeviceId& self() const { return around.keeper.selfId(); }
  kj::Promise<View> viewOf(BlobNames::Named named);
  kj::Promise<Result<void>> fetchNow(BlobRef ref, uint32_t need);
  kj::Promise<Result<void>> orNobodyHas(ContentId content);
  kj::Promise<void> refer(ContentId content, bool pinned);
  kj::Promise<Result<void>> makeRoom(uint64_t bytes);
  Has after(const ContentId& content, Has wanted);
  kj::Promise<void> follow();
  kj::Promise<void> apply();
  uint32_t reliableOthers(const ContentId& content);
  kj::Promise<void> forgetUnnamed();
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices
