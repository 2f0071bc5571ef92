// What a document of settings says, whoever has written it.
#include "devices/settings/known-settings.h"
#include "devices/settings/settings-view.h"

#include <kj/encoding.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

using storage::Tree;

constexpr int64_t NOW = 1'800'000'000'000, HOUR = 3'600'000, DAY = 24 * HOUR;
const std::string KEY = CLIPBOARD_LIFETIME;

DeviceId device(kj::byte fill) {
  DeviceId id;
  memset(id.bytes, fill, sizeof(id.bytes));
  return id;
}
const auto SELF = device(1), OTHER = device(2);

Tree text(const char* value) { return {std::string(value)}; }
Tree map(Tree::Map entries) { return {kj::mv(entries)}; }
Tree only(Tree value) { return map({{"value", kj::mv(value)}}); }
Tree until(Tree value, int64_t fromMs, int64_t ms) {
  return map({{"value", kj::mv(value)}, {"from_ms", {fromMs}}, {"ms", {ms}}});
}
std::string hex(const DeviceId& id) { return kj::encodeHex(id.asBytes()).cStr(); }

// Of the key, on this device; empty: nothing.
std::string held(const Tree& document) {
  for (auto& view: settingsIn(document, SELF, NOW)) {
    if (view.holds && view.key == KEY) return std::get<std::string>(view.value.value);
  }
  return {};
}

TEST_CASE("a device goes by its own value before that of all, and by nobody else's") {
  auto document = map({{"all", map({{KEY, only(text("1m"))}})},
      {"devices",
          map({{hex(SELF), map({{KEY, only(text("2m"))}})},
              {hex(OTHER), map({{KEY, only(text("3m"))}})}})}});
  REQUIRE(held(document) == "2m");
  REQUIRE(settingsIn(document, SELF, NOW).size() == 3);
  auto alone = map({{"devices", map({{hex(OTHER), map({{KEY, only(text("3m"))}})}})}});
  REQUIRE(held(alone).empty());
}

TEST_CASE("what stands for a while holds from a day before its beginning to its end") {
  auto at = [](int64_t fromMs, int64_t ms) {
    return held(map({{"all",
        map({{KEY, map({{"value", text("1m")}, {"until", until(text("2m"), fromMs, ms)}})}})}}));
  };
  REQUIRE(at(NOW, HOUR) == "2m");
  REQUIRE(at(NOW - HOUR + 1, HOUR) == "2m");
  REQUIRE(at(NOW - HOUR, HOUR) == "1m");
  REQUIRE(at(NOW + DAY, HOUR) == "2m");
  REQUIRE(at(NOW + DAY + 1, HOUR) == "1m");
  for (auto ms: {int64_t{0}, int64_t{-1}, 366 * DAY, INT64_MAX}) REQUIRE(at(NOW, ms) == "1m");
  for (auto from: {int64_t{-1}, INT64_MIN, INT64_MAX}) REQUIRE(at(from, HOUR) == "1m");
}

TEST_CASE("of a clock that is ahead no more is left than was said") {
  auto views = settingsIn(
      map({{"all", map({{"key", map({{"until", until(text("x"), NOW + HOUR, HOUR)}})}})}}), SELF,
      NOW);
  REQUIRE(views.at(0).leftMs == HOUR);
}

TEST_CASE("a value that nobody can go by is passed over, and its problem told") {
  auto document = map({{"all", map({{KEY, only(text("1m"))}})},
      {"devices", map({{hex(SELF), map({{KEY, only(text("soon"))}})}})}});
  REQUIRE(held(document) == "1m");
  auto views = settingsIn(document, SELF, NOW);
  REQUIRE(views.at(0).problem.size() == 0);
  REQUIRE(views.at(1).problem.size() > 0);
}

TEST_CASE("a document that others have filled with anything says nothing, and does no harm") {
  REQUIRE(settingsIn(text("x"), SELF, NOW).empty());
  REQUIRE(settingsIn(map({{"all", text("x")}, {"devices", {int64_t{7}}}}), SELF, NOW).empty());
  REQUIRE(settingsIn(
      map({{"all", map({{KEY, text("x")}, {"b", map({{"until", text("y")}})}})},
          {"devices", map({{"no hex", map({{KEY, only(text("1m"))}})}, {hex(SELF), text("z")}})}}),
      SELF, NOW)
          .empty());
  Tree::Map many;
  for (size_t i = 0; i < SETTINGS_MAX + 10; ++i) many[std::to_string(i)] = only(text("x"));
  REQUIRE(settingsIn(map({{"all", map(many)}}), SELF, NOW).size() == SETTINGS_MAX);
}

TEST_CASE("the clipboard's lifetime is a time or none") {
  REQUIRE(*clipboardLifetime(text("90s")).value() == 90 * kj::SECONDS);
  REQUIRE(!clipboardLifetime(text("none")).value().has_value());
  for (auto wrong: {"", "soon", "31d", "0s"})
    REQUIRE(clipboardLifetime(text(wrong)).error().code == Errc::BAD_FORMAT);
  REQUIRE(clipboardLifetime({int64_t{90}}).error().code == Errc::BAD_FORMAT);
}

}  // namespace
}  // namespace hearth::devices
