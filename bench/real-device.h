#pragma once
// A device as its owner has it: hearthd with a home of its own, and hearth to ask it.

#include "bench/program.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace hearth::bench {

class RealDevice final {
 public:
  RealDevice(const std::string& directory, const std::string& name);

  const std::string name;
  const std::string address;  // on loopback, where nobody listened yet

  // `hearth ARGUMENTS --home ... --json`: begun, or its lines once it has ended well.
  using Words = std::vector<std::string>;
  kj::Own<Program> begin(const Words& arguments, const std::string& input = "/dev/null") const;
  std::vector<nlohmann::json> ask(
      const Words& arguments, const std::string& input = "/dev/null") const;

  void start();                    // hearthd; returns when it answers
  void stop();                     // it is asked to end, and has ended
  void kill() { daemon.reset(); }  // without a word
  bool isRunning() const { return daemon.has_value(); }

  // Of hearthd since it was started.
  double cpuS() const;
  double rssMib() const;
  double rssPeakMib() const;
  uint64_t wakeUps() const;  // times that one of its threads had waited and went on

 private:
  std::string home, log;
  std::optional<Program> daemon;

  pid_t process() const;
  bool answers() const;
};

}  // namespace hearth::bench
