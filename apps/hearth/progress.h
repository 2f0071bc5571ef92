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

  enum class Unit : uint8_t { BYTES, FILES, CHANGES };

  // `what`: "putting film.mkv".
  Progress(std::string what, bool asJson, Unit unit = Unit::BYTES);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A total of 0: nobody knows.
  void at(uint64_t done, uint64_t total);

 private:
  using Clock = std::chrono::steady_clock;

  std::string what;
  Unit unit;
  bool asJson, isTerminal;
  Clock::time_point begun = Clock::now(), shown{};
  uint64_t first = 0;  // done when it began
  bool hasBegun = false, isDrawn = false;

  std::string textOf(uint64_t amount) const;
  void draw(uint64_t done, uint64_t total, double perS);
};

// "1.5 GiB".
std::string bytesText(uint64_t bytes);
// "2 min 10 s".
std::string spanText(double seconds);

}  // namespace hearth::cli
