#include "crypto/primitives/locked-memory.h"

#include <kj/debug.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sodium.h>

#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define HEARTH_FORBID(bytes) ASAN_POISON_MEMORY_REGION((bytes).begin(), (bytes).size())
#define HEARTH_ALLOW(bytes) ASAN_UNPOISON_MEMORY_REGION((bytes).begin(), (bytes).size())
#else
#define HEARTH_FORBID(bytes) (void)(bytes)
#define HEARTH_ALLOW(bytes) (void)(bytes)
#endif

namespace hearth::crypto {

namespace {

uintptr_t pageOf(const kj::byte* at) {
  constexpr uintptr_t PAGE_BYTES = 4'096;  // systems with larger pages have these in them
  return reinterpret_cast<uintptr_t>(at) / PAGE_BYTES;
}

kj::byte* guarded(size_t size) {
  auto start = static_cast<kj::byte*>(sodium_malloc(size));
  KJ_ASSERT(start != nullptr, "no memory for a secret", size);
  sodium_memzero(start, size);
  return start;
}

}  // namespace

LockedMemory::LockedMemory() {
  // sodium_malloc needs sodium_init before its first use; further calls of it return at once.
  KJ_REQUIRE(sodium_init() >= 0, "libsodium cannot start");
  // Like sodium_malloc's own canary it comes from the system: no result depends on it.
  randombytes_buf(canary, sizeof(canary));
}

LockedMemory::~LockedMemory() noexcept(false) {
  for (auto& [page, slab]: all) {
    HEARTH_ALLOW(kj::arrayPtr(slab->begin, SLAB_BYTES));
    sodium_free(slab->begin);
  }
}

kj::MutexGuarded<LockedMemory>& LockedMemory::shared() {
  // Never destroyed: secrets with static lifetime may be freed after it.
  static auto& memory = *new kj::MutexGuarded<LockedMemory>();
  return memory;
}

uint8_t LockedMemory::kindFor(size_t size) {
  uint8_t kind = 0;
  while (SLOT_BYTES[kind] < size + CANARY_BYTES) ++kind;
  return kind;
}

kj::byte* LockedMemory::allocate(size_t size) {
  if (size > SHARED_BYTES_MAX) return guarded(size);
  auto kind = kindFor(size);
  auto& open = withRoom[kind];
  auto& slab = open.empty() ? addSlab(kind) : *open.back();
  auto slot = static_cast<size_t>(std::countr_one(slab.taken));
  slab.taken |= uint64_t{1} << slot;
  if (isFull(slab)) open.pop_back();
  auto whole = kj::arrayPtr(slab.begin + slot * SLOT_BYTES[kind], SLOT_BYTES[kind]);
  HEARTH_ALLOW(whole);
  guard(whole.slice(size, whole.size()));
  return whole.begin();
}

void LockedMemory::free(kj::byte* start, size_t size) noexcept {
  if (size > SHARED_BYTES_MAX) return sodium_free(start);  // wipes
  auto& slab = *all.find(pageOf(start))->second;
  auto bytes = SLOT_BYTES[slab.kind];
  auto whole = kj::arrayPtr(start, bytes);
  HEARTH_ALLOW(whole);
  requireGuarded(whole.slice(size, bytes));
  sodium_memzero(start, bytes);
  HEARTH_FORBID(whole);
  if (isFull(slab)) withRoom[slab.kind].push_back(&slab);
  slab.taken &= ~(uint64_t{1} << (static_cast<size_t>(start - slab.begin) / bytes));
  if (slab.taken == 0 && withRoom[slab.kind].size() > 1) dropSlab(slab);
}

LockedMemory::Slab& LockedMemory::addSlab(uint8_t kind) {
  auto slab = std::make_unique<Slab>(Slab{guarded(SLAB_BYTES), kind});
  auto& added = *slab;
  HEARTH_FORBID(kj::arrayPtr(added.begin, SLAB_BYTES));
  all.emplace(pageOf(added.begin), kj::mv(slab));
  withRoom[kind].push_back(&added);
  return added;
}

void LockedMemory::dropSlab(Slab& slab) {
  std::erase(withRoom[slab.kind], &slab);
  HEARTH_ALLOW(kj::arrayPtr(slab.begin, SLAB_BYTES));
  sodium_free(slab.begin);
  all.erase(pageOf(slab.begin));
}

bool LockedMemory::isFull(const Slab& slab) const {
  return static_cast<size_t>(std::popcount(slab.taken)) == slotsOf(slab.kind);
}

void LockedMemory::guard(kj::ArrayPtr<kj::byte> behind) const {
  for (size_t i = 0; i < behind.size(); ++i) behind[i] = canary[i % CANARY_BYTES];
  // What follows a slot's secret is nobody's.
  HEARTH_FORBID(behind);
}

void LockedMemory::requireGuarded(kj::ArrayPtr<const kj::byte> behind) const noexcept {
  kj::byte difference = 0;
  for (size_t i = 0; i < behind.size(); ++i) difference |= behind[i] ^ canary[i % CANARY_BYTES];
  if (difference == 0) return;
  fputs("hearth: something wrote past the end of a secret\n", stderr);
  abort();
}

}  // namespace hearth::crypto
