#include "bench/blobs.h"

#include "bench/process.h"
#include "storage/blob/cutter.h"

#include <kj/debug.h>

#include <random>
#include <set>
#include <vector>
#ifdef HEARTH_BENCH_OPENSSL
#include <openssl/evp.h>
#endif

namespace hearth::bench {

namespace {

using namespace storage;
using crypto::Bytes;
using nlohmann::json;

constexpr size_t PIECE_BYTES = 1 << 20;  // that a file would be read by
constexpr size_t BLOCK_BYTES = 128 << 10, BLOCKS = 82, APPENDED_BYTES = 1 << 20;
constexpr double MIB = 1 << 20;

struct Held {
  std::set<Digest> parts;  // chunks and nodes
  size_t chunks = 0;
  uint64_t nodeBytes = 0, newBytes = 0;
};

class Sample {
 public:
  explicit Sample(const BlobsOptions& options)
      : size(static_cast<size_t>(options.mib) << 20),
        memory(1 + size + APPENDED_BYTES),
        luck(options.mib),
        gear(ChunkKey::make(
            [](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), 1, out.size()); })) {
    for (auto& byte: memory) byte = static_cast<kj::byte>(luck() >> 32);
  }

  Bytes whole() const { return part(1, 1 + size); }
  Bytes withByteInFront() const { return part(0, 1 + size); }
  Bytes withMore() const { return part(1, memory.size()); }
  void rewriteBlocks() {
    for (size_t i = 0; i < BLOCKS; ++i) {
      auto at = 1 + luck() % (size / BLOCK_BYTES) * BLOCK_BYTES;
      for (size_t j = 0; j < BLOCK_BYTES; ++j) memory[at + j] = static_cast<kj::byte>(luck() >> 32);
    }
  }

  // What of it is not among `before`.
  Held held(Bytes bytes, const Held& before) const {
    Held now;
    auto note = [&](const Digest& hash, uint64_t length) {
      now.parts.insert(hash);
      if (!before.parts.contains(hash)) now.newBytes += length;
    };
    cut(
        bytes,
        [&](const Cut& cut) {
          ++now.chunks;
          note(cut.chunk.hash, cut.chunk.length);
        },
        [&](const Digest& hash, Bytes encoded) {
          now.nodeBytes += encoded.size();
          note(hash, encoded.size());
        });
    return now;
  }

  void cut(Bytes bytes, BlobCutter::CutSink onChunk, TreeBuilder::NodeSink onNode) const {
    BlobCutter cutter(gear, kj::mv(onChunk), kj::mv(onNode));
    pieces(bytes, [&](Bytes piece) { cutter.add(piece); });
    cutter.finish();
  }
  void cutOnly(Bytes bytes) const {
    Chunker chunker(gear);
    for (size_t at = 0; at < bytes.size();) at += chunker.next(bytes.slice(at, bytes.size())).bytes;
  }
  template <typename F>
  static void pieces(Bytes bytes, F&& f) {
    for (size_t at = 0; at < bytes.size(); at += PIECE_BYTES)
      f(bytes.slice(at, kj::min(at + PIECE_BYTES, bytes.size())));
  }

 private:
  size_t size;
  std::vector<kj::byte> memory;
  std::mt19937_64 luck;
  Gear gear;

  Bytes part(size_t begin, size_t end) const {
    return kj::arrayPtr(memory.data() + begin, memory.data() + end);
  }
};

#ifdef HEARTH_BENCH_OPENSSL
void sha256(Bytes bytes) {
  auto context = EVP_MD_CTX_new();
  KJ_DEFER(EVP_MD_CTX_free(context));
  kj::byte digest[32];
  bool done = EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1;
  Sample::pieces(bytes, [&](Bytes piece) {
    done = done && EVP_DigestUpdate(context, piece.begin(), piece.size()) == 1;
  });
  KJ_REQUIRE(done && EVP_DigestFinal_ex(context, digest, nullptr) == 1);
}
#endif

void blake3(Bytes bytes) {
  crypto::Blake3 hash;
  Sample::pieces(bytes, [&](Bytes piece) { hash.update(piece); });
  KJ_REQUIRE(!hash.finish().isZero());
}

// CPU seconds for a GiB.
template <typename F>
double costOf(Bytes bytes, F&& f) {
  auto begin = cpuS();
  f(bytes);
  return (cpuS() - begin) * 1'024 * MIB / static_cast<double>(bytes.size());
}

json measureSpeed(const Sample& sample) {
  auto whole = sample.whole();
  json result;
  auto both =
      costOf(whole, [&](Bytes bytes) { sample.cut(bytes, [](auto&) {}, [](auto&, auto) {}); });
  result["cut_hash_cpu_s_gib"] = both;
  result["cut_hash_mb_s"] = 1'024 * MIB / 1e6 / both;
  result["cut_cpu_s_gib"] = costOf(whole, [&](Bytes bytes) { sample.cutOnly(bytes); });
  result["blake3_cpu_s_gib"] = costOf(whole, blake3);
#ifdef HEARTH_BENCH_OPENSSL
  result["sha256_cpu_s_gib"] = costOf(whole, sha256);
#endif
  return result;
}

}  // namespace

json measureBlobs(const BlobsOptions& options) {
  Sample sample(options);
  std::vector<json> rounds;
  for (uint32_t i = 0; i < options.rounds; ++i) rounds.push_back(measureSpeed(sample));
  auto result = medians(rounds);
  auto before = sample.held(sample.whole(), {});
  result["chunk_kib"] = options.mib * 1'024.0 / static_cast<double>(before.chunks);
  result["tree_kib"] = static_cast<double>(before.nodeBytes) / 1'024;
  auto lacking = [&](Bytes bytes) {
    return static_cast<double>(sample.held(bytes, before).newBytes) / MIB;
  };
  result["insert_mib"] = lacking(sample.withByteInFront());
  result["append_mib"] = lacking(sample.withMore());
  sample.rewriteBlocks();
  result["blocks_mib"] = lacking(sample.whole());
  return result;
}

}  // namespace hearth::bench
