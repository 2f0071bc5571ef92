#include "devices/linux/run-writer.h"

#include <kj/debug.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace hearth::devices {

namespace {

TreeResult<void> writeAll(int file, uint64_t offset, crypto::Bytes bytes) {
  while (bytes.size() > 0) {
    auto size = pwrite(file, bytes.begin(), bytes.size(), static_cast<off_t>(offset));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return no(lastError());
    offset += static_cast<size_t>(size);
    bytes = bytes.slice(static_cast<size_t>(size), bytes.size());
  }
  return {};
}

}  // namespace

TreeResult<void> RunWriter::write(uint64_t offset, crypto::Bytes bytes) {
  if (offset != end) {
    if (auto flushed = flush(); !flushed) return flushed;
    end = offset + bytes.size();
    return writeAll(file, offset, bytes);
  }
  if (room == nullptr)
    room.reset(static_cast<kj::byte*>(std::aligned_alloc(BLOCK_BYTES, GATHERED_MAX)));
  KJ_REQUIRE(room != nullptr, "no memory to gather in");
  while (bytes.size() > 0) {
    auto used = (end - waiting) % BLOCK_BYTES + waiting;
    auto part = bytes.slice(0, std::min(bytes.size(), GATHERED_MAX - used));
    memcpy(room.get() + used, part.begin(), part.size());
    waiting += part.size();
    end += part.size();
    bytes = bytes.slice(part.size(), bytes.size());
    if (used + part.size() < GATHERED_MAX) continue;
    if (auto flushed = flush(); !flushed) return flushed;
  }
  return {};
}

TreeResult<void> RunWriter::flush() {
  if (waiting == 0) return {};
  auto begin = end - waiting;
  auto written =
      writeOut(begin, kj::arrayPtr(room.get() + begin % BLOCK_BYTES, std::exchange(waiting, 0)));
  if (!written) end = NOWHERE;
  return written;
}

// Whole blocks directly, where they are many.
TreeResult<void> RunWriter::writeOut(uint64_t offset, crypto::Bytes bytes) {
  auto head = std::min<size_t>((BLOCK_BYTES - offset % BLOCK_BYTES) % BLOCK_BYTES, bytes.size());
  auto blocks = (bytes.size() - head) / BLOCK_BYTES * BLOCK_BYTES;
  if (!isDirect || blocks < DIRECT_LEAST) return writeAll(file, offset, bytes);
  if (auto written = writeAll(file, offset, bytes.slice(0, head)); !written) return written;
  auto done = writeDirectly(offset + head, bytes.slice(head, head + blocks));
  if (!done) return no(done.error());
  return writeAll(file, offset + head + *done, bytes.slice(head + *done, bytes.size()));
}

// Gives how much the file system took so. What waits in the page cache of these blocks the kernel writes first.
TreeResult<size_t> RunWriter::writeDirectly(uint64_t offset, crypto::Bytes blocks) {
  auto flags = fcntl(file, F_GETFL);
  isDirect = flags >= 0 && fcntl(file, F_SETFL, flags | O_DIRECT) == 0;
  if (!isDirect) return size_t{0};
  KJ_DEFER(fcntl(file, F_SETFL, flags));
  size_t done = 0;
  while (done < blocks.size() && done % BLOCK_BYTES == 0) {
    auto size = pwrite(
        file, blocks.begin() + done, blocks.size() - done, static_cast<off_t>(offset + done));
    if (size < 0 && errno == EINTR) continue;
    isDirect = size >= 0 || errno != EINVAL;
    if (!isDirect) break;
    if (size < 0) return no(lastError());
    done += static_cast<size_t>(size);
  }
  return done;
}

}  // namespace hearth::devices
