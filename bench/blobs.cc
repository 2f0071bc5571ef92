#include "bench/blobs.h"

#include "bench/process.h"
#include "storage/blob/at-once.h"
#include "storage/blob/cutter.h"

#include <kj/debug.h>

#include <map>
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

  BlobRef cut(Bytes bytes, BlobCutter::CutSink onChunk, TreeBuilder::NodeSink onNode) const {
    BlobCutter cutter(gear, kj::mv(onChunk), kj::mv(onNode));
    pieces(bytes, [&](Bytes piece) { cutter.add(piece); });
    return cutter.finish();
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

// A blob in memory with its parts, for whoever asks.
class Shelf final: public PartSource, public Holdings {
 public:
  Shelf(const Sample& sample, Bytes bytes): bytes(bytes) {
    std::map<Digest, crypto::Buffer> nodes;
    ref = sample.cut(
        bytes, [&](const Cut& cut) { chunks[cut.offset] = cut.chunk.length; },
        [&](const Digest& hash, Bytes encoded) { nodes[hash] = kj::heapArray<kj::byte>(encoded); });
    place(nodes, expectedTop(ref), 0);
  }

  kj::Maybe<crypto::Buffer> part(const ContentId&, uint8_t level, uint64_t offset) override {
    auto part = level == 0 ? bytes.slice(offset, offset + chunks.at(offset))
                           : nodesAt.at({level, offset}).asPtr();
    return kj::heapArray<kj::byte>(part);
  }
  // Whoever fetches has nothing.
  kj::Maybe<crypto::Buffer> node(const Digest&) override { return nullptr; }
  bool hasChunk(const ContentId&, uint64_t, const Child&) override { return false; }

  BlobRef ref;

 private:
  Bytes bytes;
  std::map<uint64_t, uint64_t> chunks;  // length by offset
  std::map<std::pair<uint8_t, uint64_t>, crypto::Buffer> nodesAt;

  void place(std::map<Digest, crypto::Buffer>& nodes, const Expected& expected, uint64_t offset) {
    if (expected.level == 0) return;
    auto& encoded = nodes.at(expected.part.hash);
    auto node = verifyNode(expected, encoded).value();
    nodesAt[{expected.level, offset}] = kj::heapArray<kj::byte>(encoded.asPtr());
    for (size_t i = 0; i < node.children.size(); ++i) {
      place(nodes, expectedChild(node, i, expected.last), offset);
      offset += node.children[i].length;
    }
  }
};

// Everything from one peer that answers after 100 us. Gives the bytes of all messages.
uint64_t transfer(Shelf& shelf) {
  BlobFetcher fetcher;
  BlobServer server;
  auto now = kj::origin<kj::TimePoint>() + 1 * kj::SECONDS;
  fetcher.peerHere(0, now);
  KJ_REQUIRE(fetcher.want(shelf.ref, 0, {}).has_value());
  uint64_t bytes = 0, arrived = 0;
  while (fetcher.wanted() > 0) {
    auto effects = takeAtOnce(fetcher, shelf, now);
    for (auto& sent: effects.send) {
      bytes += sent.message.size();
      auto ask = std::get<AskParts>(parseBlobMessage(sent.message).value());
      KJ_REQUIRE(server.received(ask, now).has_value());
    }
    auto answer =
        KJ_REQUIRE_NONNULL(nextAtOnce(server, shelf, now), "nothing was asked for", arrived);
    bytes += answer.size();
    now += 100 * kj::MICROSECONDS;
    fetcher.received(0, answer, now);
    ++arrived;
  }
  auto ended = fetcher.take(now).ended;
  KJ_REQUIRE(ended.size() == 1 && ended[0].how.has_value(), "the blob was not fetched");
  return bytes;
}

json measureSpeed(const Sample& sample) {
  auto whole = sample.whole();
  json result;
  auto both =
      costOf(whole, [&](Bytes bytes) { sample.cut(bytes, [](auto&) {}, [](auto&, auto) {}); });
  result["cut_hash_cpu_s_gib"] = both;
  result["cut_hash_mb_s"] = 1'024 * MIB / 1e6 / both;
  result["cut_cpu_s_gib"] = costOf(whole, [&](Bytes bytes) { sample.cutOnly(bytes); });
  Shelf shelf(sample, whole);
  uint64_t sent = 0;
  result["transfer_cpu_s_gib"] = costOf(whole, [&](Bytes) { sent = transfer(shelf); });
  result["transfer_more_kib"] = static_cast<double>(sent - whole.size()) / 1'024;
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
