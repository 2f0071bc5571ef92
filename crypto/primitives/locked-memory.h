#pragma once
// Where secrets lie: pages between guard pages, locked into RAM and left out of core dumps where the
// system allows it. A page holds many small secrets, because systems lock few pages (8 MiB, or 64 KiB)
// and allow few mappings (65,530), and sodium_malloc takes four mappings and a page or two for each
// key (docs/adr/0006). A slab is one sodium_malloc of a page:
//
//   read-only │ guard │ canary slot slot slot … slot │ guard
//                          └─ secret, then a canary to the end of the slot
//
// Slots of one slab are of one size. What is freed is wiped at once. Runs past a slot are found when
// it is freed, runs past a slab when they happen; under AddressSanitizer both when they happen.

#include <kj/array.h>
#include <kj/mutex.h>

#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <vector>

namespace hearth::crypto {

class LockedMemory final {
 public:
  static constexpr size_t SLAB_BYTES =
      4'032;                                  // a page, less sodium_malloc's canary, in cache lines
  static constexpr size_t CANARY_BYTES = 16;  // at least, behind each secret
  static constexpr size_t SLOT_BYTES[] = {64, 128, 192, 448};
  static constexpr size_t SHARED_BYTES_MAX =
      448 - CANARY_BYTES;  // larger ones have their own pages

  LockedMemory();
  ~LockedMemory() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(LockedMemory);

  // `size` zero bytes. Throws when there is no memory.
  kj::byte* allocate(size_t size);
  // Wipes. `size` as it was asked for. Ends the process when somebody wrote behind the secret, as
  // sodium_free does: nothing that this process holds can be trusted then.
  void free(kj::byte* start, size_t size) noexcept;

  // Slabs that hold something, and one of each slot size that may be empty.
  size_t slabs() const { return all.size(); }

  // That of the process. Allocators are what a process has one of; threads share it.
  static kj::MutexGuarded<LockedMemory>& shared();

 private:
  static constexpr size_t KINDS = std::size(SLOT_BYTES);
  struct Slab {
    kj::byte* begin;
    uint8_t kind;
    uint64_t taken = 0;  // slot i: bit i
  };

  kj::byte canary[CANARY_BYTES];
  std::map<uintptr_t, std::unique_ptr<Slab>> all;  // by page
  std::vector<Slab*> withRoom[KINDS];

  static uint8_t kindFor(size_t size);
  static size_t slotsOf(uint8_t kind) { return SLAB_BYTES / SLOT_BYTES[kind]; }
  Slab& addSlab(uint8_t kind);
  void dropSlab(Slab& slab);
  bool isFull(const Slab& slab) const;
  void guard(kj::ArrayPtr<kj::byte> behind) const;
  void requireGuarded(kj::ArrayPtr<const kj::byte> behind) const noexcept;
};

}  // namespace hearth::crypto
