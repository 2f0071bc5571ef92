#pragma once
// What no device has that can be reached comes from a VAULT: the whole sealed file, checked against what its writer has
// signed, before any of it is believed; then this device answers itself for the parts of the blob, as a peer would.
//
//   nobody has it ─▶ fetched to a file of its own ─▶ size and hash as signed ─▶ opened, cut: its reference ─▶ parts

#include "devices/vault/vault-download.h"
#include "devices/vault/vault-faults.h"
#include "storage/tables/vault-shelves.h"

#include <kj/timer.h>

#include <memory>

namespace hearth::devices {

class VaultReading final: private BlobExchange::Reserve, private kj::TaskSet::ErrorHandler {
 public:
  static constexpr kj::Duration LOOKS_EVERY = 1 * kj::SECONDS;    // while something is fetched
  static constexpr kj::Duration LETS_GO_EVERY = 1 * kj::MINUTES;  // of what nobody wants any more
  static constexpr kj::Duration HALTED_FOR = 15 * kj::MINUTES;
  static constexpr kj::Duration AGAIN_AFTER = 5 * kj::MINUTES;  // what was on none
  static constexpr size_t AT_ONCE_MAX = 16;                     // blobs that are being brought
  static constexpr size_t READY_MAX = 512;  // and that are here for their fetches
  static constexpr uint64_t READY_BYTES_MAX = uint64_t{4}
      << 30;                                           // of these, unless it is one alone
  static constexpr uint64_t IN_MEMORY_MAX = 80 << 10;  // larger ones are files
  static constexpr size_t NODES_AT_ONCE = 256;         // that are written down together
  // What a VAULT lacks may have been taken away by its writer: the log is given so long to say so.
  static constexpr kj::Duration NEWS_WITHIN = 10 * kj::SECONDS;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    const kj::Clock& clock;
    storage::Store& store;
    BlobDisk& disk;
    const BlobCircle& circle;
    BulkGate& gate;
    BlobExchange& exchange;
    VaultFaults& faults;
  };
  explicit VaultReading(Surroundings around);
  ~VaultReading() noexcept(false);

  // There is a stream to the VAULT, or no more.
  void vaultUp(const DeviceId& vault, std::shared_ptr<VaultClient> client);
  void vaultDown(const DeviceId& vault);
  // More is known of what VAULTs have.
  void shelvesChanged();

  size_t holds() const { return bringing.size() + ready.size() + halted.size(); }

 private:
  using Copy = storage::vault_shelves::Copy;

  // A sealed file that is what was put.
  struct Ready {
    BlobRef ref;
    crypto::CollectionId collection;
    std::string scratch;                    // its name; empty: it is in memory
    kj::Own<storage::SealedReader> reader;  // used on the executor
    uint64_t bytes = 0;
    bool madeRow = false;
  };
  using Shared = std::shared_ptr<Ready>;

  Surroundings around;
  std::map<DeviceId, std::shared_ptr<VaultClient>> vaults;
  std::set<ContentId> bringing;
  std::map<ContentId, Shared> ready;
  // When the VAULT was lost: it goes on where it stopped, also for whoever asks anew.
  struct Halted {
    kj::Own<VaultDownload> download;
    kj::TimePoint since;
  };
  std::map<ContentId, Halted> halted;
  std::map<ContentId, kj::TimePoint> inVain;  // looked for on all that are up, then
  std::map<ContentId, Errc> refused;          // as long as somebody wants it
  uint64_t readyBytes = 0, scratches = 0;
  transport::Bell news;
  kj::TaskSet tasks;
  kj::Promise<void> running;

  void ask(crypto::Buffer message) override;
  void wanted() override { news.ring(); }
  bool isBringing(const ContentId& content) const override { return bringing.contains(content); }
  kj::Maybe<Errc> whyNot(const ContentId& content) const override;

  kj::Promise<void> run();
  kj::Promise<void> letGoUnwanted();
  void beginSome();
  kj::Promise<void> bring(BlobRef ref);
  kj::Promise<bool> bringFrom(Copy copy, BlobRef ref);
  kj::Promise<kj::Own<VaultDownload>> downloadOf(Copy copy, ContentId content);
  kj::Promise<kj::Maybe<kj::Own<VaultDownload>>> fetch(Copy copy, ContentId content);
  kj::Promise<void> shred(std::string scratch);
  kj::Promise<void> lacks(Copy copy, ContentId content);
  kj::Promise<bool> isWhatItIsCalled(Shared blob);
  kj::Promise<void> keepNodes(Shared blob, std::vector<std::pair<Digest, crypto::Buffer>> nodes);
  kj::Promise<bool> open(Shared blob, Copy copy, kj::Own<const kj::File> file);
  void fault(const Copy& copy, const ContentId& content, Errc code, kj::StringPtr because);
  kj::Promise<void> drop(Shared blob);
  kj::Promise<void> answer(storage::AskParts asked);
  kj::Promise<kj::Maybe<crypto::Buffer>> partOf(Shared blob, storage::AskedPart asked);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices
