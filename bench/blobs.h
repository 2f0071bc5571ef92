#pragma once
// hearth-bench blobs: what it costs to cut a blob into chunks and to hash it as a tree, in memory, beside hashes
// of the same bytes alone; and how much of a changed blob a device lacks that has it as it was before.

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct BlobsOptions {
  uint32_t mib = 1'024;  // of the blob, of random bytes
  uint32_t rounds = 3;
};

// {"cut_hash_cpu_s_gib": chunks and tree, "cut_cpu_s_gib": the cuts alone, "blake3_cpu_s_gib", "sha256_cpu_s_gib"
//  (where OpenSSL is there), "transfer_cpu_s_gib": asking, answering and verifying, both sides, no link between
//  them, "transfer_more_kib": bytes of all messages beyond the blob's, "cut_hash_mb_s", "chunk_kib": on average,
//  "tree_kib": all nodes;
//  "insert_mib", "append_mib", "blocks_mib": chunks and nodes that are new after one byte was inserted in front,
//  1 MiB appended, 82 random blocks of 128 KiB rewritten}; medians over the rounds.
nlohmann::json measureBlobs(const BlobsOptions& options);

}  // namespace hearth::bench
