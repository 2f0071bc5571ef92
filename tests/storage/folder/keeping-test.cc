#include "storage/folder/keeping.h"

#include <kj/debug.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <set>

namespace hearth::storage {
namespace {

constexpr int64_t MINUTE = 60'000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
constexpr int64_t NOW = 1'795'717'812'000;  // 2026-11-26 18:30:12
constexpr uint64_t GIB = uint64_t{1} << 30, PLENTY = 1'000 * GIB;

FolderPath path(std::string_view text) { return FolderPath::parse(text).value(); }

std::string keptAs(std::string_view of, int64_t whenMs = NOW, uint32_t tag = 0xa1b2c3) {
  return keptPath({path(of), whenMs, tag}).str();
}

KeptVersion version(std::string_view of, int64_t agoMs, uint64_t bytes = 1) {
  auto when = NOW - agoMs;
  return {keptPath({path(of), when, 1}), path(of), when, bytes};
}

// How long ago what is left was kept, the youngest first.
std::vector<int64_t> left(const KeepingPolicy& policy, const std::vector<KeptVersion>& versions,
    uint64_t roomBytes = PLENTY, uint64_t neededBytes = 0) {
  auto dropped = toDrop(policy, versions, NOW, roomBytes, neededBytes);
  std::set gone(dropped.begin(), dropped.end());
  REQUIRE(gone.size() == dropped.size());
  std::vector<int64_t> ages;
  for (auto& one: versions) {
    if (!gone.contains(one.path)) ages.push_back(NOW - one.whenMs);
  }
  std::sort(ages.begin(), ages.end());
  return ages;
}

TEST_CASE("a kept file's name says what it was and when, before its ending") {
  REQUIRE(keptAs("dir/report.txt") == "dir/report~20261126-183012-a1b2c3.txt");
  REQUIRE(keptAs("report") == "report~20261126-183012-a1b2c3");
  REQUIRE(keptAs(".profile") == ".profile~20261126-183012-a1b2c3");
  REQUIRE(keptAs("a.tar.gz", NOW, 7) == "a.tar~20261126-183012-000007.gz");
  REQUIRE(keptAs("Mr. Smith and his long name") ==
      "Mr. Smith and his long name~20261126-183012-a1b2c3");
  REQUIRE(keptAs("a.") == "a~20261126-183012-a1b2c3.");
}

TEST_CASE("the name of a kept file is read again") {
  auto of = GENERATE(as<std::string>(), "dir/report.txt", "report", ".profile", "a.tar.gz", "a.",
      "x~20261126-183012-a1b2c3.txt", "a.b~20261126-183012-a1b2c3", "a.something-that-is-long", "~",
      "d.e/f", "Ü/ß.é");
  for (int64_t when: {int64_t{0}, NOW, NOW + 1'000, int64_t{951'782'399'000},
           int64_t{951'868'799'000}, int64_t{253'402'300'799'000}}) {
    KeptName name{path(of), when, 0x00ff10};
    auto parsed = parseKept(keptPath(name));
    REQUIRE(KJ_ASSERT_NONNULL(parsed) == name);
  }
}

TEST_CASE("names that are not Hearth's are not read") {
  auto name = GENERATE(as<std::string>(), "report.txt", "~20261126-183012-a1b2c3",
      "a~20261326-183012-a1b2c3", "a~20260230-183012-a1b2c3", "a~20261126-243012-a1b2c3",
      "a~20261126-186012-a1b2c3", "a~20261126-183060-a1b2c3", "a~20261126-183012-A1b2c3",
      "a~20261126-183012-a1b2c", "a~20261126 183012-a1b2c3", "a-20261126-183012-a1b2c3",
      "a~19691231-235959-a1b2c3", "~20261126-183012-a1b2c3.txt", "a~2026112x-183012-a1b2c3");
  REQUIRE(parseKept(path(name)) == nullptr);
  REQUIRE(parseKept(FolderPath()) == nullptr);
}

TEST_CASE("times that no clock should show are taken to the nearest that a name can say") {
  REQUIRE(keptAs("a", -5) == "a~19700101-000000-a1b2c3");
  REQUIRE(keptAs("a", INT64_MAX) == "a~99991231-235959-a1b2c3");
}

TEST_CASE("a name that would be too long is shortened, and keeps its ending") {
  std::string longest(251, 'x');
  auto kept = path(keptAs("d/" + longest + ".txt"));
  REQUIRE(kept.name().size() == 255);
  REQUIRE(kept.name().ends_with("~20261126-183012-a1b2c3.txt"));
  REQUIRE(KJ_ASSERT_NONNULL(parseKept(kept)).of.name() == std::string(228, 'x') + ".txt");
  std::string umlauts;
  for (int i = 0; i < 127; ++i) umlauts += "ü";
  REQUIRE(parseKept(path(keptAs(umlauts))) != nullptr);
  REQUIRE(parseKept(path(keptAs("a." + std::string(253, 'y')))) != nullptr);
}

TEST_CASE("where the path would be too long a file is kept under its name alone") {
  std::string directories;
  for (int i = 0; i < 20; ++i) directories += std::string(199, 'd') + "/";
  REQUIRE(keptAs(directories + std::string(90, 'f')) ==
      std::string(90, 'f') + "~20261126-183012-a1b2c3");
}

TEST_CASE("of the last day every version is kept") {
  std::vector<KeptVersion> versions;
  std::vector<int64_t> all;
  for (int64_t ago = 0; ago <= DAY; ago += 10 * MINUTE) {
    versions.push_back(version("a", ago));
    all.push_back(ago);
  }
  REQUIRE(left({}, versions) == all);
}

TEST_CASE("of the last thirty days the last version of each day is kept") {
  // At 18:30, 12:30 and 06:30 of each day.
  std::vector<KeptVersion> versions;
  for (int64_t ago = 2 * DAY; ago <= 30 * DAY; ago += 6 * HOUR)
    versions.push_back(version("a", ago));
  auto found = left({}, versions);
  std::set<int64_t> days;
  for (auto ago: found) days.insert((NOW - ago) / DAY);
  REQUIRE(found.size() == days.size());
  REQUIRE(days.size() == 29);
  REQUIRE(found.front() == 2 * DAY);
}

TEST_CASE("up to a year the last version of each week is kept, and none that is older") {
  std::vector<KeptVersion> versions;
  for (int64_t days = 31; days <= 500; ++days) versions.push_back(version("a", days * DAY));
  auto found = left({}, versions);
  REQUIRE(found.size() >= 47);
  REQUIRE(found.size() <= 49);
  REQUIRE(found.back() <= 365 * DAY);
}

TEST_CASE("as time goes on each day is left with its last version") {
  std::vector<KeptVersion> versions;
  for (int64_t hour = 0; hour < 24; ++hour) {
    auto when = NOW - NOW % DAY + hour * HOUR;
    versions.push_back({keptPath({path("a"), when, 1}), path("a"), when, 1});
  }
  for (auto now = NOW; now < NOW + 3 * DAY; now += HOUR) {
    auto dropped = toDrop({}, versions, now, PLENTY);
    std::set gone(dropped.begin(), dropped.end());
    std::erase_if(versions, [&](auto& one) { return gone.contains(one.path); });
    REQUIRE_FALSE(versions.empty());
  }
  REQUIRE(versions.size() == 1);
  REQUIRE(versions[0].whenMs == NOW - NOW % DAY + 23 * HOUR);
}

TEST_CASE("files are thinned out each for itself") {
  std::vector<KeptVersion> versions;
  for (auto of: {"a", "b", "d/a"}) {
    versions.push_back(version(of, 3 * DAY));
    versions.push_back(version(of, 3 * DAY + HOUR));
  }
  REQUIRE(left({}, versions) == std::vector<int64_t>(3, 3 * DAY));
}

TEST_CASE("what is from the future is kept as new") {
  REQUIRE(left({}, {version("a", -400 * DAY), version("a", -400 * DAY - HOUR)}).size() == 2);
}

TEST_CASE("versions take at most their share of the room, and so many bytes") {
  KeepingPolicy policy;
  // Without them 100 GiB were free: they may have ten.
  std::vector<KeptVersion> versions{version("a", HOUR, 6 * GIB), version("b", 2 * HOUR, 6 * GIB)};
  REQUIRE(left(policy, versions, 88 * GIB) == std::vector<int64_t>{HOUR});
  REQUIRE(left(policy, versions, 200 * GIB).size() == 2);
  policy.bytesMax = 7 * GIB;
  REQUIRE(left(policy, versions, 200 * GIB) == std::vector<int64_t>{HOUR});
  policy.bytesMax = 0;
  REQUIRE(left(policy, versions, 200 * GIB).empty());
}

TEST_CASE("where room is needed the old and the large go first, and no more than that takes") {
  std::vector<KeptVersion> versions{version("young", MINUTE, GIB),
      version("small", 20 * HOUR, 1'000), version("large", 10 * HOUR, 2 * GIB),
      version("old", 20 * HOUR, GIB / 2)};
  auto dropped = toDrop({}, versions, NOW, 100 * GIB, 102 * GIB);
  REQUIRE(dropped == std::vector{versions[2].path});
  dropped = toDrop({}, versions, NOW, 100 * GIB, 102 * GIB + 1);
  REQUIRE(dropped == std::vector{versions[2].path, versions[3].path});
  dropped = toDrop({}, versions, NOW, 100 * GIB, 1'000 * GIB);
  REQUIRE(dropped.size() == 4);
  REQUIRE(dropped.back() == versions[1].path);
}

TEST_CASE("what is dropped for its age makes room, too") {
  std::vector<KeptVersion> versions{version("a", HOUR, GIB), version("b", 400 * DAY, GIB)};
  REQUIRE(left({}, versions, 100 * GIB, 101 * GIB) == std::vector<int64_t>{HOUR});
}

TEST_CASE("what lies there under another name is a version of itself, from when it was written") {
  FileState state;
  state.stamp.size = 5;
  state.stamp.modifiedNs = (NOW - 400 * DAY) * 1'000'000;
  auto kept = path(keptAs("d/a.txt"));
  auto versions = versionsOf({{path("stray"), state}, {kept, state}});
  REQUIRE(versions[0].of == path("stray"));
  REQUIRE(versions[0].whenMs == NOW - 400 * DAY);
  REQUIRE(versions[0].bytes == 5);
  REQUIRE(versions[1].path == kept);
  REQUIRE(versions[1].of == path("d/a.txt"));
  REQUIRE(versions[1].whenMs == NOW);
  REQUIRE(toDrop({}, versions, NOW, PLENTY) == std::vector{path("stray")});
}

}  // namespace
}  // namespace hearth::storage
