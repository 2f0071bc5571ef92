#include "storage/folder/text-merge.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <random>
#include <set>
#include <vector>

namespace hearth::storage {
namespace {

std::string merged(std::string_view base, std::string_view first, std::string_view second) {
  return mergedText(base, first, second).orDefault("CONFLICT");
}

TEST_CASE("what two have changed in different lines is changed in both") {
  REQUIRE(merged("a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n") == "A\nb\nc\nD\n");
  REQUIRE(merged("a\nb\nc\n", "b\nc\n", "a\nb\nc\nd\n") == "b\nc\nd\n");
  REQUIRE(merged("a\nb\nc", "a\nb\nc", "a\nc") == "a\nc");
  REQUIRE(merged("a\r\nb\r\nc\r\n", "x\r\na\r\nb\r\nc\r\n", "a\r\nb\r\nd\r\n") ==
      "x\r\na\r\nb\r\nd\r\n");
}

TEST_CASE("what two have added at one place stands there twice over, neither within the other") {
  REQUIRE(merged("milk\n", "milk\neggs\nbread\n", "milk\ntea\n") == "milk\neggs\nbread\ntea\n");
  REQUIRE(merged("milk", "milk\neggs", "milk\ntea") == "milk\neggs\ntea");
  REQUIRE(merged("", "eggs\n", "tea\n") == "eggs\ntea\n");
}

TEST_CASE("what two have changed alike is changed once") {
  REQUIRE(merged("a\nb\n", "a\nc\n", "a\nc\n") == "a\nc\n");
  REQUIRE(merged("a\n", "a\nb\n", "a\nb\n") == "a\nb\n");
  REQUIRE(merged("a\nb\nc\nd\n", "c\nd\n", "c\nD\n") == "c\nD\n");
  REQUIRE(merged("a\nb\nc\nd\n", "c\nd\n", "c\nd\ne\n") == "c\nd\ne\n");
}

TEST_CASE("what two have changed in the same line, or in neighbouring ones, is not merged") {
  REQUIRE(merged("a\n", "b\n", "c\n") == "CONFLICT");
  REQUIRE(merged("a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n") == "CONFLICT");
  REQUIRE(merged("a\nb\nc\n", "a\nc\n", "a\nb!\nc\n") == "CONFLICT");
  REQUIRE(merged("a\nb\n", "", "a\nb\nc\n") == "CONFLICT");
  REQUIRE(merged("a\nb\nc\n", "a\nX\nc\n", "a\nb\nnew\nc\n") == "CONFLICT");
}

// Lines that are all different: whatever is merged can be told apart.
struct Writer {
  std::mt19937_64 luck;
  size_t next = 0;

  std::string line(std::string_view who) {
    return std::string(who) + std::to_string(next++) + "\n";
  }
  std::string edit(const std::vector<std::string>& lines, std::string_view who,
      std::set<std::string>& written, std::set<std::string>& erased) {
    std::string text;
    for (auto& each: lines) {
      if (luck() % 8 == 0) {
        text += *written.insert(line(who)).first;
      }
      if (luck() % 8 == 0) {
        erased.insert(each);
      } else {
        text += each;
      }
    }
    return text;
  }
};

TEST_CASE("a merged text has what each has written, in its order, and not what either has erased") {
  auto seed = GENERATE(range(1, 400));
  Writer writer{std::mt19937_64(static_cast<uint64_t>(seed))};
  std::vector<std::string> lines;
  std::string base;
  for (size_t i = 0; i < writer.luck() % 40; ++i) {
    lines.push_back(writer.line("base "));
    base += lines.back();
  }
  std::set<std::string> written, erased;
  auto first = writer.edit(lines, "first ", written, erased);
  auto second = writer.edit(lines, "second ", written, erased);
  KJ_IF_MAYBE(text, mergedText(base, first, second)) {
    std::vector<std::string> found;
    for (size_t at = 0; at < text->size();) {
      auto end = text->find('\n', at) + 1;
      found.push_back(text->substr(at, end - at));
      at = end;
    }
    std::set<std::string> expected(written);
    for (auto& each: lines) {
      if (!erased.contains(each)) expected.insert(each);
    }
    REQUIRE(std::set<std::string>(found.begin(), found.end()) == expected);
    REQUIRE(found.size() == expected.size());
    // What stands in one of them in this order stands so here.
    for (auto* one: {&first, &second}) {
      size_t at = 0;
      for (auto& each: found) {
        auto place = one->find(each);
        if (place == one->npos) continue;
        REQUIRE(place >= at);
        at = place;
      }
    }
    // Who is asked first decides about nothing but the order at one place.
    auto other = KJ_REQUIRE_NONNULL(mergedText(base, second, first));
    REQUIRE(other.size() == text->size());
  } else {
    REQUIRE(mergedText(base, second, first) == nullptr);
  }
}

}  // namespace
}  // namespace hearth::storage
