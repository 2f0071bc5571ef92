#pragma once
// How seeds are written: one file for each way into a target, and the pieces that many of them share.

#include "tests/fuzz/target.h"

#include <filesystem>
#include <fstream>
#include <string>

namespace hearth::fuzz {

class Corpus final {
 public:
  Corpus(const std::filesystem::path& root, const char* target): folder(root / target) {
    std::filesystem::create_directories(folder);
  }

  void add(const char* name, uint8_t way, Bytes rest) const {
    std::ofstream file(folder / (std::string("seed-") + name), std::ios::binary);
    file.put(static_cast<char>(way));
    file.write(rest.asChars().begin(), static_cast<std::streamsize>(rest.size()));
    KJ_REQUIRE(file.good(), "a seed cannot be written", name);
  }
  void add(const char* name, uint8_t way, const FlatWriter& rest) const {
    add(name, way, rest.asBytes());
  }

 private:
  std::filesystem::path folder;
};

inline FlatWriter choice(std::initializer_list<uint8_t> first, Bytes rest) {
  FlatWriter out;
  for (auto value: first) out.u8(value);
  out.bytes(rest);
  return out;
}

// One byte changed.
inline Buffer oneByte(uint16_t place, uint8_t change) {
  FlatWriter out;
  out.u8(1).u16(place).u8(change).u8(0).var8(nullptr);
  return out.finish();
}

// In files of their own.
void blobHeader(const Corpus& corpus);
void blobs(const Corpus& corpus);
void documents(const Corpus& corpus);
void reconcile(const Corpus& corpus);
void ignore(const Corpus& corpus);
void find(const Corpus& corpus);
void folder(const Corpus& corpus);
void json(const Corpus& corpus);
void proposals(const Corpus& corpus);
void operationLog(const Corpus& corpus);
void vaults(const Corpus& corpus);

}  // namespace hearth::fuzz
