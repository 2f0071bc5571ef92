#include "storage/vault/manifest.h"
#include "storage/vault/messages.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

using crypto::Buffer;
using crypto::CollectionId;

template <typename T>
T filled(kj::byte with) {
  T id;
  memset(id.bytes, with, T::SIZE);
  return id;
}
Buffer bytesOf(size_t count, kj::byte with) {
  auto bytes = kj::heapArray<kj::byte>(count);
  memset(bytes.begin(), with, count);
  return bytes;
}
VaultItem itemOf(kj::byte name) {
  return {filled<BlobName>(name), 1'000u + name, filled<Digest>(7)};
}

const VaultShelfName SHELF{filled<DeviceId>(1), filled<CollectionId>(2)};

// Each kind, with as much in it as there can be, and as little.
std::vector<vault::Question> questions() {
  std::vector<vault::Question> all;
  auto collection = SHELF.collection;
  auto name = filled<BlobName>(3);
  all.emplace_back(vault::Which{1, collection, {name}});
  all.emplace_back(vault::Which{2, collection, std::vector<BlobName>(VAULT_NAMES_MAX, name)});
  all.emplace_back(vault::Put{3, collection, name, 1, bytesOf(1, 5)});
  all.emplace_back(
      vault::Put{4, collection, name, VaultItem::bytesMax(), bytesOf(VAULT_PIECE_BYTES_MAX, 5)});
  all.emplace_back(vault::More{5, bytesOf(VAULT_PIECE_BYTES_MAX, 6)});
  all.emplace_back(vault::Drop{6, collection, {name, filled<BlobName>(4)}});
  all.emplace_back(vault::Read{7, SHELF, name, 1 << 20, VAULT_PIECE_BYTES_MAX});
  all.emplace_back(vault::Root{8, SHELF});
  all.emplace_back(vault::List{9, SHELF, name});
  all.emplace_back(vault::GiveUp{0xffff'ffff});
  return all;
}
std::vector<vault::Answer> answers() {
  std::vector<VaultItem> many;
  for (size_t i = 0; i < VAULT_LISTED_MAX; ++i) {
    many.push_back(itemOf(0));
    many.back().name.bytes[0] = static_cast<kj::byte>(i >> 8);
    many.back().name.bytes[1] = static_cast<kj::byte>(i);
  }
  std::vector<vault::Answer> all;
  all.emplace_back(vault::Done{1});
  all.emplace_back(vault::Not{2, Errc::QUOTA_EXCEEDED});
  all.emplace_back(
      vault::These{3, std::vector<vault::Whose>(VAULT_NAMES_MAX, vault::Whose::ANOTHERS)});
  all.emplace_back(vault::Piece{4, bytesOf(VAULT_PIECE_BYTES_MAX, 6)});
  all.emplace_back(vault::Piece{5, nullptr});
  all.emplace_back(vault::Is{6, 77, filled<Digest>(9)});
  all.emplace_back(vault::Listed{7, kj::mv(many)});
  all.emplace_back(vault::Listed{8, {}});
  return all;
}

TEST_CASE("what a member and a VAULT say to each other reads as it was written") {
  for (auto& question: questions()) {
    CAPTURE(question.index());
    auto bytes = encode(question);
    auto parsed = vault::parseQuestion(bytes);
    REQUIRE(parsed.has_value());
    REQUIRE(parsed->index() == question.index());
    REQUIRE(encode(*parsed) == bytes);
  }
  for (auto& answer: answers()) {
    CAPTURE(answer.index());
    auto bytes = encode(answer);
    auto parsed = vault::parseAnswer(bytes);
    REQUIRE(parsed.has_value());
    REQUIRE(parsed->index() == answer.index());
    REQUIRE(encode(*parsed) == bytes);
  }
}

bool isRefused(vault::Question question, void (*spoil)(Buffer&)) {
  auto bytes = encode(question);
  spoil(bytes);
  return !vault::parseQuestion(bytes);
}

TEST_CASE("a message to a VAULT that is cut, too long, or asks for what nobody may is refused") {
  auto cut = [](Buffer& bytes) {
    bytes = kj::heapArray<kj::byte>(bytes.slice(0, bytes.size() - 1));
  };
  auto kind = [](Buffer& bytes) { bytes[0] = 9; };
  auto name = filled<BlobName>(3);
  REQUIRE(isRefused(vault::Root{1, SHELF}, cut));
  REQUIRE(isRefused(vault::Root{1, SHELF}, kind));
  REQUIRE(isRefused(vault::Which{1, SHELF.collection, {name}}, cut));
  REQUIRE(isRefused(vault::Which{1, SHELF.collection, {}}, [](Buffer&) {}));
  REQUIRE(isRefused(vault::Read{1, SHELF, name, 0, 0}, [](Buffer&) {}));
  REQUIRE(isRefused(vault::Read{1, SHELF, name, 0, VAULT_PIECE_BYTES_MAX + 1}, [](Buffer&) {}));
  REQUIRE(isRefused(vault::Put{1, SHELF.collection, name, 0, bytesOf(1, 1)}, [](Buffer&) {}));
  REQUIRE(isRefused(vault::Put{1, SHELF.collection, name, 1, bytesOf(2, 1)}, [](Buffer&) {}));
  REQUIRE(isRefused(vault::Put{1, SHELF.collection, name, 2, bytesOf(0, 1)}, [](Buffer&) {}));
  REQUIRE(isRefused(vault::Put{1, SHELF.collection, name, VaultItem::bytesMax() + 1, bytesOf(1, 1)},
      [](Buffer&) {}));
  REQUIRE(isRefused(vault::More{1, nullptr}, [](Buffer&) {}));
}

TEST_CASE("a list of a VAULT whose names are not in order is refused") {
  for (auto second: {kj::byte(1), kj::byte(2)}) {
    auto bytes = encode(vault::Answer(vault::Listed{1, {itemOf(2), itemOf(second)}}));
    REQUIRE(!vault::parseAnswer(bytes));
  }
}

TEST_CASE("a change of a shelf reads as it was written, and nothing else is one") {
  ShelfChange change{filled<DeviceId>(1), filled<CollectionId>(2), 3, filled<Digest>(4),
      {{filled<ContentId>(5), itemOf(6)}}, {filled<BlobName>(8)}};
  auto bytes = change.encode();
  REQUIRE(ShelfChange::parse(bytes) == change);
  REQUIRE(ShelfChange::parse(bytes.slice(0, bytes.size() - 1)).error().code == Errc::BAD_FORMAT);
  bytes[0] = 2;
  REQUIRE(ShelfChange::parse(bytes).error().code == Errc::BAD_VERSION);
  change.put[0].item.bytes = VaultItem::bytesMax() + 1;
  REQUIRE(ShelfChange::parse(change.encode()).error().code == Errc::BAD_FORMAT);
}

}  // namespace
}  // namespace hearth::storage
