#include "core/time/pace.h"
#include "tests/storage/blob/swarm.h"

#include <catch2/generators/catch_generators_range.hpp>

namespace hearth::storage {
namespace {

bool isDone(const Swarm& swarm, const BlobRef& ref) {
  auto found = swarm.ended.find(ref.contentId());
  return found != swarm.ended.end() && found->second.has_value();
}

bool isWhole(const Swarm& swarm, const Originals::Original& original) {
  uint64_t bytes = 0;
  for (auto& [place, part]: original.parts) {
    if (place.first > 0) continue;
    if (!swarm.fetched.chunks.contains({original.ref.contentId(), place.second})) return false;
    bytes += part.size();
  }
  return bytes == original.bytes.size();
}

TEST_CASE("a blob is fetched from one peer, and nothing but it and its nodes is sent") {
  Originals originals;
  auto& original = originals.add(randomBytes(5 << 20, 1));
  Swarm swarm(originals);
  swarm.add({});
  swarm.want(original.ref);
  swarm.run();
  REQUIRE(isDone(swarm, original.ref));
  REQUIRE(isWhole(swarm, original));
  uint64_t parts = 0;
  for (auto& [place, part]: original.parts) parts += part.size();
  REQUIRE(swarm.arrivedBytes == parts);
  REQUIRE(swarm.peer(0).sentBytes < parts + parts / 500);
  REQUIRE(swarm.askedBytes < parts / 500);
}

struct Allowed final: public BlobFetcher::Allowance {
  Pace pace{256 << 10};
  bool rests = false;

  Left left(BlobFetcher::PeerNumber, BlobFetcher::Time now) override {
    if (rests) return {0, nullptr};
    auto bytes = pace.left(now);
    if (bytes == 0) return {0, now + pace.wait(now) + 1 * kj::MILLISECONDS};
    return {bytes, nullptr};
  }
  void asked(BlobFetcher::PeerNumber, uint64_t bytes, BlobFetcher::Time now) override {
    pace.passed(bytes, now);
  }
};

TEST_CASE("peers are asked for no more than is allowed, and again when more is") {
  Originals originals;
  auto& original = originals.add(randomBytes(5 << 20, 1));
  Allowed allowed;
  Swarm swarm(originals, allowed);
  swarm.add({});
  swarm.add({});
  swarm.want(original.ref);
  swarm.run();
  REQUIRE(isDone(swarm, original.ref));
  // 20 s of it, of which one is saved up.
  REQUIRE(swarm.nowMs > 18'500);
  REQUIRE(swarm.nowMs < 22'000);
}

TEST_CASE("while nothing is allowed nobody is asked, and nothing is to happen") {
  Originals originals;
  auto& original = originals.add(randomBytes(5 << 20, 1));
  Allowed allowed;
  allowed.rests = true;
  Swarm swarm(originals, allowed);
  swarm.add({});
  swarm.want(original.ref);
  REQUIRE(swarm.fetcher->next() == nullptr);
  swarm.run(60'000);
  REQUIRE(swarm.peer(0).asks == 0);
  allowed.rests = false;
  swarm.run();
  REQUIRE(isDone(swarm, original.ref));
}

TEST_CASE("nothing, a byte and a single chunk are fetched") {
  Originals originals;
  Swarm swarm(originals);
  swarm.add({});
  for (size_t size: {0, 1, 8'000}) {
    auto& original = originals.add(randomBytes(size, 1));
    swarm.want(original.ref);
    swarm.run();
    REQUIRE(isDone(swarm, original.ref));
  }
}

TEST_CASE("several peers are asked at once, each for what it delivers") {
  Originals originals;
  auto& original = originals.add(randomBytes(24 << 20, 2));
  Swarm alone(originals), together(originals);
  alone.add({.bytesPerMs = 4'000});
  alone.want(original.ref);
  alone.run();
  for (uint64_t rate: {4'000, 4'000, 1'000}) together.add({.bytesPerMs = rate});
  together.want(original.ref);
  together.run();
  REQUIRE(isDone(together, original.ref));
  REQUIRE(together.nowMs * 10 < alone.nowMs * 6);
  REQUIRE(together.peer(2).sentBytes * 2 < together.peer(0).sentBytes);
  REQUIRE(together.peer(2).sentBytes > 1 << 20);
}

TEST_CASE("small blobs go many to a message") {
  Originals originals;
  Swarm swarm(originals);
  swarm.add({.latencyMs = 20});
  std::vector<BlobRef> refs;
  for (uint64_t i = 0; i < 2'000; ++i) refs.push_back(originals.add(randomBytes(4'096, i)).ref);
  for (auto& ref: refs) swarm.want(ref);
  swarm.run();
  for (auto& ref: refs) REQUIRE(isDone(swarm, ref));
  REQUIRE(swarm.peer(0).sentBytes < 2'000 * 4'096 * 1.01);
  REQUIRE(swarm.nowMs < 3'000);  // 2,000 round trips would be 80,000
}

TEST_CASE("what is needed first comes first, and a need that changes counts") {
  Originals originals;
  auto& patient = originals.add(randomBytes(4 << 20, 3));
  auto& urgent = originals.add(randomBytes(4 << 20, 4));
  auto& lowered = originals.add(randomBytes(4 << 20, 5));
  Swarm swarm(originals);
  swarm.want(lowered.ref, 1);
  swarm.want(patient.ref, 5);
  swarm.want(urgent.ref, 2);
  swarm.want(lowered.ref, 9);
  swarm.add({.bytesPerMs = 500});
  swarm.run();
  REQUIRE(swarm.inOrder ==
      std::vector{urgent.ref.contentId(), patient.ref.contentId(), lowered.ref.contentId()});
}

TEST_CASE("of a blob of which a range is wanted, what lies beside it is not asked for") {
  Originals originals;
  auto& original = originals.add(randomBytes(16 << 20, 6));
  Swarm swarm(originals);
  swarm.add({});
  swarm.want(original.ref, 0, {5'000'000, 5'100'000});
  swarm.run();
  REQUIRE(isDone(swarm, original.ref));
  for (auto& [place, part]: original.parts) {
    bool within = place.second < 5'100'000 && place.second + part.size() > 5'000'000;
    if (place.first == 0)
      REQUIRE(swarm.fetched.chunks.contains({original.ref.contentId(), place.second}) == within);
  }
  REQUIRE(swarm.arrivedBytes < 400'000);
}

TEST_CASE("after a restart what is here is not asked for again") {
  Originals originals;
  auto& original = originals.add(randomBytes(16 << 20, 7));
  Swarm swarm(originals);
  swarm.add({.bytesPerMs = 2'000});
  swarm.want(original.ref);
  swarm.run(4'000);
  auto before = swarm.fetched.chunks.size();
  REQUIRE(before > 100);
  REQUIRE(!isDone(swarm, original.ref));
  swarm.restart();
  swarm.run();
  REQUIRE(isDone(swarm, original.ref));  // no chunk came twice: Swarm looks
  REQUIRE(isWhole(swarm, original));
}

TEST_CASE("a peer that lies is named, its bytes are refused, and the others do its part") {
  Originals originals;
  auto& original = originals.add(randomBytes(8 << 20, 8));
  Swarm swarm(originals);
  int parts = 0;
  swarm.add({.lies = [&]() { return ++parts > 30; }});
  swarm.add({.bytesPerMs = 2'000});
  swarm.want(original.ref);
  swarm.run();
  REQUIRE(swarm.peer(0).lied);
  REQUIRE(swarm.peer(0).named);
  REQUIRE(!swarm.peer(1).named);
  REQUIRE(isWhole(swarm, original));
}

TEST_CASE("a peer that sends what is no message is named") {
  Originals originals;
  auto& original = originals.add(randomBytes(100'000, 9));
  Fetched fetched;
  BlobFetcher fetcher;
  auto now = kj::origin<kj::TimePoint>() + 1 * kj::SECONDS;
  fetcher.peerHere(4, now);
  REQUIRE(fetcher.want(original.ref, 0, {}).has_value());
  takeAtOnce(fetcher, fetched, now);
  fetcher.received(4, "\x02\x01"_kj.asBytes(), now);
  auto effects = fetcher.take(now);
  REQUIRE(effects.lied.size() == 1);
  REQUIRE(effects.lied[0].peer == 4);
  REQUIRE(effects.lied[0].error.code == Errc::BAD_FORMAT);
  REQUIRE(fetcher.stuck() == std::vector{original.ref.contentId()});
}

TEST_CASE("a part that nobody asked for is not kept") {
  Originals originals;
  auto& original = originals.add(randomBytes(100'000, 10));
  Fetched fetched;
  BlobFetcher fetcher;
  auto now = kj::origin<kj::TimePoint>() + 1 * kj::SECONDS;
  fetcher.peerHere(1, now);
  REQUIRE(fetcher.want(original.ref, 0, {}).has_value());
  takeAtOnce(fetcher, fetched, now);
  GiveParts parts{{{77, original.parts.begin()->second}}};
  fetcher.received(1, encode(parts), now);
  auto effects = fetcher.take(now);
  REQUIRE(effects.here.empty());
  REQUIRE(effects.lied.empty());
}

TEST_CASE("a peer that stalls holds nothing up, and is asked again later") {
  Originals originals;
  auto& original = originals.add(randomBytes(8 << 20, 11));
  Swarm swarm(originals);
  bool stalls = true;
  auto silent = swarm.add({.answers = [&]() { return !stalls; }});
  swarm.add({.bytesPerMs = 200});
  swarm.want(original.ref);
  swarm.later(10'000, [&]() { stalls = false; });
  swarm.run();
  REQUIRE(isWhole(swarm, original));
  REQUIRE(swarm.peer(silent).asks >= 2);
  REQUIRE(swarm.peer(silent).sentBytes > 1 << 20);
  REQUIRE(swarm.nowMs < 30'000);
}

TEST_CASE("a peer of 20 kB/s delivers a blob, each part once") {
  Originals originals;
  auto& original = originals.add(randomBytes(1 << 20, 15));
  Swarm swarm(originals);
  swarm.add({.bytesPerMs = 20});
  swarm.want(original.ref);
  swarm.run();
  REQUIRE(isWhole(swarm, original));
  uint64_t parts = 0;
  for (auto& [place, part]: original.parts) parts += part.size();
  REQUIRE(swarm.peer(0).sentBytes < parts + parts / 100);
  REQUIRE(swarm.nowMs < 60'000);
}

TEST_CASE("a peer that answers at once is soon asked for as much as it delivers") {
  Originals originals;
  auto& original = originals.add(randomBytes(64 << 20, 19));
  Swarm swarm(originals);
  swarm.add({.latencyMs = 1, .bytesPerMs = 100'000});
  swarm.want(original.ref);
  swarm.run();
  REQUIRE(isWhole(swarm, original));
  REQUIRE(swarm.nowMs < 1'000);  // a question and an answer at a time would be 3,000
}

TEST_CASE("a blob that every peer lacks is stuck, and goes on when one has got it") {
  Originals originals;
  auto& original = originals.add(randomBytes(1 << 20, 12));
  Swarm swarm(originals);
  bool has = false;
  swarm.add({.has = [&](auto&, auto) { return has; }});
  swarm.add({.has = [](auto&, auto) { return false; }});
  swarm.want(original.ref);
  swarm.run(1'000);
  REQUIRE(swarm.fetcher->stuck() == std::vector{original.ref.contentId()});
  has = true;
  swarm.fetcher->peerHas(0, original.ref.contentId());
  REQUIRE(swarm.fetcher->stuck().empty());
  swarm.run(5'000);
  REQUIRE(isWhole(swarm, original));
}

TEST_CASE(
    "a peer that lacks a blob is asked for it again and again, each time after twice as long") {
  Originals originals;
  auto& original = originals.add(randomBytes(10'000, 16));
  Swarm swarm(originals);
  swarm.add({.has = [](auto&, auto) { return false; }});
  swarm.want(original.ref);
  swarm.run(24 * 3'600'000);
  REQUIRE(swarm.peer(0).asks > 24);
  REQUIRE(swarm.peer(0).asks < 40);  // every 30 s would be 2,880
}

TEST_CASE("a part that is late holds back what lies far behind it, and no other blob") {
  Originals originals;
  auto& large = originals.add(randomBytes(48 << 20, 17));
  auto& other = originals.add(randomBytes(1 << 20, 18));
  Swarm swarm(originals);
  int questions = 0;
  swarm.add({.has = [&](auto& content, auto) { return content == large.ref.contentId(); },
      .answers = [&]() { return ++questions < 5; }});
  swarm.add({.latencyMs = 1, .bytesPerMs = 50'000});
  swarm.want(large.ref);
  swarm.want(other.ref);
  swarm.run(2'500);
  REQUIRE(!isDone(swarm, large.ref));
  REQUIRE(isDone(swarm, other.ref));
  swarm.run();
  REQUIRE(isDone(swarm, large.ref));
  REQUIRE(swarm.aheadMost > BlobFetcher::AHEAD_MAX / 2);
  REQUIRE(swarm.aheadMost <= BlobFetcher::AHEAD_MAX);
}

TEST_CASE("peers that have a part of a blob each give the whole together") {
  Originals originals;
  auto& original = originals.add(randomBytes(8 << 20, 13));
  Swarm swarm(originals);
  swarm.add({.has = [](auto&, auto offset) { return offset < 5'000'000; }});
  swarm.add({.has = [](auto&, auto offset) { return offset == 0 || offset >= 3'000'000; }});
  swarm.want(original.ref);
  swarm.run();
  REQUIRE(isWhole(swarm, original));
}

TEST_CASE(
    "a tree whose author has made it wrong fails, whoever sends it, and takes nothing with it") {
  Originals originals;
  auto& good = originals.add(randomBytes(100'000, 14));
  BlobNode wrong{1, {}};
  for (kj::byte i = 0; i < 20; ++i)
    wrong.children.push_back({hashOfChunk(kj::arrayPtr(&i, 1)), CHUNK_BYTES_MIN});
  Originals::Original bad;
  auto encoded = wrong.encode();
  bad.ref = {1, {hashOfNode(encoded), 20 * CHUNK_BYTES_MIN + 1}};
  bad.parts[{1, 0}] = kj::mv(encoded);
  auto ref = bad.ref;
  originals.all[ref.contentId()] = kj::mv(bad);
  Swarm swarm(originals);
  swarm.add({});
  swarm.want(ref);
  swarm.want(good.ref);
  swarm.run();
  REQUIRE(swarm.ended.at(ref.contentId()).error().code == Errc::BAD_FORMAT);
  REQUIRE(!swarm.peer(0).named);
  REQUIRE(isWhole(swarm, good));
}

TEST_CASE("no more blobs are wanted at once than the limit says") {
  BlobFetcher fetcher;
  BlobRef ref{0, {{}, 100}};
  for (uint32_t i = 0; i < BlobFetcher::WANTED_MAX; ++i) {
    memcpy(ref.top.hash.bytes, &i, sizeof(i));
    REQUIRE(fetcher.want(ref, 0, {}).has_value());
  }
  ref.top.hash.bytes[31] = 1;
  REQUIRE(fetcher.want(ref, 0, {}).error().code == Errc::LIMIT_EXCEEDED);
  fetcher.forget(BlobRef{0, {{}, 100}}.contentId());
  REQUIRE(fetcher.want(ref, 0, {}).has_value());
}

TEST_CASE("blobs are fetched whole from peers of every kind, over cuts and restarts") {
  auto seed = GENERATE(range(1, 61));
  CAPTURE(seed);
  std::mt19937_64 luck(static_cast<uint64_t>(seed));
  Originals originals;
  std::vector<const Originals::Original*> wanted;
  for (uint64_t i = 0, count = 1 + luck() % 6; i < count; ++i)
    wanted.push_back(
        &originals.add(randomBytes(luck() % (luck() % 2 ? 3'000'000 : 30'000), luck())));
  Swarm swarm(originals);
  auto count = 2 + luck() % 4;
  for (size_t i = 0; i < count; ++i) {
    Swarm::Peer peer{.latencyMs = luck() % 300, .bytesPerMs = 20 + luck() % 5'000};
    auto kind = i == 0 ? 0 : luck() % 5;  // the first is honest and always there, if slow
    if (kind == 1) peer.lies = [&]() { return luck() % 40 == 0; };
    if (kind == 2) peer.answers = [&]() { return luck() % 3 > 0; };
    if (kind == 3) peer.has = [](auto&, auto offset) { return offset / 200'000 % 2 == 0; };
    auto number = swarm.add(kj::mv(peer));
    if (kind != 4) continue;
    for (uint64_t ms = 0; ms < 20'000; ms += 700 + luck() % 3'000) {
      swarm.later(ms, [&swarm, number]() {
        if (swarm.peer(number).here)
          swarm.leave(number);
        else
          swarm.comeBack(number);
      });
    }
  }
  for (auto* original: wanted) swarm.want(original->ref, static_cast<uint32_t>(luck() % 3));
  for (uint64_t i = 0; i < luck() % 3; ++i) swarm.later(luck() % 5'000, [&]() { swarm.restart(); });
  swarm.run();
  for (auto* original: wanted) {
    REQUIRE(isDone(swarm, original->ref));
    REQUIRE((original->bytes.size() == 0 || isWhole(swarm, *original)));
  }
  for (size_t i = 0; i < count; ++i) REQUIRE((!swarm.peer(i).named || swarm.peer(i).lied));
}

constexpr auto LATER = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;

TEST_CASE("a peer that has more of a blob than it had is asked again at once") {
  BlobFetcher fetcher;
  BlobRef ref{0, {.length = 5}};
  REQUIRE(fetcher.want(ref, 0, {}).has_value());
  fetcher.peerHere(1, LATER);
  auto look = fetcher.take(LATER).look;
  REQUIRE(look.size() == 1);
  fetcher.looked(look[0].number, nullptr);
  auto asked = [&]() {
    auto sent = fetcher.take(LATER).send;
    return sent.empty() ? AskParts()
                        : std::get<AskParts>(parseBlobMessage(sent[0].message).value());
  };
  auto first = asked();
  REQUIRE(first.parts.size() == 1);
  fetcher.received(1, encode(LackParts{{first.parts[0].ticket}}), LATER);
  REQUIRE(asked().parts.empty());
  REQUIRE(fetcher.stuck().size() == 1);
  fetcher.received(1, encode(HasParts{{ContentId()}}), LATER);
  REQUIRE(asked().parts.empty());
  fetcher.received(1, encode(HasParts{{ref.contentId()}}), LATER);
  REQUIRE(asked().parts.size() == 1);
}

}  // namespace
}  // namespace hearth::storage
