#include "storage/folder/record.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

DeviceId device(kj::byte seed) {
  DeviceId id;
  id.bytes[0] = seed;
  return id;
}

FolderPath path(std::string_view text) { return FolderPath::parse(text).value(); }

std::vector<FolderRecord> everyKind() {
  PathState file{.kind = PathState::Kind::FILE,
      .attributes = {.mode = 0640,
          .modifiedNs = -1'500'000'000,
          .extended = {{"user.a", "1"}, {"user.b", ""}}},
      .content = {.level = 1, .top = {.length = 100'000}}};
  file.content.top.hash.bytes[3] = 9;
  PathState directory{.kind = PathState::Kind::DIRECTORY, .attributes = {.mode = 0755}};
  PathState link{.kind = PathState::Kind::SYMLINK, .target = "../elsewhere"};
  return {{path("a/report.txt"), file, {{device(1), 7, 3}, {device(2), 0, 0}}},
      {path("a"), directory, {}}, {path("link"), link, {{device(1), 1'000'000, 1'023}}},
      {path("old"), {}, {{device(2), 5, 0}}}};
}

TEST_CASE("records of a folder are what was written") {
  auto records = everyKind();
  auto bytes = encodeRecords(records);
  REQUIRE(readRecords(bytes).value() == records);
  REQUIRE(readRecords(encodeRecords({})).value().empty());
  for (auto& record: records) REQUIRE(readState(encodeState(record.state)).value() == record.state);
}

TEST_CASE("records that are cut or longer than they say are refused") {
  auto bytes = encodeRecords(everyKind());
  for (size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(readRecords(std::string_view(bytes).substr(0, size)));
  REQUIRE_FALSE(readRecords(bytes + '\0'));
  for (auto& record: everyKind()) {
    auto state = encodeState(record.state);
    for (size_t size = 0; size < state.size(); ++size)
      REQUIRE_FALSE(readState(std::string_view(state).substr(0, size)));
  }
}

TEST_CASE("records of other paths, kinds, modes and targets than there can be are refused") {
  auto refused = [](auto change) {
    auto bytes = encodeRecords(everyKind());
    auto changed = change(bytes);
    return !readRecords(changed);
  };
  auto replaceWith = [](std::string_view from, std::string_view to) {
    return [=](std::string bytes) { return bytes.replace(bytes.find(from), from.size(), to); };
  };
  REQUIRE_FALSE(refused([](std::string bytes) { return bytes; }));
  REQUIRE(refused(replaceWith("a/report.txt", "a/../ort.txt")));
  REQUIRE(refused(replaceWith("a/report.txt", "/areport.txt")));
  REQUIRE(refused(replaceWith("../elsewhere", std::string_view("..\0elsewhere", 12))));
  REQUIRE(refused(replaceWith("user.b", "user.A")));  // not in order
  REQUIRE(refused(replaceWith(
      std::string_view("\x03\x04link", 6), std::string_view("\x04\x04link", 6))));  // no such kind
  PathState wild{.kind = PathState::Kind::DIRECTORY, .attributes = {.mode = 01777}};
  REQUIRE_FALSE(readState(encodeState(wild)));
}

TEST_CASE("an entry says no more of a folder than it may") {
  std::vector<FolderRecord> many(RECORDS_MAX, {path("a"), {}, {}});
  auto most = encodeRecords(many);
  REQUIRE(readRecords(most).value().size() == RECORDS_MAX);
  std::string more = most.substr(0, 1) + "\x81\x08" + most.substr(3);  // 1,025
  for (auto& record: {most.substr(3, 4)}) more += record;
  REQUIRE_FALSE(readRecords(more));
  REQUIRE(
      readRecords(std::string(RECORDS_BYTES_MAX + 1, '\0')).error().code == Errc::LIMIT_EXCEEDED);
}

}  // namespace
}  // namespace hearth::storage
