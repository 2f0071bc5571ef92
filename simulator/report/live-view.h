#pragma once
// What a person sees in the terminal while a world runs: a few lines, redrawn in place. Where nobody
// can redraw (a pipe, a file) it is one plain line now and then. It is told plain values, knows no
// world, and prints no control character that a name might hold.
//
//   home-evening · seed 7 · 0:12:40.000 · 2,310x
//     phone    running   83%  3 links  1 job   last fault cut 0:11:02.500
//     laptop   asleep    41%  0 links  0 jobs

#include <kj/io.h>
#include <kj/string.h>
#include <kj/time.h>

#include <string>
#include <vector>

namespace hearth::sim {

struct LiveDevice {
  std::string name;
  std::string state;    // "off", "on", "asleep", "running"
  double battery = -1;  // 0..1; below 0: it has none
  uint32_t linksUp = 0;
  uint32_t jobs = 0;
  std::string lastFault;  // with when it came; empty: none yet
};

struct LiveStatus {
  std::string title;
  uint64_t seed = 0;
  kj::Duration virtualTime = 0 * kj::SECONDS;
  double wallS = 0;  // since the run began
  std::vector<LiveDevice> devices;
};

class LiveView final {
 public:
  static constexpr size_t DEVICES_MAX = 16;        // further ones are only counted
  static constexpr double TERMINAL_EVERY_S = 0.1;  // of wall time
  static constexpr double PLAIN_EVERY_S = 5;

  struct Screen {
    bool isTerminal = false;
    bool colours = false;
    uint32_t columns = 80;
  };

  // `out` outlives the view.
  LiveView(kj::OutputStream& out, Screen screen): out(out), screen(screen) {}

  // Draws when it is time again, by status.wallS.
  void show(const LiveStatus& status);

  // Draws in any case, and leaves the lines as they are.
  void finish(const LiveStatus& status);

 private:
  kj::OutputStream& out;
  Screen screen;
  size_t linesDrawn = 0;
  double nextAtS = 0;

  void draw(const LiveStatus& status);
  kj::String picture(const LiveStatus& status) const;
};

// "0:12:40.000", "2d 03:00:00.000".
kj::String clockText(kj::Duration span);

}  // namespace hearth::sim
