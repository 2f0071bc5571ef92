#pragma once
// A range of a blob that others have, in memory.

#include "devices/data/blob-place.h"

#include <map>

namespace hearth::devices {

class BlobRange final: public BlobTarget {
 public:
  BlobRange(uint64_t offset, size_t bytes): offset(offset), bytes(kj::heapArray<kj::byte>(bytes)) {}

  // Requires that the range was fetched.
  crypto::Buffer take() { return kj::mv(bytes); }

  kj::Promise<Looked> look(std::vector<WantedPart> parts) override {
    Looked nothing(parts.size());
    for (size_t i = 0; i < parts.size(); ++i) nothing.add(nullptr);
    return kj::mv(nothing);
  }

  kj::Promise<void> keep(std::vector<Arrived> parts) override {
    for (auto& [part, chunk]: parts) {
      if (part.level > 0) continue;
      auto begin = kj::max(offset, part.offset);
      auto end = kj::min(offset + bytes.size(), part.offset + chunk.size());
      if (begin < end)
        memcpy(
            bytes.begin() + (begin - offset), chunk.begin() + (begin - part.offset), end - begin);
    }
    return kj::READY_NOW;
  }

 private:
  uint64_t offset;
  crypto::Buffer bytes;
};

}  // namespace hearth::devices
