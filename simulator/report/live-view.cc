#include "simulator/report/live-view.h"

#include <kj/vector.h>

#include <algorithm>

namespace hearth::sim {

namespace {

// Cells of a terminal, one for each character: names in wide scripts come out of line, no more.
size_t widthOf(kj::StringPtr text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

kj::String printable(const std::string& text) {
  auto clean = kj::heapString(text.data(), text.size());
  for (char& c: clean) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return clean;
}

// Exactly `width` cells.
kj::String cell(kj::StringPtr text, size_t width) {
  size_t cells = 0, end = 0;
  for (; end < text.size(); ++end) {
    if ((text[end] & 0xc0) != 0x80 && ++cells > width) break;
  }
  auto missing = width - kj::min(widthOf(text), width);
  return kj::str(text.slice(0, end), kj::repeat(' ', missing));
}

kj::String plural(uint64_t count, kj::StringPtr one) {
  return kj::str(count, ' ', one, count == 1 ? "" : "s");
}

kj::String grouped(uint64_t number) {
  auto digits = kj::str(number);
  kj::Vector<char> text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text.add(',');
    text.add(digits[i]);
  }
  return kj::heapString(text.begin(), text.size());
}

kj::String headOf(const LiveStatus& status) {
  auto seconds = static_cast<double>(status.virtualTime / kj::MILLISECONDS) / 1e3;
  auto speed = status.wallS > 0 ? static_cast<uint64_t>(seconds / status.wallS) : 0;
  return kj::str(printable(status.title), " · seed ", status.seed, " · ",
      clockText(status.virtualTime), " · ", grouped(speed), 'x');
}

kj::StringPtr colourOf(const std::string& state) {
  if (state == "running") return "32";
  if (state == "asleep") return "34";
  if (state == "off") return "90";
  return "33";
}

kj::String batteryOf(const LiveDevice& device) {
  if (device.battery < 0) return kj::str("    ");
  auto percent = kj::str(static_cast<int>(device.battery * 100 + 0.5), '%');
  return kj::str(kj::repeat(' ', 4 - kj::min(percent.size(), size_t{4})), percent);
}

}  // namespace

kj::String clockText(kj::Duration span) {
  auto total = span / kj::MILLISECONDS;
  auto two = [](int64_t n) { return n < 10 ? kj::str('0', n) : kj::str(n); };
  auto days = total / 86'400'000, hours = total / 3'600'000 % 24;
  auto rest = kj::str(two(total / 60'000 % 60), ':', two(total / 1'000 % 60), '.',
      total % 1'000 < 100 ? "0" : "", two(total % 1'000));
  return days > 0 ? kj::str(days, "d ", two(hours), ':', rest) : kj::str(hours, ':', rest);
}

kj::String LiveView::picture(const LiveStatus& status) const {
  kj::Vector<kj::String> lines;
  lines.add(cell(headOf(status), kj::min(screen.columns, widthOf(headOf(status)))));
  auto shown = kj::min(status.devices.size(), DEVICES_MAX);
  size_t nameWidth = 6;
  for (size_t i = 0; i < shown; ++i)
    nameWidth = kj::max(nameWidth, kj::min(widthOf(printable(status.devices[i].name)), size_t{20}));
  for (size_t i = 0; i < shown; ++i) {
    auto& device = status.devices[i];
    auto state = cell(printable(device.state), 8);
    auto before = kj::str("  ", cell(printable(device.name), nameWidth), "  ");
    auto after = kj::str(' ', batteryOf(device), "  ", cell(plural(device.linksUp, "link"), 9),
        cell(plural(device.jobs, "job"), 8),
        device.lastFault.empty() ? kj::str() : kj::str("last fault ", printable(device.lastFault)));
    auto room = screen.columns - kj::min(screen.columns, widthOf(before) + 8);
    auto rest = cell(after, kj::min(room, widthOf(after)));
    lines.add(screen.colours
            ? kj::str(before, "\x1b[", colourOf(device.state), 'm', state, "\x1b[0m", rest)
            : kj::str(before, state, rest));
  }
  if (shown < status.devices.size())
    lines.add(kj::str("  and ", plural(status.devices.size() - shown, "device"), " more"));
  return kj::strArray(lines, "\n");
}

void LiveView::draw(const LiveStatus& status) {
  if (!screen.isTerminal) {
    size_t running = 0, jobs = 0;
    for (auto& device: status.devices) {
      running += device.state == "running";
      jobs += device.jobs;
    }
    auto line = kj::str(headOf(status), " · ", running, " of ",
        plural(status.devices.size(), "device"), " running · ", plural(jobs, "job"), '\n');
    out.write(line.begin(), line.size());
    return;
  }
  // Up to the first line of the last picture; each line, and what lies below, is cleared first.
  kj::Vector<kj::String> parts;
  if (linesDrawn > 0) parts.add(kj::str("\x1b[", linesDrawn, 'A'));
  auto drawn = picture(status);
  linesDrawn = 1;
  parts.add(kj::str("\r\x1b[J"));
  for (char c: drawn) linesDrawn += c == '\n';
  parts.add(kj::mv(drawn));
  parts.add(kj::str("\n"));
  auto bytes = kj::strArray(parts, "");
  out.write(bytes.begin(), bytes.size());
}

void LiveView::show(const LiveStatus& status) {
  if (status.wallS < nextAtS) return;
  nextAtS = status.wallS + (screen.isTerminal ? TERMINAL_EVERY_S : PLAIN_EVERY_S);
  draw(status);
}

void LiveView::finish(const LiveStatus& status) { draw(status); }

}  // namespace hearth::sim
