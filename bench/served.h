#pragma once
// A process that serves on a loopback port, for as long as the object lives. It is forked when the
// measuring process has done nothing yet, so that each side's memory is its own.

#include <cstdint>
#include <functional>
#include <sys/types.h>

namespace hearth::bench {

class Served final {
 public:
  // `serve` says its port once and then answers until it is killed.
  using SayPort = std::function<void(uint16_t)>;
  explicit Served(const std::function<void(SayPort)>& serve);
  ~Served();
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  uint16_t port() const { return answersAt; }
  pid_t process() const { return child; }

  // What it has used so far; it may still be at work.
  double cpuS() const;
  double rssPeakMib() const;

 private:
  pid_t child = -1;
  uint16_t answersAt = 0;
};

}  // namespace hearth::bench
