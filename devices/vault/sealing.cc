#include "devices/vault/sealing.h"

#include "storage/blob/padding.h"
#include "storage/vault/messages.h"

#include <kj/debug.h>

namespace hearth::devices {

using crypto::Buffer;
using storage::VAULT_PIECE_BYTES_MAX;

Sealing::Sealing(BlobExchange& exchange, BlobDisk& disk, Entropy& entropy, const BlobRef& refIn,
    kj::Own<OwnedBlobKeys> keysIn)
    : disk(disk),
      ref(refIn),
      keys(kj::mv(keysIn)),
      plain(exchange, ref),
      paddedTo(storage::padded(ref.top.length)),
      plainLeft(ref.top.length),
      zerosLeft(paddedTo - ref.top.length),
      writer([this](uint64_t, crypto::Bytes bytes) { sealed.addAll(bytes); }, keys->borrowed(),
          ref.contentId(), entropy, paddedTo) {}

kj::Promise<Result<void>> Sealing::sealMore() {
  if (plainLeft > 0) {
    auto more = co_await plain.next();
    if (!more) co_return no(more.error());
    KJ_REQUIRE(more->size() <= plainLeft);
    plainLeft -= more->size();
    co_await disk.run([&](BlobDisk::Files&) { writer.add(*more); });
  } else if (zerosLeft > 0) {
    static constexpr kj::byte ZEROS[VAULT_PIECE_BYTES_MAX] = {};
    auto count = kj::min(zerosLeft, sizeof(ZEROS));
    zerosLeft -= count;
    co_await disk.run([&](BlobDisk::Files&) { writer.add(kj::arrayPtr(ZEROS, count)); });
  } else {
    KJ_REQUIRE(!isFinished, "a sealed file has ended");
    isFinished = true;
    co_await disk.run([&](BlobDisk::Files&) { writer.finish(); });
  }
  co_return Result<void>();
}

kj::Promise<Result<Buffer>> Sealing::next() {
  while (sealed.size() < VAULT_PIECE_BYTES_MAX && !isFinished) {
    if (auto done = co_await sealMore(); !done) co_return no(done.error());
  }
  auto size = kj::min(sealed.size(), VAULT_PIECE_BYTES_MAX);
  auto piece = kj::heapArray<kj::byte>(sealed.asPtr().slice(0, size));
  kj::Vector<kj::byte> rest;
  rest.addAll(sealed.asPtr().slice(size, sealed.size()));
  sealed = kj::mv(rest);
  hash.update(piece);
  co_return kj::mv(piece);
}

}  // namespace hearth::devices
