#include "storage/blob/cutter.h"

#include <kj/debug.h>

namespace hearth::storage {

void BlobCutter::add(crypto::Bytes bytes) {
  KJ_REQUIRE(bytes.size() <= BLOB_BYTES_MAX - end, "a blob that is too large");
  while (bytes.size() > 0) {
    auto part = chunker.next(bytes);
    hash.update(bytes.slice(0, part.bytes));
    end += part.bytes;
    if (part.ends) endChunk();
    bytes = bytes.slice(part.bytes, bytes.size());
  }
}

void BlobCutter::endChunk() {
  Cut cut{begin, {hash.finish(), end - begin}};
  onChunk(cut);
  tree.add(cut.chunk);
  hash = crypto::Blake3();
  begin = end;
}

BlobRef BlobCutter::finish() {
  if (end > begin) endChunk();
  return tree.finish();
}

}  // namespace hearth::storage
