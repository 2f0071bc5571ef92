#include "apps/hearth/progress.h"

#include "apps/hearth/output.h"

#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace hearth::cli {

namespace {

constexpr int BAR_CELLS = 24;

const char* nameOf(Progress::Unit unit) {
  switch (unit) {
    case Progress::Unit::BYTES:
      return "bytes";
    case Progress::Unit::FILES:
      return "files";
    case Progress::Unit::CHANGES:
      return "changes";
  }
  return "";
}

}  // namespace

std::string bytesText(uint64_t bytes) {
  constexpr const char* UNITS[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1'024) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes) / 1'024;
  size_t unit = 0;
  for (; value >= 1'000 && unit < 3; ++unit) value /= 1'024;
  char text[32];
  snprintf(text, sizeof(text), value < 10 ? "%.1f %s" : "%.0f %s", value, UNITS[unit]);
  return text;
}

std::string spanText(double seconds) {
  auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3'600)
    return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3'600) + " h " + std::to_string(whole % 3'600 / 60) + " min";
}

Progress::Progress(std::string what, bool asJson, Unit unit)
    : what(std::move(what)),
      unit(unit),
      asJson(asJson),
      isTerminal(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (isDrawn) std::cerr << "\r\x1b[K" << std::flush;
}

void Progress::at(uint64_t done, uint64_t total) {
  auto now = Clock::now();
  if (!hasBegun) {
    hasBegun = true;
    begun = now;
    first = done;
  }
  if (now - shown < (asJson ? EVENT_EVERY : DRAWN_EVERY)) return;
  shown = now;
  auto seconds = std::chrono::duration<double>(now - begun).count();
  auto perS = seconds > 0 ? static_cast<double>(done - std::min(first, done)) / seconds : 0;
  auto left = static_cast<double>(total - std::min(done, total));
  if (asJson)
    printJson({{"event", "progress"}, {"what", what}, {"done", done},
        {"total", total > 0 ? nlohmann::json(total) : nlohmann::json()},
        {std::string(nameOf(unit)) + "_per_s", static_cast<uint64_t>(perS)},
        {"left_s", total > 0 && perS > 0 ? left / perS : -1}});
  if (!asJson && isTerminal) draw(done, total, perS);
}

std::string Progress::textOf(uint64_t amount) const {
  return unit == Unit::BYTES ? bytesText(amount) : std::to_string(amount) + " " + nameOf(unit);
}

void Progress::draw(uint64_t done, uint64_t total, double perS) {
  std::cerr << "\r\x1b[K" << what << "  ";
  if (total > 0) {
    auto share = static_cast<double>(done) / static_cast<double>(total);
    auto cells = static_cast<int>(std::min(share, 1.0) * BAR_CELLS);
    std::string bar(static_cast<size_t>(cells), '#');
    bar.resize(BAR_CELLS, '.');
    std::cerr << "[" << bar << "] " << static_cast<int>(share * 100) << " %  ";
  } else {
    std::cerr << textOf(done) << "  ";
  }
  std::cerr << textOf(static_cast<uint64_t>(perS)) << "/s";
  if (total > 0 && perS > 0)
    std::cerr << "  " << spanText(static_cast<double>(total - std::min(done, total)) / perS)
              << " left";
  std::cerr << std::flush;
  isDrawn = true;
}

}  // namespace hearth::cli
