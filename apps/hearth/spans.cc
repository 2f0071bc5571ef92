#include "apps/hearth/spans.h"

#include "apps/hearth/output.h"
#include "core/time/span.h"

namespace hearth::cli {

namespace {

constexpr uint64_t SECOND = 1'000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

}  // namespace

uint64_t spanOf(const std::string& typed) {
  KJ_IF_MAYBE(span, parseSpan(typed)) return static_cast<uint64_t>(*span / kj::MILLISECONDS);
  throw Failure{USAGE, "'" + typed + "' is no time: write it as 90s, 10m, 1h30m or 2d"};
}

std::string spanText(uint64_t ms) {
  auto in = [&](uint64_t unit) { return std::to_string((ms + unit - 1) / unit); };
  if (ms <= 99 * SECOND) return in(SECOND) + " s";
  if (ms <= 99 * MINUTE) return in(MINUTE) + " min";
  if (ms <= 48 * HOUR) return in(HOUR) + " h";
  return in(DAY) + " d";
}

}  // namespace hearth::cli
