#pragma once
// A blob of this device from its beginning to its end, wherever it lies here; each chunk is what its hash says.

#include "devices/data/blob-exchange.h"

namespace hearth::devices {

class OwnBytes final {
 public:
  static constexpr size_t AT_ONCE_BYTES = 1 << 20;  // of chunks that are asked for together

  // The exchange outlives this object. Requires that the blob is not empty.
  OwnBytes(BlobExchange& exchange, const BlobRef& ref): exchange(exchange), ref(ref) {}

  // What comes next, until all bytes have come. Errors: STALE where it is not here any more, or is another one.
  kj::Promise<Result<crypto::Buffer>> next();

 private:
  struct Opened {
    storage::BlobNode node;
    bool isLast;
    uint64_t offset;  // of the next child, in the blob
    size_t child = 0;
  };

  BlobExchange& exchange;
  BlobRef ref;
  std::vector<Opened> path;  // from the top down
  bool isBegun = false;

  kj::Promise<Result<void>> open(storage::Expected expected, uint64_t offset);
  kj::Promise<Result<std::vector<crypto::Buffer>>> partsOf(
      std::vector<storage::AskedPart> asked, size_t mostBytes);
};

}  // namespace hearth::devices
