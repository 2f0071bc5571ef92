#include "simulator/report/page.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

namespace hearth::sim {
namespace {

using nlohmann::json;

// A history that is written by hand.
struct Diary {
  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  WorldTime time;
  History history{time};
  Outcome outcome;

  PageParts parts(std::vector<PageDevice> devices = {{"phone", "phone", "1a2b3c4d"}}) {
    return {history, outcome, kj::mv(devices)};
  }
  void pass(kj::Duration span) { time.run(scope, time.now() + span); }
  void violate(kj::Duration at, std::string text) {
    outcome.violations.push_back({WorldTime::BEGINNING + at, 0, "exactly-once", kj::mv(text)});
  }
};

// What a browser would find in the one data element of the page.
json dataIn(const kj::String& page) {
  std::string text(page.cStr(), page.size()), before = "id=\"data\">";
  auto from = text.find(before) + before.size();
  return json::parse(text.substr(from, text.find("</script>", from) - from));
}

std::string textOf(const json& data, size_t event) {
  return data["texts"][data["events"]["text"][event].get<size_t>()];
}

std::string kindOf(const json& data, size_t event) {
  return data["kinds"][data["events"]["kind"][event].get<size_t>()];
}

size_t countOf(const kj::String& page, const std::string& what) {
  std::string text(page.cStr(), page.size());
  size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST_CASE("what a device says cannot end the data of a page, and comes back as it was") {
  Diary diary;
  std::vector<std::string> hostile{"</script><script>alert(1)</script>", "<!--<script>", "]]>",
      "\"quotes\" and \\back\\slashes\\ and 'more'",
      std::string("nul\0 tab\t escape\x1b[2J\r\n", 22),
      "U+2028 \xe2\x80\xa8, a face \xf0\x9f\x98\x80", "/* data */ /* scripts */ /* page.css */"};
  auto plain = explainPage(diary.parts());
  for (auto& text: hostile) diary.history.add(0, "log", text);
  auto page = explainPage(diary.parts());

  REQUIRE(countOf(page, "</script") == countOf(plain, "</script"));
  REQUIRE(countOf(page, "<!--") == countOf(plain, "<!--"));
  auto data = dataIn(page);
  for (size_t i = 0; i < hostile.size(); ++i) REQUIRE(textOf(data, i) == hostile[i]);
}

TEST_CASE("hostile names, titles, kinds and effects stay inside of the data too") {
  Diary diary;
  std::string hostile = "</script><img src=x onerror=alert(1)>";
  diary.history.add(0, hostile, "text");
  diary.outcome.effects[hostile] = 1;
  diary.outcome.scenario = hostile;
  diary.violate(1 * kj::SECONDS, hostile);
  auto parts = diary.parts({{hostile, hostile, hostile}});
  parts.title = parts.story = parts.replay = hostile;
  auto page = explainPage(parts);

  REQUIRE(countOf(page, "<img") == 0);
  auto data = dataIn(page);
  REQUIRE(data["devices"][0]["name"] == hostile);
  REQUIRE(data["title"] == hostile);
  REQUIRE(data["effects"][hostile] == 1);
}

TEST_CASE("bytes that are no UTF-8 become replacement characters") {
  Diary diary;
  diary.history.add(0, "log", "cut \xc3");
  diary.history.add(0, "log", "\xff\xfe over \xc0\x80 long \xed\xa0\x80");
  auto data = dataIn(explainPage(diary.parts()));
  REQUIRE(textOf(data, 0) == "cut \xef\xbf\xbd");
  REQUIRE(textOf(data, 1).find("\xef\xbf\xbd") == 0);
}

TEST_CASE("a page asks for nothing from anywhere") {
  Diary diary;
  auto page = explainPage(diary.parts());
  REQUIRE(countOf(page, "default-src 'none'") == 1);
  for (auto loads: {"http:", "https:", "src=", "@import", "url(", "fetch(", "import("})
    REQUIRE(countOf(page, loads) == 0);
}

TEST_CASE("a violation stands at the time when it came about, once") {
  Diary diary;
  diary.history.add(0, "fault", "kill");
  diary.pass(10 * kj::SECONDS);
  diary.history.add(0, "state", "on");
  diary.pass(50 * kj::SECONDS);
  diary.violate(4 * kj::SECONDS, "a word came twice");
  diary.history.add(0, "violation", "exactly-once: a word came twice");
  diary.history.add(-1, "violation", "nobody else has told of this one");
  auto data = dataIn(explainPage(diary.parts()));

  REQUIRE(data["events"]["at"] == json({0, 4'000'000, 10'000'000, 60'000'000}));
  REQUIRE(kindOf(data, 1) == "violation");
  REQUIRE(textOf(data, 1) == "exactly-once: a word came twice");
  REQUIRE(kindOf(data, 3) == "violation");
}

TEST_CASE("numbers of 64 bits come whole, times as microseconds, messages with their first byte") {
  Diary diary;
  diary.outcome.seed = UINT64_MAX;
  diary.outcome.fingerprint = 0x0123456789abcdef;
  diary.pass(1'500 * kj::MICROSECONDS);
  diary.history.addMessage({diary.time.now(), 7, 0, 1, 1'215, 0x01});
  auto parts = diary.parts({{"phone", "phone", ""}, {"laptop", "laptop", ""}});
  parts.beganAt = diary.time.now();
  auto data = dataIn(explainPage(parts));

  REQUIRE(data["seed"] == "18446744073709551615");
  REQUIRE(data["fingerprint"] == "0123456789abcdef");
  REQUIRE(data["beganUs"] == 1'500);
  REQUIRE(data["healedUs"].is_null());
  REQUIRE(data["messages"]["at"] == json({1'500}));
  REQUIRE(data["messages"]["record"] == json({1}));
  REQUIRE(data["messages"]["bytes"] == json({1'215}));
}

TEST_CASE("a text that comes ten thousand times is written once") {
  Diary diary;
  for (int i = 0; i < 10'000; ++i) diary.history.add(0, "trace", "link.up peer=1a2b3c4d");
  auto data = dataIn(explainPage(diary.parts()));
  REQUIRE(data["events"]["at"].size() == 10'000);
  REQUIRE(data["texts"].size() == 1);
}

}  // namespace
}  // namespace hearth::sim
