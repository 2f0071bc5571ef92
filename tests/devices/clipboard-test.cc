// The clipboard's entries, what two devices say of it, and when what is in it is over.
#include "devices/clipboard/clip-message.h"
#include "devices/clipboard/clip-shelf.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

using storage::ClipName;
using storage::ClipRow;
using Stamps = std::vector<uint64_t>;

constexpr auto S = kj::SECONDS;

DeviceId device(kj::byte fill) {
  DeviceId id;
  memset(id.bytes, fill, sizeof(id.bytes));
  return id;
}
const auto PHONE = device(1), LAPTOP = device(2);

crypto::SignPair pairOf(kj::byte fill) {
  return crypto::SignPair::fromSeed(crypto::SignSeed::make(
      [fill](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), fill, out.size()); }));
}

Clip clipOf(kj::StringPtr text) {
  Clip clip{.name = {7, PHONE}, .lifetimeMs = 60'000, .mime = "text/plain"};
  clip.bytes = kj::heapArray<kj::byte>(text.asBytes());
  return clip;
}

// A wall clock and one that only runs.
struct Times {
  ClipShelf::Now now{kj::origin<kj::TimePoint>(), kj::UNIX_EPOCH + 1'000 * kj::DAYS};

  ClipShelf::Now after(kj::Duration time) {
    now = {now.running + time, now.wall + time};
    return now;
  }
  int64_t wallMs() const { return (now.wall - kj::UNIX_EPOCH) / kj::MILLISECONDS; }
};

ClipRow row(uint64_t stamp, uint64_t leftMs, const DeviceId& author = PHONE) {
  return {.name = {stamp, author}, .place = stamp, .lifetimeMs = leftMs, .leftMs = leftMs};
}

Stamps stamps(const ClipShelf& shelf, const ClipShelf::Now& now) {
  Stamps all;
  for (auto& row: shelf.rows(now)) all.push_back(row.name.stamp);
  return all;
}

void put(ClipShelf& shelf, const ClipRow& row, const ClipShelf::Now& now) {
  REQUIRE(shelf.mayCome(row.name));
  shelf.comes(row.name);
  REQUIRE(shelf.add(row, now));
}

TEST_CASE("an entry of the clipboard reads as it was written, and its author alone has signed it") {
  auto pair = pairOf(1);
  auto clip = clipOf("hello");
  clip.isSecret = true;
  auto envelope = clip.sign(pair.secret);
  auto read = Clip::read(envelope).value();
  REQUIRE(read.name == clip.name);
  REQUIRE(read.lifetimeMs == 60'000);
  REQUIRE(read.isSecret);
  REQUIRE(read.mime == "text/plain");
  REQUIRE(read.bytes == clip.bytes);
  REQUIRE(Clip::verify(envelope, pair.pk).has_value());
  REQUIRE(Clip::verify(envelope, pairOf(2).pk).error().code == Errc::BAD_SIGNATURE);
}

TEST_CASE("an entry of the clipboard that was changed, cut or keeps no limit is refused") {
  auto pair = pairOf(1);
  auto envelope = clipOf("hello").sign(pair.secret);
  REQUIRE(Clip::read(envelope.slice(0, envelope.size() - 1)).error().code == Errc::BAD_FORMAT);
  auto at = [&](size_t i) {
    auto copy = kj::heapArray<kj::byte>(envelope.asPtr());
    copy[i] ^= 2;
    return copy;
  };
  constexpr size_t BODY = 1 + 14 + 4;  // behind the type and the length
  REQUIRE(Clip::read(at(BODY)).error().code == Errc::BAD_VERSION);
  auto otherLife = at(BODY + 1 + 32 + 8);
  REQUIRE(Clip::read(otherLife).has_value());
  REQUIRE(Clip::verify(otherLife, pair.pk).error().code == Errc::BAD_SIGNATURE);
  REQUIRE(Clip::read(at(BODY + 1 + 32 + 8 + 7)).error().code == Errc::BAD_FORMAT);  // for ages
  REQUIRE(Clip::read(at(BODY + 1 + 32 + 8 + 8)).error().code == Errc::BAD_FORMAT);  // its flags
  REQUIRE(Clip::read(at(BODY + 1)).error().code == Errc::BAD_FORMAT);               // its author
}

TEST_CASE("a preview is one line of the beginning of a text that is no secret") {
  auto clip = clipOf("one\ntwo");
  REQUIRE(clip.preview() == "one two");
  clip.isSecret = true;
  REQUIRE(clip.preview().empty());
  REQUIRE(clipOf("\xff").preview().empty());
  auto picture = clipOf("PNG");
  picture.mime = "image/png";
  REQUIRE(picture.preview().empty());
  auto umlauts = kj::str("x", kj::strArray(kj::repeat("ä"_kj, 40), ""));
  REQUIRE(clipOf(umlauts).preview().size() == 59);  // not within a character
}

TEST_CASE("what two devices say of the clipboard reads as it was written") {
  auto decoded = [](const clip::Message& message) {
    auto bytes = clip::encode(message);
    return clip::decode(bytes.slice(4, bytes.size())).value();
  };
  clip::Message state = clip::State{{{PHONE, 3}}, {{4, PHONE}, {5, LAPTOP}}};
  clip::Message want = clip::Want{{4, PHONE}};
  REQUIRE(decoded(state) == state);
  REQUIRE(decoded(want) == want);
  clip::Message item = clip::Item{9, kj::heapArray<kj::byte>("envelope"_kj.asBytes())};
  REQUIRE(decoded(item) == item);
}

TEST_CASE("what is no message about the clipboard is refused") {
  auto refused = [](crypto::Bytes bytes) { return clip::decode(bytes).error().code; };
  REQUIRE(refused(nullptr) == Errc::BAD_FORMAT);
  REQUIRE(refused("\x03"_kj.asBytes()) == Errc::BAD_FORMAT);
  auto state = clip::encode(clip::State{{{PHONE, 3}}, {{4, PHONE}}});
  REQUIRE(refused(state.slice(4, state.size() - 1)) == Errc::BAD_FORMAT);
  auto want = clip::encode(clip::Want{{4, PHONE}});
  want[want.size() - 1] = 0x80;  // a stamp that no database can hold
  REQUIRE(refused(want.slice(4, want.size())) == Errc::BAD_FORMAT);
  kj::byte endless[] = {0, 0xff, 0xff, 0, 0};
  REQUIRE(refused(endless) == Errc::BAD_FORMAT);
}

TEST_CASE("what is past its time is not shown, and is taken away") {
  Times time;
  ClipShelf shelf;
  put(shelf, row(1, 10'000), time.now);
  put(shelf, row(2, 0), time.now);
  REQUIRE(KJ_ASSERT_NONNULL(shelf.untilNext(time.now)) == 10 * S);
  REQUIRE(shelf.takeOverdue(time.after(9 * S)).empty());
  REQUIRE(KJ_ASSERT_NONNULL(shelf.leftMs({1, PHONE}, time.now)) == 1'000);
  time.after(1 * S);
  REQUIRE(stamps(shelf, time.now) == Stamps{2});
  REQUIRE(shelf.leftMs({1, PHONE}, time.now) == nullptr);
  REQUIRE(shelf.takeOverdue(time.now) == std::vector<ClipName>{{1, PHONE}});
  REQUIRE(shelf.untilNext(time.now) == nullptr);
  REQUIRE(KJ_ASSERT_NONNULL(shelf.leftMs({2, PHONE}, time.now)) == 0);
}

TEST_CASE("what is gone does not come back") {
  Times time;
  ClipShelf shelf;
  put(shelf, row(5, 10'000), time.now);
  shelf.takeOverdue(time.after(20 * S));
  REQUIRE(!shelf.mayCome({5, PHONE}));
  REQUIRE(!shelf.mayCome({4, PHONE}));
  REQUIRE(shelf.mayCome({6, PHONE}));
  REQUIRE(shelf.mayCome({4, LAPTOP}));
}

TEST_CASE("a time is over by either clock") {
  Times time;
  ClipShelf shelf;
  put(shelf, row(1, 600'000), time.now);
  auto slept = time.now;
  slept.wall += 600 * S;  // the clock that only runs stood still
  REQUIRE(shelf.rows(slept).empty());
  auto setBack = time.now;
  setBack.running += 600 * S;
  setBack.wall -= 3'650 * kj::DAYS;
  REQUIRE(shelf.rows(setBack).empty());
}

TEST_CASE(
    "after a restart no more is left than there was, and nothing of what was written in the future") {
  Times time;
  auto kept = row(1, 600'000);
  kept.atMs = time.wallMs();
  auto restored = [&](kj::Duration later) {
    ClipShelf shelf;
    shelf.restore({kept}, {{PHONE, 1, 0}}, {time.now.running, time.now.wall + later});
    return shelf.leftMs({1, PHONE}, {time.now.running, time.now.wall + later});
  };
  REQUIRE(KJ_ASSERT_NONNULL(restored(100 * S)) == 500'000);
  REQUIRE(restored(600 * S) == nullptr);
  REQUIRE(KJ_ASSERT_NONNULL(restored(-1 * S)) == 600'000);
  REQUIRE(restored(-61 * S) == nullptr);
}

TEST_CASE("who was here is remembered over a restart") {
  Times time;
  ClipShelf shelf;
  shelf.restore({}, {{PHONE, 5, 7}}, time.now);
  REQUIRE(!shelf.mayCome({7, PHONE}));
  REQUIRE(shelf.mayCome({8, PHONE}));
  REQUIRE(shelf.cleared() == std::map<DeviceId, uint64_t>{{PHONE, 7}});
  REQUIRE(shelf.newestOfAll().empty());
}

TEST_CASE("clearing takes what there was, and leaves what comes later and what others hold") {
  Times time;
  ClipShelf shelf;
  put(shelf, row(1, 0), time.now);
  put(shelf, row(2, 0, LAPTOP), time.now);
  put(shelf, row(3, 0), time.now);
  REQUIRE(shelf.clear(PHONE, 2));
  REQUIRE(!shelf.clear(PHONE, 2));
  REQUIRE(stamps(shelf, time.now) == Stamps{3, 2});
  REQUIRE(shelf.newestOfAll() == std::map<DeviceId, uint64_t>{{PHONE, 3}, {LAPTOP, 2}});
}

TEST_CASE("what is cleared away while it is on its way to the disk does not stay") {
  Times time;
  ClipShelf shelf;
  shelf.comes({1, PHONE});
  REQUIRE(shelf.clear(PHONE, 1));
  REQUIRE(!shelf.add(row(1, 0), time.now));
}

TEST_CASE("what the disk does not take may come again") {
  ClipShelf shelf;
  auto before = shelf.comes({1, PHONE});
  REQUIRE(!shelf.mayCome({1, PHONE}));
  shelf.cameNot({1, PHONE}, before);
  REQUIRE(shelf.mayCome({1, PHONE}));
}

TEST_CASE("of too many entries, and of too many bytes, the oldest go") {
  Times time;
  ClipShelf shelf;
  for (uint64_t i = 1; i <= ClipShelf::KEPT_MAX + 2; ++i) put(shelf, row(i, 0), time.now);
  REQUIRE(shelf.takeOverdue(time.now) == std::vector<ClipName>{{2, PHONE}, {1, PHONE}});
  REQUIRE(shelf.size() == ClipShelf::KEPT_MAX);
  auto large = row(100, 0);
  large.bytes = ClipShelf::BYTES_MAX;
  put(shelf, large, time.now);
  shelf.takeOverdue(time.now);
  REQUIRE(stamps(shelf, time.now).front() == 100);
}

}  // namespace
}  // namespace hearth::devices
