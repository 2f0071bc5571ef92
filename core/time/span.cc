#include "core/time/span.h"

#include <charconv>

namespace hearth {

namespace {

constexpr int64_t NUMBER_MAX = 100'000;  // so that no sum is too large

kj::Maybe<kj::Duration> unitOf(char letter) {
  switch (letter) {
    case 's':
      return 1 * kj::SECONDS;
    case 'm':
      return 1 * kj::MINUTES;
    case 'h':
      return 1 * kj::HOURS;
    case 'd':
      return 1 * kj::DAYS;
    default:
      return nullptr;
  }
}

}  // namespace

kj::Maybe<kj::Duration> parseSpan(std::string_view typed) {
  auto total = 0 * kj::SECONDS;
  auto longest = NUMBER_MAX * kj::DAYS;
  for (auto *at = typed.data(), *end = at + typed.size(); at < end;) {
    int64_t number = 0;
    auto [after, error] = std::from_chars(at, end, number);
    if (error != std::errc() || after == end || number < 0 || number > NUMBER_MAX) return nullptr;
    KJ_IF_MAYBE(unit, unitOf(*after)) {
      total += number * *unit;
      if (total > longest) return nullptr;
    } else {
      return nullptr;
    }
    at = after + 1;
  }
  if (total == 0 * kj::SECONDS) return nullptr;
  return total;
}

}  // namespace hearth
