// Blobs between simulated daemons: places and targets in memory, everything between them as it ships.

#include "storage/blob/cutter.h"
#include "tests/simulator/paired-home.h"
#include "tests/storage/blob/luck.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <optional>

namespace hearth::sim {
namespace {

using crypto::Buffer;
using devices::BlobPlace;
using devices::BlobTarget;
using devices::WantedPart;
using storage::BlobRef;
using storage::ContentId;

constexpr auto S = kj::SECONDS;

// Blobs in memory, of any device.
class Shelf final: public BlobPlace, public BlobTarget {
 public:
  using Where = std::tuple<ContentId, uint8_t, uint64_t>;

  std::map<Where, Buffer> all;
  std::map<Digest, Buffer> nodes;
  size_t kept = 0, looks = 0, keeps = 0;
  uint64_t keptBytes = 0;
  size_t lies = 0;  // from this answer on; 0: never
  size_t answers = 0;
  bool isFull = false;

  BlobRef add(crypto::Bytes bytes) {
    static const storage::Gear GEAR(storage::testKey());
    std::vector<storage::Cut> cuts;
    storage::BlobCutter cutter(
        GEAR, [&](auto& cut) { cuts.push_back(cut); },
        [&](auto& hash, auto encoded) { nodes[hash] = kj::heapArray<kj::byte>(encoded); });
    cutter.add(bytes);
    auto ref = cutter.finish();
    for (auto& cut: cuts)
      all[{ref.contentId(), 0, cut.offset}] =
          kj::heapArray<kj::byte>(bytes.slice(cut.offset, cut.offset + cut.chunk.length));
    put(ref.contentId(), expectedTop(ref), 0);
    return ref;
  }

  kj::Promise<Answers> parts(std::vector<storage::AskedPart> asked, size_t mostBytes) override {
    Answers found;
    size_t bytes = 0;
    for (auto& part: asked) {
      if (bytes >= mostBytes) break;
      auto here = all.find({part.content, part.level, part.offset});
      if (here == all.end()) {
        found.add(nullptr);
        continue;
      }
      auto copy = kj::heapArray<kj::byte>(here->second.asPtr());
      bytes += copy.size();
      if (++answers >= lies && lies > 0) copy[0] ^= 1;
      found.add(Found{{}, kj::mv(copy)});
    }
    return kj::mv(found);
  }

  kj::Promise<Looked> look(std::vector<WantedPart> wanted) override {
    ++looks;
    Looked found;
    for (auto& part: wanted) {
      auto here = all.find({part.content, part.level, part.offset});
      if (here == all.end()) {
        found.add(nullptr);
      } else {
        found.add(kj::heapArray<kj::byte>(here->second.asPtr()));
      }
    }
    return kj::mv(found);
  }

  // Each part once.
  kj::Promise<void> keep(std::vector<Arrived> arrived) override {
    if (isFull) return KJ_EXCEPTION(OVERLOADED, "no space left");
    ++keeps;
    for (auto& [part, bytes]: arrived) {
      ++kept;
      keptBytes += bytes.size();
      bool isNew = all.emplace(Where{part.content, part.level, part.offset}, kj::mv(bytes)).second;
      REQUIRE(isNew);
    }
    return kj::READY_NOW;
  }

 private:
  void put(const ContentId& content, const storage::Expected& expected, uint64_t offset) {
    if (expected.level == 0) return;
    auto& encoded = nodes.at(expected.part.hash);
    all[{content, expected.level, offset}] = kj::heapArray<kj::byte>(encoded.asPtr());
    auto node = verifyNode(expected, encoded).value();
    for (size_t i = 0; i < node.children.size(); ++i) {
      put(content, expectedChild(node, i, expected.last), offset);
      offset += node.children[i].length;
    }
  }
};

struct Shelves: Trio {
  Shelf phoneShelf, laptopShelf, deskShelf;

  explicit Shelves(crypto::Role role = crypto::Role::MEMBER): Trio(role) {
    exchange(phone).add(phoneShelf);
    exchange(laptop).add(laptopShelf);
    exchange(desk).add(deskShelf);
  }

  devices::BlobExchange& exchange(Device& device) {
    return KJ_ASSERT_NONNULL(device.node()).data().exchange();
  }

  // Begins a fetch, whose end it notes.
  struct Running {
    std::optional<Result<void>> ended;
    std::string failed;
    kj::Promise<void> promise = nullptr;
  };
  kj::Own<Running> fetch(
      Device& device, Shelf& into, const BlobRef& ref, devices::BlobFetching::Wish wish = {}) {
    auto running = kj::heap<Running>();
    auto& out = *running;
    running->promise =
        exchange(device)
            .fetch(ref, wish, into)
            .then([&out](Result<void> how) { out.ended = how; },
                [&out](kj::Exception&& e) { out.failed = e.getDescription().cStr(); })
            .eagerlyEvaluate(nullptr);
    return running;
  }
  void run(kj::Duration span) { world.run(span); }
};

bool isDone(const Shelves::Running& fetch) { return fetch.ended && fetch.ended->has_value(); }

TEST_CASE("a blob is fetched from several devices at once, each part from one of them") {
  Shelves home;
  auto bytes = storage::randomBytes(6 << 20, 1);
  auto ref = home.phoneShelf.add(bytes);
  home.deskShelf.add(bytes);
  auto fetch = home.fetch(home.laptop, home.laptopShelf, ref);
  home.run(60 * S);
  REQUIRE(isDone(*fetch));
  REQUIRE(home.laptopShelf.all == home.phoneShelf.all);
  REQUIRE(home.phoneShelf.answers > 20);
  REQUIRE(home.deskShelf.answers > 20);
  REQUIRE(home.phoneShelf.answers + home.deskShelf.answers == home.laptopShelf.kept);
}

TEST_CASE("small blobs come many at a time, to the target and from the place") {
  Shelves home;
  std::vector<kj::Own<Shelves::Running>> fetches;
  for (uint64_t i = 0; i < 2'000; ++i) {
    auto ref = home.phoneShelf.add(storage::randomBytes(4'096, i));
    fetches.push_back(home.fetch(home.laptop, home.laptopShelf, ref));
  }
  home.run(60 * S);
  for (auto& fetch: fetches) REQUIRE(isDone(*fetch));
  REQUIRE(home.laptopShelf.kept == 2'000);
  REQUIRE(home.laptopShelf.keeps < 200);
  REQUIRE(home.laptopShelf.looks < 20);
}

TEST_CASE(
    "a device that sends wrong parts is named and not asked again, and the blob still comes") {
  Shelves home;
  auto bytes = storage::randomBytes(6 << 20, 2);
  auto ref = home.phoneShelf.add(bytes);
  home.deskShelf.add(bytes);
  home.deskShelf.lies = 10;
  auto fetch = home.fetch(home.laptop, home.laptopShelf, ref);
  home.run(60 * S);
  REQUIRE(home.deskShelf.answers >= 10);
  REQUIRE(isDone(*fetch));
  REQUIRE(home.laptopShelf.all == home.phoneShelf.all);
  auto& liars = home.exchange(home.laptop).liars();
  REQUIRE(liars.size() == 1);
  REQUIRE(liars.contains(KJ_ASSERT_NONNULL(home.desk.id())));
  auto alarms = KJ_ASSERT_NONNULL(home.laptop.node()).alarms();
  REQUIRE(alarms.size() == 1);
  REQUIRE(alarms[0].starts_with("desk sends other bytes"));
  auto before = home.deskShelf.answers;
  home.desk.kill();
  home.desk.start();
  home.run(30 * S);
  home.exchange(home.desk).add(home.deskShelf);
  auto second = home.deskShelf.add(storage::randomBytes(10'000, 3));
  auto other = home.fetch(home.laptop, home.laptopShelf, second);
  home.run(60 * S);
  REQUIRE(!isDone(*other));
  REQUIRE(home.deskShelf.answers == before);
}

TEST_CASE("a fetch that a kill has cut goes on at the part where it stopped") {
  Shelves home;
  auto ref = home.phoneShelf.add(storage::randomBytes(24 << 20, 4));
  auto fetch = home.fetch(home.laptop, home.laptopShelf, ref);
  while (home.laptopShelf.kept < 300) home.run(10 * kj::MILLISECONDS);
  REQUIRE(!isDone(*fetch));
  fetch = nullptr;
  home.laptop.kill();
  auto before = home.laptopShelf.kept;
  home.laptop.start();
  home.run(30 * S);
  fetch = home.fetch(home.laptop, home.laptopShelf, ref);
  home.run(120 * S);
  REQUIRE(isDone(*fetch));
  REQUIRE(home.laptopShelf.all == home.phoneShelf.all);  // and nothing came twice: Shelf looks
  REQUIRE(home.laptopShelf.kept > before);
}

TEST_CASE("a fetch waits for a device that has the blob, and says meanwhile that nobody has it") {
  Shelves home;
  Shelf elsewhere;
  auto bytes = storage::randomBytes(300'000, 5);
  auto ref = elsewhere.add(bytes);
  auto fetch = home.fetch(home.laptop, home.laptopShelf, ref);
  home.run(10 * S);
  REQUIRE(home.exchange(home.laptop).isStuck(ref.contentId()));
  home.phoneShelf.add(bytes);
  home.exchange(home.laptop).peerHas(KJ_ASSERT_NONNULL(home.phone.id()), ref.contentId());
  home.run(10 * S);
  REQUIRE(isDone(*fetch));
}

TEST_CASE("a target that cannot keep what comes fails its own fetches") {
  Shelves home;
  auto ref = home.phoneShelf.add(storage::randomBytes(300'000, 6));
  auto other = home.phoneShelf.add(storage::randomBytes(300'000, 7));
  Shelf full;
  full.isFull = true;
  auto fails = home.fetch(home.laptop, full, ref);
  auto comes = home.fetch(home.laptop, home.laptopShelf, other);
  home.run(10 * S);
  REQUIRE(fails->failed == "no space left");
  REQUIRE(isDone(*comes));
}

TEST_CASE("of a fetch that is given up nothing more is kept") {
  Shelves home;
  auto ref = home.phoneShelf.add(storage::randomBytes(24 << 20, 8));
  auto fetch = home.fetch(home.laptop, home.laptopShelf, ref);
  while (home.laptopShelf.kept < 100) home.run(10 * kj::MILLISECONDS);
  fetch = nullptr;
  auto before = home.laptopShelf.kept;
  home.run(10 * S);
  REQUIRE(home.laptopShelf.kept == before);
  REQUIRE(home.exchange(home.laptop).fetching() == 0);
}

TEST_CASE("who wants a blob that another one is given waits for its end, and then looks") {
  Shelves home;
  auto ref = home.phoneShelf.add(storage::randomBytes(2 << 20, 9));
  auto first = home.fetch(home.laptop, home.laptopShelf, ref);
  auto second = home.fetch(home.laptop, home.laptopShelf, ref);
  home.run(30 * S);
  REQUIRE(isDone(*first));
  REQUIRE(isDone(*second));
}

// The first second's worth comes at once, and no more than a window of it is on its way.
void REQUIRE_RATE(const Shelves& home, uint64_t bytes, uint64_t rate, uint64_t seconds) {
  constexpr uint64_t UNDER_WAY = storage::BLOB_MESSAGE_BYTES_MAX;
  CAPTURE(bytes, rate, seconds, home.world.seed());
  REQUIRE(bytes <= rate * (seconds + 1) + UNDER_WAY);
  REQUIRE(bytes + UNDER_WAY >= rate * seconds * 9 / 10);
}

TEST_CASE(
    "what a device fetches and what it sends keep to its limits, of all together and towards one device") {
  constexpr uint64_t RATE = 256 << 10;
  constexpr uint64_t SECONDS = 20;
  auto onlyUp = GENERATE(false, true);
  auto towardsOne = GENERATE(false, true);
  CAPTURE(onlyUp, towardsOne);
  Shelves home;
  auto bytes = storage::randomBytes(24 << 20, 20);
  auto ref = home.phoneShelf.add(bytes);
  // The laptop limits what it fetches, or the phone what it sends.
  auto& device = onlyUp ? home.phone : home.laptop;
  auto other = KJ_ASSERT_NONNULL((onlyUp ? home.laptop : home.phone).id());
  auto& gate = KJ_ASSERT_NONNULL(device.node()).data().gate();
  home.world.add(
      gate.setRates(
              towardsOne ? other : DeviceId(), {.up = onlyUp ? RATE : 0, .down = onlyUp ? 0 : RATE})
          .ignoreResult());
  home.run(1 * S);
  auto fetch = home.fetch(home.laptop, home.laptopShelf, ref);
  home.run(static_cast<int64_t>(SECONDS) * S);
  REQUIRE_RATE(home, home.laptopShelf.keptBytes, RATE, SECONDS);
  // Of another device, which has no limit towards this one: all of it comes.
  home.deskShelf.add(bytes);
  home.exchange(home.laptop).peerHas(KJ_ASSERT_NONNULL(home.desk.id()), ref.contentId());
  home.run(30 * S);
  bool comes = onlyUp || towardsOne;
  REQUIRE(isDone(*fetch) == comes);
  home.world.add(gate.setRates(towardsOne ? other : DeviceId(), {}).ignoreResult());
  home.run(60 * S);
  REQUIRE(isDone(*fetch));
  REQUIRE(home.laptopShelf.all == home.phoneShelf.all);
}

TEST_CASE(
    "a device that rests fetches nothing and gives nothing, and what is wanted comes when it goes again") {
  bool isGiving = GENERATE(false, true);
  CAPTURE(isGiving);
  Shelves home;
  auto ref = home.phoneShelf.add(storage::randomBytes(24 << 20, 21));
  auto fetch = home.fetch(home.laptop, home.laptopShelf, ref);
  while (home.laptopShelf.kept < 100) home.run(10 * kj::MILLISECONDS);
  auto& device = isGiving ? home.phone : home.laptop;
  device.meter(true);
  home.run(1 * S);
  auto before = home.laptopShelf.kept;
  REQUIRE(!isDone(*fetch));
  home.run(10 * kj::MINUTES);
  REQUIRE(home.laptopShelf.kept == before);
  REQUIRE(KJ_ASSERT_NONNULL(device.node()).data().gate().isResting());
  device.meter(false);
  home.run(30 * S);
  REQUIRE(isDone(*fetch));
  REQUIRE(home.laptopShelf.all == home.phoneShelf.all);
}

TEST_CASE("a VAULT gets no part of a blob") {
  Shelves home(crypto::Role::VAULT);
  auto ref = home.phoneShelf.add(storage::randomBytes(300'000, 10));
  auto forVault = home.fetch(home.desk, home.deskShelf, ref);
  auto forMember = home.fetch(home.laptop, home.laptopShelf, ref);
  home.run(30 * S);
  REQUIRE(isDone(*forMember));
  REQUIRE(!isDone(*forVault));
  REQUIRE(home.deskShelf.kept == 0);
}

}  // namespace
}  // namespace hearth::sim
