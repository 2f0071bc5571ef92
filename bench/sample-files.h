#pragma once
// Files of random bytes, what people do to them, and whether two are the same.

#include "crypto/primitives/blake3.h"

#include <cstdint>
#include <random>
#include <string>

namespace hearth::bench {

class SampleFiles final {
 public:
  explicit SampleFiles(uint64_t seed): luck(seed) {}

  void write(const std::string& path, uint64_t bytes);  // anew, or what was there anew in place
  void append(const std::string& path, uint64_t bytes);
  void rewriteBlocks(const std::string& path, uint32_t blocks, uint64_t bytes);
  // A copy of `path` at `to` with one byte in front.
  void withByteInFront(const std::string& path, const std::string& to);
  // `count` of `bytes` each in `directory`, a thousand in each of its directories.
  void writeMany(const std::string& directory, uint32_t count, uint64_t bytes);

 private:
  std::mt19937_64 luck;

  void put(int fd, uint64_t bytes);
};

// Of the file, as it is now.
kj::Maybe<Digest> hashOf(const std::string& path);

// Something else whenever a file at `path` was replaced or written to; empty when there is none.
std::string versionOf(const std::string& path);

// Regular files below it.
uint64_t filesBelow(const std::string& directory);

// Every file below `here` is below `there`, with the same bytes.
bool sameBelow(const std::string& here, const std::string& there);

}  // namespace hearth::bench
