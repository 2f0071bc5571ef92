#include "simulator/report/live-view.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <utility>

namespace hearth::sim {
namespace {

class Written final: public kj::OutputStream {
 public:
  std::string text;
  void write(const void* buffer, size_t size) override {
    text.append(static_cast<const char*>(buffer), size);
  }
  std::string take() { return std::exchange(text, ""); }
};

LiveStatus evening() {
  return {.title = "evening",
      .seed = 7,
      .virtualTime = 760 * kj::SECONDS,
      .wallS = 0.5,
      .devices = {
          {"phone", "running", 0.83, 3, 1, "cut 0:11:02.500"}, {"laptop", "asleep", -1, 0, 0, ""}}};
}

TEST_CASE("a terminal shows a line for the run and one for each device") {
  Written out;
  LiveView view(out, {.isTerminal = true, .columns = 100});
  view.show(evening());
  REQUIRE(out.text ==
      "\r\x1b[J"
      "evening · seed 7 · 0:12:40.000 · 1,520x\n"
      "  phone   running   83%  3 links  1 job   last fault cut 0:11:02.500\n"
      "  laptop  asleep         0 links  0 jobs  \n");
}

TEST_CASE("the next picture is drawn over the last one") {
  Written out;
  LiveView view(out, {.isTerminal = true, .columns = 100});
  auto status = evening();
  view.show(status);
  out.take();
  status.wallS += 1;
  view.show(status);
  REQUIRE(out.text.starts_with("\x1b[3A\r\x1b[J"));
}

TEST_CASE("pictures do not come faster than a person can see them") {
  Written out;
  LiveView view(out, {.isTerminal = true, .columns = 100});
  auto status = evening();
  view.show(status);
  out.take();
  status.wallS += LiveView::TERMINAL_EVERY_S / 2;
  view.show(status);
  REQUIRE(out.text.empty());
  view.finish(status);
  REQUIRE_FALSE(out.text.empty());
}

TEST_CASE("where nobody can redraw there is one plain line now and then") {
  Written out;
  LiveView view(out, {.isTerminal = false});
  auto status = evening();
  view.show(status);
  status.wallS += LiveView::PLAIN_EVERY_S / 2;
  view.show(status);
  REQUIRE(out.text == "evening · seed 7 · 0:12:40.000 · 1,520x · 1 of 2 devices running · 1 job\n");
}

TEST_CASE("control characters of a name do not reach the terminal") {
  Written out;
  LiveView view(out, {.isTerminal = true, .columns = 100});
  auto status = evening();
  status.devices = {{"a\x1b[31m\nb", "on", -1, 0, 0, "x\ry"}};
  view.show(status);
  REQUIRE(out.text.find("a?[31m?b") != std::string::npos);
  REQUIRE(out.text.find("x?y") != std::string::npos);
}

TEST_CASE("no line is wider than the terminal, however long names and faults are") {
  Written out;
  LiveView view(out, {.isTerminal = true, .columns = 40});
  auto status = evening();
  status.title = std::string(100, 't');
  status.devices[0].name = "Größenwahn" + std::string(50, 'n');
  status.devices[0].lastFault = std::string(100, 'f');
  view.show(status);
  auto lines = out.text.substr(out.text.find('J') + 1);
  size_t width = 0;
  for (char c: lines) {
    width = c == '\n' ? 0 : width + ((c & 0xc0) != 0x80);
    REQUIRE(width <= 40);
  }
}

TEST_CASE("of many devices the first are shown and the others counted") {
  Written out;
  LiveView view(out, {.isTerminal = true, .columns = 100});
  auto status = evening();
  status.devices.assign(LiveView::DEVICES_MAX + 3, {"phone", "on", 0.5, 0, 0, ""});
  view.show(status);
  REQUIRE(out.text.find("and 3 devices more") != std::string::npos);
  REQUIRE(std::ranges::count(out.text, '\n') == LiveView::DEVICES_MAX + 2);
}

TEST_CASE("days are counted in the time of a world") {
  REQUIRE(clockText(0 * kj::SECONDS) == "0:00:00.000");
  REQUIRE(clockText(3'723'045 * kj::MILLISECONDS) == "1:02:03.045");
  REQUIRE(clockText(3 * kj::DAYS + 5 * kj::HOURS + 60 * kj::MILLISECONDS) == "3d 05:00:00.060");
}

}  // namespace
}  // namespace hearth::sim
