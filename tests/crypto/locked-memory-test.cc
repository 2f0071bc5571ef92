#include "crypto/primitives/locked-memory.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstring>
#include <set>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace hearth::crypto {
namespace {

constexpr size_t KEY_BYTES = 32;
constexpr size_t KEYS_OF_A_SLAB = LockedMemory::SLAB_BYTES / LockedMemory::SLOT_BYTES[0];

bool isZero(kj::ArrayPtr<const kj::byte> bytes) {
  for (auto byte: bytes) {
    if (byte != 0) return false;
  }
  return true;
}

std::vector<kj::byte*> keys(LockedMemory& memory, size_t count) {
  std::vector<kj::byte*> all;
  for (size_t i = 0; i < count; ++i) all.push_back(memory.allocate(KEY_BYTES));
  return all;
}

// How a child of this process ends that does `what`.
template <typename F>
int endOf(F&& what) {
  fflush(nullptr);
  auto child = fork();
  if (child == 0) {
    close(STDERR_FILENO);
    what();
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST_CASE("keys share a page") {
  LockedMemory memory;
  auto all = keys(memory, KEYS_OF_A_SLAB);
  REQUIRE(memory.slabs() == 1);
  all.push_back(memory.allocate(KEY_BYTES));
  REQUIRE(memory.slabs() == 2);
  for (auto key: all) memory.free(key, KEY_BYTES);
}

TEST_CASE("secrets that live at once do not overlap") {
  LockedMemory memory;
  constexpr size_t SIZES[] = {0, 1, 32, 48, 49, 64, 112, 176, 177, LockedMemory::SHARED_BYTES_MAX,
      LockedMemory::SHARED_BYTES_MAX + 1, 5'000};
  std::vector<std::pair<kj::byte*, size_t>> all;
  for (int round = 0; round < 40; ++round) {
    for (auto size: SIZES) {
      auto start = memory.allocate(size);
      REQUIRE(isZero(kj::arrayPtr(start, size)));
      memset(start, round + 1, size);
      all.emplace_back(start, size);
    }
  }
  for (size_t i = 0; i < all.size(); ++i) {
    auto [start, size] = all[i];
    for (size_t at = 0; at < size; ++at) REQUIRE(start[at] == i / std::size(SIZES) + 1);
    memory.free(start, size);
  }
}

TEST_CASE("a place that is given again holds nothing of what was there") {
  LockedMemory memory;
  auto first = memory.allocate(KEY_BYTES);
  memset(first, 0x5a, KEY_BYTES);
  memory.free(first, KEY_BYTES);
  auto again = memory.allocate(KEY_BYTES + LockedMemory::CANARY_BYTES);
  REQUIRE(again == first);
  REQUIRE(isZero(kj::arrayPtr(again, KEY_BYTES + LockedMemory::CANARY_BYTES)));
  memory.free(again, KEY_BYTES + LockedMemory::CANARY_BYTES);
}

TEST_CASE("pages that hold nothing any more are given back, all but one") {
  LockedMemory memory;
  auto all = keys(memory, 5 * KEYS_OF_A_SLAB);
  REQUIRE(memory.slabs() == 5);
  for (auto key: all) memory.free(key, KEY_BYTES);
  REQUIRE(memory.slabs() == 1);
}

TEST_CASE("places that were freed are used before new pages") {
  LockedMemory memory;
  auto all = keys(memory, 3 * KEYS_OF_A_SLAB);
  for (size_t i = 0; i < all.size(); i += 2) memory.free(all[i], KEY_BYTES);
  for (size_t i = 0; i < all.size(); i += 2) all[i] = memory.allocate(KEY_BYTES);
  REQUIRE(memory.slabs() == 3);
  REQUIRE(std::set<kj::byte*>(all.begin(), all.end()).size() == all.size());
  for (auto key: all) memory.free(key, KEY_BYTES);
}

TEST_CASE("a large secret has pages of its own") {
  LockedMemory memory;
  auto large = memory.allocate(LockedMemory::SHARED_BYTES_MAX + 1);
  REQUIRE(memory.slabs() == 0);
  memory.free(large, LockedMemory::SHARED_BYTES_MAX + 1);
}

TEST_CASE("whoever writes past a secret ends the process") {
  LockedMemory memory;
  auto key = memory.allocate(KEY_BYTES);
  auto orderly = endOf([&]() { memory.free(key, KEY_BYTES); });
  auto past = endOf([&]() {
    static_cast<volatile kj::byte*>(key)[KEY_BYTES] ^= 1;
    memory.free(key, KEY_BYTES);
  });
  REQUIRE(orderly == 0);
  REQUIRE(past != 0);
  memory.free(key, KEY_BYTES);
}

}  // namespace
}  // namespace hearth::crypto
