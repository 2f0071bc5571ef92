#pragma once
// One pass over a blob's bytes, in any pieces: its chunks, the tree over them, and its reference.

#include "crypto/primitives/blake3.h"
#include "storage/blob/chunker.h"
#include "storage/blob/tree.h"

namespace hearth::storage {

struct Cut {
  uint64_t offset = 0;  // in the blob
  Child chunk;
};

class BlobCutter final {
 public:
  using CutSink = std::function<void(const Cut&)>;

  // The gear outlives the cutter. Chunks come in order, each before the nodes that it completes.
  BlobCutter(const Gear& gear, CutSink onChunk, TreeBuilder::NodeSink onNode)
      : chunker(gear),
        onChunk(kj::mv(onChunk)),
        tree(kj::mv(onNode)) {}

  // Requires that there are at most BLOB_BYTES_MAX in all.
  void add(crypto::Bytes bytes);
  BlobRef finish();

 private:
  Chunker chunker;
  CutSink onChunk;
  TreeBuilder tree;
  crypto::Blake3 hash;
  uint64_t begin = 0, end = 0;  // of the chunk under way

  void endChunk();
};

}  // namespace hearth::storage
