#pragma once
// A member's side of the stream to a VAULT: questions as promises.

#include "devices/vault/vault-wire.h"

#include <map>

namespace hearth::devices {

// It may outlive the stream: then all that it is asked throws DISCONNECTED.
class VaultClient final {
 public:
  // Of a file that is put: its next bytes, at most VAULT_PIECE_BYTES_MAX. An error where they cannot be had any more.
  using Source = kj::Function<kj::Promise<Result<crypto::Buffer>>()>;

  explicit VaultClient(kj::Own<kj::AsyncIoStream> stream): wire(kj::mv(stream)) {}

  // Ends with the stream, and at its end close() is to be called. Errors: of a VAULT that breaks the rules.
  kj::Promise<Result<void>> run();
  void close();
  bool isClosed() const { return closed; }

  kj::Promise<std::vector<storage::vault::Whose>> which(
      crypto::CollectionId collection, std::vector<storage::BlobName> names);
  // Resolves when it is on the VAULT's disk. Errors: QUOTA_EXCEEDED; those of the source.
  kj::Promise<Result<void>> put(
      crypto::CollectionId collection, storage::BlobName name, uint64_t bytes, Source source);
  kj::Promise<void> drop(crypto::CollectionId collection, std::vector<storage::BlobName> names);
  // None: it says that it has no such file. Fewer bytes than were asked for at the file's end.
  kj::Promise<kj::Maybe<crypto::Buffer>> read(
      storage::VaultShelfName shelf, storage::BlobName name, uint64_t offset, uint32_t most);
  struct Rooted {
    uint64_t items;
    Digest root;
  };
  kj::Promise<Rooted> root(storage::VaultShelfName shelf);
  kj::Promise<std::vector<storage::VaultItem>> list(
      storage::VaultShelfName shelf, storage::BlobName after);

 private:
  using Ticket = storage::vault::Ticket;
  using Answer = storage::vault::Answer;

  VaultWire wire;
  std::map<Ticket, kj::Own<kj::PromiseFulfiller<Answer>>> open;
  Ticket next = 0;
  bool closed = false;

  kj::Promise<Result<void>> listen();
  kj::Promise<Answer> answerTo(Ticket ticket);
  bool isAnswered(Ticket ticket) const { return !open.contains(ticket); }
  template <typename Question>
  kj::Promise<Answer> ask(Question question);
  kj::Promise<Result<void>> send(Ticket ticket, crypto::CollectionId collection,
      storage::BlobName name, uint64_t bytes, Source source);
};

}  // namespace hearth::devices
