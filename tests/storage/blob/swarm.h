#pragma once
// One device that fetches blobs from several peers, in simulated time: peers that are honest, slow, hostile, that
// have a part only, stall, or go away and come back.

#include "storage/blob/at-once.h"
#include "storage/blob/cutter.h"
#include "tests/storage/blob/luck.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>

namespace hearth::storage {

using crypto::Buffer;
using crypto::Bytes;

// Blobs with all their parts.
class Originals final: public PartSource {
 public:
  struct Original {
    BlobRef ref;
    Buffer bytes;
    std::map<std::pair<uint8_t, uint64_t>, Buffer> parts;  // by level and offset
  };

  const Original& add(Buffer bytes) {
    static const Gear GEAR(testKey());
    Original made;
    std::map<Digest, Buffer> nodes;
    BlobCutter cutter(
        GEAR,
        [&](const Cut& cut) {
          made.parts[{0, cut.offset}] =
              kj::heapArray<kj::byte>(bytes.slice(cut.offset, cut.offset + cut.chunk.length));
        },
        [&](const Digest& hash, Bytes encoded) { nodes[hash] = kj::heapArray<kj::byte>(encoded); });
    cutter.add(bytes);
    made.ref = cutter.finish();
    if (bytes.size() == 0) made.parts[{0, 0}] = nullptr;
    place(made, nodes, expectedTop(made.ref), 0);
    made.bytes = kj::mv(bytes);
    auto content = made.ref.contentId();
    return all[content] = kj::mv(made);
  }

  kj::Maybe<Buffer> part(const ContentId& content, uint8_t level, uint64_t offset) override {
    auto found = all.find(content);
    if (found == all.end()) return nullptr;
    auto part = found->second.parts.find({level, offset});
    if (part == found->second.parts.end()) return nullptr;
    return kj::heapArray<kj::byte>(part->second.asPtr());
  }

  std::map<ContentId, Original> all;

 private:
  static void place(Original& made, const std::map<Digest, Buffer>& nodes, const Expected& expected,
      uint64_t offset) {
    if (expected.level == 0) return;
    auto& encoded = nodes.at(expected.part.hash);
    made.parts[{expected.level, offset}] = kj::heapArray<kj::byte>(encoded.asPtr());
    auto node = verifyNode(expected, encoded).value();
    for (size_t i = 0; i < node.children.size(); ++i) {
      place(made, nodes, expectedChild(node, i, expected.last), offset);
      offset += node.children[i].length;
    }
  }
};

// What has been fetched, across restarts.
struct Fetched final: public Holdings {
  std::map<Digest, Buffer> nodes;
  std::set<std::pair<ContentId, uint64_t>> chunks;

  kj::Maybe<Buffer> node(const Digest& hash) override {
    auto found = nodes.find(hash);
    if (found == nodes.end()) return nullptr;
    return kj::heapArray<kj::byte>(found->second.asPtr());
  }
  bool hasChunk(const ContentId& content, uint64_t offset, const Child&) override {
    return chunks.contains({content, offset});
  }
};

class Swarm final {
 public:
  struct Peer {
    uint64_t latencyMs = 5;
    uint64_t bytesPerMs = 10'000;
    std::function<bool(const ContentId&, uint64_t offset)> has = [](auto&, auto) { return true; };
    std::function<bool()> lies = []() { return false; };
    std::function<bool()> answers = []() { return true; };
    bool here = true;

    // What it has done.
    uint64_t sentBytes = 0, asks = 0;
    bool lied = false, named = false;
  };

  explicit Swarm(Originals& originals): originals(originals) {}
  // The allowance outlives it.
  Swarm(Originals& originals, BlobFetcher::Allowance& allowance)
      : originals(originals),
        fetcher(std::make_unique<BlobFetcher>(allowance)) {}

  size_t add(Peer peer) {
    auto number = peers.size();
    peers.push_back(std::make_unique<Running>(*this, kj::mv(peer)));
    if (peers[number]->peer.here) fetcher->peerHere(static_cast<uint32_t>(number), at());
    return number;
  }
  Peer& peer(size_t number) { return peers[number]->peer; }

  void want(const BlobRef& ref, uint32_t need = 0, BlobFetcher::Range range = {}) {
    wanted[ref.contentId()] = {ref, need, range};
    REQUIRE(fetcher->want(ref, need, range).has_value());
    carryOut();
  }

  // The link is cut: what is under way is lost.
  void leave(size_t number) {
    peers[number]->peer.here = false;
    ++peers[number]->life;
    fetcher->peerGone(static_cast<uint32_t>(number));
    carryOut();
  }
  void comeBack(size_t number) {
    auto& running = *peers[number];
    running.peer.here = true;
    running.server = std::make_unique<BlobServer>();
    fetcher->peerHere(static_cast<uint32_t>(number), at());
    carryOut();
  }

  // The process that fetches ends, and another one begins with what was kept.
  void restart() {
    fetcher = std::make_unique<BlobFetcher>();
    for (size_t i = 0; i < peers.size(); ++i) {
      ++peers[i]->life;
      peers[i]->server = std::make_unique<BlobServer>();
      if (peers[i]->peer.here && !peers[i]->peer.named)
        fetcher->peerHere(static_cast<uint32_t>(i), at());
    }
    for (auto& [content, want]: wanted) {
      if (!ended.contains(content))
        REQUIRE(fetcher->want(want.ref, want.need, want.range).has_value());
    }
    carryOut();
  }

  void later(uint64_t ms, std::function<void()> what) {
    events.emplace(std::pair{nowMs + ms, ++order}, kj::mv(what));
  }

  // Until all that was wanted has ended, or nothing happens any more, or it has lasted too long.
  void run(uint64_t mostMs = 3'600'000) {
    auto end = nowMs + mostMs;
    carryOut();
    while (ended.size() < wanted.size()) {
      auto due = end;
      KJ_IF_MAYBE(next, fetcher->next()) due = kj::min(due, kj::max(nowMs, msOf(*next)));
      if (!events.empty()) due = kj::min(due, events.begin()->first.first);
      nowMs = due;
      if (nowMs >= end) return;
      if (!events.empty() && events.begin()->first.first <= nowMs) {
        auto what = kj::mv(events.begin()->second);
        events.erase(events.begin());
        what();
      } else {
        REQUIRE(++ticks < 1'000'000);
        fetcher->tick(at());
      }
      carryOut();
    }
  }

  kj::TimePoint at() const { return kj::origin<kj::TimePoint>() + (1 + nowMs) * kj::MILLISECONDS; }

  Originals& originals;
  Fetched fetched;
  std::unique_ptr<BlobFetcher> fetcher = std::make_unique<BlobFetcher>();
  std::map<ContentId, Result<void>> ended;
  std::vector<ContentId> inOrder;  // of their ends
  uint64_t nowMs = 0, arrivedBytes = 0, askedBytes = 0;
  size_t ticks = 0;
  uint64_t aheadMost = 0;  // of a chunk that came, behind the first that had not

 private:
  struct Running final: public PartSource {
    Swarm& swarm;
    Peer peer;
    std::unique_ptr<BlobServer> server = std::make_unique<BlobServer>();
    uint64_t life = 0, freeMs = 0;

    Running(Swarm& swarm, Peer peer): swarm(swarm), peer(kj::mv(peer)) {}
    kj::Maybe<Buffer> part(const ContentId& content, uint8_t level, uint64_t offset) override {
      if (!peer.has(content, offset)) return nullptr;
      KJ_IF_MAYBE(found, swarm.originals.part(content, level, offset)) {
        if (found->size() > 0 && peer.lies()) {
          (*found)[found->size() / 2] ^= 1;
          peer.lied = true;
        }
        return kj::mv(*found);
      }
      return nullptr;
    }
  };
  struct Want {
    BlobRef ref;
    uint32_t need;
    BlobFetcher::Range range;
  };

  std::vector<std::unique_ptr<Running>> peers;
  std::map<ContentId, Want> wanted;
  std::map<std::pair<uint64_t, uint64_t>, std::function<void()>> events;
  uint64_t order = 0;
  std::map<ContentId, uint64_t> fronts;  // first bytes that are not here

  static uint64_t msOf(kj::TimePoint time) {
    auto since = time - kj::origin<kj::TimePoint>();
    return static_cast<uint64_t>((since + 999'999 * kj::NANOSECONDS) / kj::MILLISECONDS) - 1;
  }

  void carryOut() {
    auto effects = takeAtOnce(*fetcher, fetched, at());
    for (auto& here: effects.here) keep(here);
    for (auto& lied: effects.lied) peers[lied.peer]->peer.named = true;
    for (auto& end: effects.ended) {
      bool first = ended.emplace(end.content, end.how).second;
      REQUIRE(first);
      inOrder.push_back(end.content);
    }
    for (auto& sent: effects.send) {
      auto& running = *peers[sent.peer];
      ++running.peer.asks;
      askedBytes += sent.message.size();
      auto message = std::make_shared<Buffer>(kj::mv(sent.message));
      later(running.peer.latencyMs,
          [this, &running, message, life = running.life]() { asked(running, *message, life); });
    }
  }

  // Every part is what its blob has there, and comes once.
  void keep(BlobFetcher::Here& here) {
    auto& original = originals.all.at(here.content);
    REQUIRE(here.bytes == original.parts.at({here.level, here.offset}));
    arrivedBytes += here.bytes.size();
    bool isNew = here.level > 0 || fetched.chunks.insert({here.content, here.offset}).second;
    REQUIRE(isNew);
    if (here.level == 0) {
      auto& front = fronts[here.content];
      aheadMost = kj::max(aheadMost, here.offset - front);
      while (front < original.bytes.size() && fetched.chunks.contains({here.content, front}))
        front += original.parts.at({0, front}).size();
    }
    if (here.level > 0) fetched.nodes[here.part.hash] = kj::mv(here.bytes);
  }

  void asked(Running& running, Bytes message, uint64_t life) {
    if (life != running.life || !running.peer.answers()) return;
    auto parsed = parseBlobMessage(message);
    REQUIRE(parsed.has_value());
    REQUIRE(running.server->received(std::get<AskParts>(*parsed), at()).has_value());
    pump(running);
  }

  void pump(Running& running) {
    for (;;) {
      auto next = nextAtOnce(*running.server, running, at());
      auto message = std::make_shared<Buffer>();
      KJ_IF_MAYBE(bytes, next)
        *message = kj::mv(*bytes);
      else
        return;
      running.peer.sentBytes += message->size();
      running.freeMs = kj::max(running.freeMs, nowMs) + message->size() / running.peer.bytesPerMs;
      auto number = static_cast<uint32_t>(indexOf(running));
      later(running.freeMs - nowMs + running.peer.latencyMs,
          [this, &running, number, message, life = running.life]() {
            if (life == running.life) fetcher->received(number, *message, at());
          });
    }
  }

  size_t indexOf(const Running& running) const {
    for (size_t i = 0; i < peers.size(); ++i)
      if (peers[i].get() == &running) return i;
    KJ_FAIL_REQUIRE("a peer of another swarm");
  }
};

}  // namespace hearth::storage
