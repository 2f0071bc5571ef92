#pragma once
// How far something that takes long is: a line on standard error while that is a terminal, events for scripts, and
// nothing for anybody else.

#include <chrono>
#include <cstdint>
#include <string>

namespace hearth::cli {

class Progress final {
 public:
  static constexpr std::chrono::milliseconds DRAWN_EVERY{100}, EVENT_EVERY{1'000};

  // `what`: "putting film.mkv". The total is in bytes.
  Progress(std::string what, bool asJson);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void at(uint64_t done, uint64_t total);

 private:
  using Clock = std::chrono::steady_clock;

  std::string what;
  bool asJson, isTerminal;
  Clock::time_point begun = Clock::now(), shown{};
  uint64_t first = 0;  // done when it began
  bool hasBegun = false, isDrawn = false;

  void draw(uint64_t done, uint64_t total, double bytesPerS);
};

// "1.5 GiB".
std::string bytesText(uint64_t bytes);
// "2 min 10 s".
std::string spanText(double seconds);

}  // namespace hearth::cli
