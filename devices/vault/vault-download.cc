#include "devices/vault/vault-download.h"

#include <deque>

namespace hearth::devices {

using crypto::Buffer;

VaultDownload::VaultDownload(kj::Badge<VaultDownload>, Surroundings around, Copy copy,
    std::string scratch, kj::Own<const kj::File> file)
    : around(around),
      copy(kj::mv(copy)),
      name(kj::mv(scratch)),
      into(kj::mv(file)) {}

kj::Promise<kj::Own<VaultDownload>> VaultDownload::begin(
    Surroundings around, Copy copy, std::string scratch) {
  kj::Own<const kj::File> file = kj::newInMemoryFile(around.clock);
  if (!scratch.empty())
    file = co_await around.disk.run(
        [&](BlobDisk::Files& files) { return files.all().scratch(scratch.c_str()); });
  co_return kj::heap<VaultDownload>(
      kj::Badge<VaultDownload>(), around, kj::mv(copy), kj::mv(scratch), kj::mv(file));
}

kj::Promise<VaultDownload::Outcome> VaultDownload::run(std::shared_ptr<VaultClient> client) {
  auto& item = copy.item;
  std::deque<kj::Promise<kj::Maybe<Buffer>>> coming;
  uint64_t asked = arrived;
  while (arrived < item.bytes) {
    for (; asked < item.bytes && coming.size() < AHEAD_MAX;
        asked += storage::VAULT_PIECE_BYTES_MAX) {
      auto most = kj::min(item.bytes - asked, storage::VAULT_PIECE_BYTES_MAX);
      co_await around.gate.untilOpen(BulkGate::Way::DOWN, copy.shelf.vault);
      around.gate.passed(BulkGate::Way::DOWN, copy.shelf.vault, most);
      coming.push_back(
          client->read(copy.shelf.name, item.name, asked, static_cast<uint32_t>(most)));
    }
    auto piece = co_await around.timer.timeoutAfter(PIECE_WITHIN, kj::mv(coming.front()));
    coming.pop_front();
    KJ_IF_MAYBE(bytes, piece) {
      auto wanted = kj::min(item.bytes - arrived, storage::VAULT_PIECE_BYTES_MAX);
      if (bytes->size() != wanted) co_return Outcome::CUT;
      co_await around.disk.run([&](BlobDisk::Files&) {
        hash.update(*bytes);
        into->write(arrived, *bytes);
      });
      arrived += bytes->size();
    } else {
      co_return Outcome::LACKS;
    }
  }
  co_return hash.finish() == item.hash ? Outcome::WHOLE : Outcome::CHANGED;
}

}  // namespace hearth::devices
