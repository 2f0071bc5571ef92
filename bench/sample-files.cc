#include "bench/sample-files.h"

#include <kj/debug.h>
#include <kj/io.h>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace hearth::bench {

namespace {

constexpr uint64_t PIECE_BYTES = 1 << 20;
constexpr uint32_t FILES_EACH = 1'000;  // in one directory

kj::AutoCloseFd opened(const std::string& path, int how) {
  int fd;
  KJ_SYSCALL(fd = open(path.c_str(), how | O_CLOEXEC, 0644), path.c_str());
  return kj::AutoCloseFd(fd);
}

void copyAll(int from, int to) {
  std::vector<char> piece(PIECE_BYTES);
  for (;;) {
    ssize_t got;
    KJ_SYSCALL(got = read(from, piece.data(), piece.size()));
    if (got == 0) return;
    kj::FdOutputStream(to).write(piece.data(), static_cast<size_t>(got));
  }
}

}  // namespace

void SampleFiles::put(int fd, uint64_t bytes) {
  std::vector<uint64_t> words(std::min(bytes, PIECE_BYTES) / 8 + 1);
  while (bytes > 0) {
    auto size = std::min(bytes, PIECE_BYTES);
    for (auto& word: words) word = luck();
    kj::FdOutputStream(fd).write(words.data(), size);
    bytes -= size;
  }
}

void SampleFiles::write(const std::string& path, uint64_t bytes) {
  put(opened(path, O_WRONLY | O_CREAT | O_TRUNC).get(), bytes);
}

void SampleFiles::append(const std::string& path, uint64_t bytes) {
  put(opened(path, O_WRONLY | O_APPEND).get(), bytes);
}

void SampleFiles::rewriteBlocks(const std::string& path, uint32_t blocks, uint64_t bytes) {
  auto file = opened(path, O_WRONLY);
  auto places = std::max<uint64_t>(std::filesystem::file_size(path) / bytes, 1);
  for (uint32_t i = 0; i < blocks; ++i) {
    auto at = static_cast<off_t>(luck() % places * bytes);
    KJ_SYSCALL(lseek(file.get(), at, SEEK_SET));
    put(file.get(), bytes);
  }
}

void SampleFiles::withByteInFront(const std::string& path, const std::string& to) {
  auto from = opened(path, O_RDONLY), made = opened(to, O_WRONLY | O_CREAT | O_TRUNC);
  put(made.get(), 1);
  copyAll(from.get(), made.get());
}

void SampleFiles::writeMany(const std::string& directory, uint32_t count, uint64_t bytes) {
  for (uint32_t i = 0; i < count; ++i) {
    auto inner = directory + "/" + std::to_string(i / FILES_EACH);
    if (i % FILES_EACH == 0) std::filesystem::create_directories(inner);
    write(inner + "/" + std::to_string(i), bytes);
  }
}

kj::Maybe<Digest> hashOf(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  kj::AutoCloseFd file(fd);
  crypto::Blake3 hash;
  std::vector<kj::byte> piece(PIECE_BYTES);
  for (;;) {
    ssize_t got;
    KJ_SYSCALL(got = read(fd, piece.data(), piece.size()));
    if (got == 0) return hash.finish();
    hash.update(kj::arrayPtr(piece.data(), static_cast<size_t>(got)));
  }
}

std::string versionOf(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return {};
  return kj::str(
      found.st_ino, ' ', found.st_size, ' ', found.st_mtim.tv_sec, ' ', found.st_mtim.tv_nsec)
      .cStr();
}

uint64_t filesBelow(const std::string& directory) {
  uint64_t count = 0;
  std::error_code gone;
  std::filesystem::recursive_directory_iterator all(directory, gone);
  for (; !gone && all != std::filesystem::recursive_directory_iterator(); all.increment(gone))
    count += all->is_regular_file(gone) ? 1 : 0;
  return count;
}

bool sameBelow(const std::string& here, const std::string& there) {
  std::filesystem::recursive_directory_iterator all(here);
  return std::ranges::all_of(all, [&](const std::filesystem::directory_entry& entry) {
    if (!entry.is_regular_file()) return true;
    auto other = there + entry.path().string().substr(here.size());
    KJ_IF_MAYBE(hash, hashOf(other)) return *hash == KJ_ASSERT_NONNULL(hashOf(entry.path()));
    return false;
  });
}

}  // namespace hearth::bench
