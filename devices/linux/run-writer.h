#pragma once
// What is written to a large file piece by piece, and mostly in order, goes to its disk in large pieces and past the
// kernel's page cache: that costs a tenth of the CPU, and pushes nothing out of memory that somebody reads
// (docs/adr/0102). What stands alone is written at once, through the page cache.

#include "crypto/primitives/bytes.h"
#include "devices/linux/tree-files.h"

#include <cstdlib>
#include <memory>

namespace hearth::devices {

class RunWriter final {
 public:
  static constexpr size_t GATHERED_MAX = 1 << 20;
  static constexpr size_t DIRECT_LEAST = 128 << 10;  // less is not worth waiting for the disk

  // The file is open for writing, and stays so for as long as this object lives.
  explicit RunWriter(int file): file(file) {}
  KJ_DISALLOW_COPY_AND_MOVE(RunWriter);

  // It may wait in memory until flush(). Errors: FULL and FAILED, of what waited, too: that is lost then.
  TreeResult<void> write(uint64_t offset, crypto::Bytes bytes);
  TreeResult<void> flush();

  // Whether some of it waits.
  bool holds(uint64_t offset, size_t bytes) const {
    return offset < end && end - waiting < offset + bytes;
  }

 private:
  static constexpr uint64_t BLOCK_BYTES = 4096;  // at least that of every disk; a page
  static constexpr uint64_t NOWHERE = UINT64_MAX;
  static constexpr auto FREE = [](kj::byte* memory) { free(memory); };

  int file;
  bool isDirect = true;                            // until the file system does not take it so
  uint64_t end = NOWHERE;                          // of what was written last
  size_t waiting = 0;                              // bytes before it
  std::unique_ptr<kj::byte, decltype(FREE)> room;  // as far behind a block's begin as what waits

  TreeResult<void> writeOut(uint64_t offset, crypto::Bytes bytes);
  TreeResult<size_t> writeDirectly(uint64_t offset, crypto::Bytes blocks);
};

}  // namespace hearth::devices
