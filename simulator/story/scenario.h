#pragma once
// A scenario: who has which devices, where they are when, what people do, what goes wrong. A text
// file (TOML) that reads like a story; docs/SIMULATOR.md describes every entry.
//
//   title = "The lid is shut in mid-sentence"
//   lasts = "90s"
//   short = true
//   [[network]]  name = "home"  kind = "home-wifi"
//   [[device]]   name = "phone"  profile = "phone"  at = ["home"]
//   [[step]]     at = "10s"  do = "dictate"  device = "phone"  words = 40
//   [[step]]     at = "14s"  do = "sleep"  device = "laptop"
//   [[storm]]    from = "20s"  until = "80s"  every = "5s"  faults = { kill = 2, cut = 3 }
//   [expect]     came = ["sleep"]

#include "core/base/result.h"

#include <kj/time.h>

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <vector>

namespace hearth::sim {

// A device of a scenario.
struct Cast {
  std::string name, profile;
  std::vector<std::string> at;      // networks, best first
  std::vector<std::string> visits;  // and those that it will be on some time
  bool admin = false;
  bool later = false;    // joins by a step, not at the beginning
  bool hidden = false;   // tells nobody an address: only the local link leads to it
  bool udp = false;      // is reached by datagrams as well
  bool counter = false;  // its machine has a chip that counts what no restored disk takes back
  std::string circle;    // whose it is, where several people share a world
  double battery = -1;   // 0..1; below 0: on mains, as far as it has a charger
};

// One thing that happens, once or several times.
struct Step {
  kj::Duration at = 0 * kj::SECONDS;     // after the circle stands
  kj::Duration every = 0 * kj::SECONDS;  // 0: once
  uint32_t times = 1;
  kj::Duration jitter = 0 * kj::SECONDS;  // later by chance, at most so much
  uint32_t permille = 1'000;              // how likely each time is
  std::string what;                       // "dictate", "kill", ...: docs/SIMULATOR.md
  std::string device, other;              // whom it concerns
  std::vector<std::string> networks;
  kj::Duration span = 0 * kj::SECONDS;  // 0: until something else ends it
  double amount = 0;                    // words, seconds, a factor: as the verb says
  double second = 0;
};

// Random faults by weight.
struct Storm {
  kj::Duration from = 0 * kj::SECONDS, until = 0 * kj::SECONDS;
  kj::Duration every = 10 * kj::SECONDS;   // on average
  kj::Duration span = 5 * kj::SECONDS;     // of one fault, at most twice that
  std::vector<std::string> devices;        // empty: all
  std::map<std::string, uint32_t> faults;  // verb and weight
};

struct Expectations {
  std::vector<std::string> came;              // effects that every run must have had
  std::vector<std::string> comes;             // effects that a swarm must have had
  std::vector<std::string> never;             // effects that no run may have had
  std::map<std::string, uint64_t> most;       // or not oftener than so
  bool allDone = false;                       // every dictation ends with all its words
  kj::Duration endsWithin = 0 * kj::SECONDS;  // of the end of the speech, each; 0: not asked
  double wakesPerHourMax = -1;                // of an idle device; below 0: not asked
  double mwhPerDayMax = -1;                   // drawn by radios and wake-ups of any battery device
};

struct Scenario {
  static constexpr size_t TEXT_BYTES_MAX = 256 << 10;
  static constexpr size_t DEVICES_MAX = 2'000, STEPS_MAX = 10'000;

  std::string name;  // of the file
  std::string title, story;
  bool isShort = false;
  kj::Duration lasts = 60 * kj::SECONDS;
  kj::Duration heals = 60 * kj::SECONDS;  // after that, with all faults over, everything must hold
  std::map<std::string, std::string> networks;  // name and kind
  std::vector<Cast> devices;
  std::vector<Step> steps;
  std::vector<Storm> storms;
  Expectations expect;
};

// Errors are one line that names the entry.
std::expected<Scenario, std::string> parseScenario(
    const std::string& name, const std::string& toml);

// The same as text that parseScenario reads; what `hearth-sim shrink` writes.
std::string writeScenario(const Scenario& scenario);

// "250ms", "90s", "5m", "2h", "1d7h30m". None when it is no time.
kj::Maybe<kj::Duration> parseSpan(const std::string& text);
std::string writeSpan(kj::Duration span);

}  // namespace hearth::sim
