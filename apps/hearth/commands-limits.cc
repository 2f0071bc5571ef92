// hearth limits, pause and resume: how much this device moves, and when.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/progress.h"

#include <charconv>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

namespace hearth::cli {

namespace {

using nlohmann::json;

constexpr int64_t AS_IT_IS = -1;
constexpr int16_t ALWAYS_ON_BATTERY = 101;

// A number and the letter behind it; 0: none.
std::optional<std::pair<int64_t, char>> numberWithUnit(const std::string& text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  auto rest = text.substr(static_cast<size_t>(end - text.data()));
  if (error != std::errc() || number < 0 || rest.size() > 1) return std::nullopt;
  return std::pair(number, rest.empty() ? '\0' : rest[0]);
}

int64_t rateOf(const std::string& text) {
  if (text.empty()) return AS_IT_IS;
  if (text == "none") return 0;
  auto parsed = numberWithUnit(text);
  std::optional<int> shift;
  if (parsed) {
    switch (parsed->second) {
      case '\0':
        shift = 0;
        break;
      case 'k':
        shift = 10;
        break;
      case 'M':
        shift = 20;
        break;
      case 'G':
        shift = 30;
        break;
    }
  }
  if (!shift || parsed->first == 0 || parsed->first > INT64_MAX >> *shift)
    throw Failure{USAGE, "'" + text + "' is no rate: 500k, 2M, or none"};
  return parsed->first << *shift;
}

int16_t belowOf(const std::string& text) {
  if (text.empty()) return AS_IT_IS;
  if (text == "go") return 0;
  if (text == "rest") return ALWAYS_ON_BATTERY;
  auto parsed = numberWithUnit(text);
  if (!parsed || parsed->second != '%' || parsed->first > 100)
    throw Failure{USAGE, "'" + text + "' is no charge: go, rest, or 20%"};
  return static_cast<int16_t>(parsed->first);
}

uint32_t secondsOf(const std::string& text) {
  if (text.empty()) return 0;
  auto parsed = numberWithUnit(text);
  int64_t unit = 0;
  if (parsed) {
    auto letter = parsed->second;
    unit = letter == 's' ? 1
        : letter == 'm'  ? 60
        : letter == 'h'  ? 3'600
        : letter == 'd'  ? 86'400
                         : 0;
  }
  if (unit == 0 || parsed->first == 0 || parsed->first > UINT32_MAX / unit)
    throw Failure{USAGE, "'" + text + "' is no time: 30s, 10m, 2h, 1d"};
  return static_cast<uint32_t>(parsed->first * unit);
}

std::string rateText(uint64_t rate) { return rate == 0 ? "none" : bytesText(rate) + "/s"; }

json rateJson(uint64_t rate) { return rate == 0 ? json() : json(rate); }

std::string batteryText(uint8_t below) {
  if (below == 0) return "goes on battery";
  if (below == ALWAYS_ON_BATTERY) return "rests on battery";
  return "rests on battery below " + std::to_string(below) + " %";
}

std::string pausedText(int64_t untilMs) {
  if (untilMs < 0) return "until hearth resume";
  auto seconds = static_cast<time_t>(untilMs / 1'000);
  tm local{};
  localtime_r(&seconds, &local);
  char text[32];
  return {text, strftime(text, sizeof(text), "until %Y-%m-%d %H:%M:%S", &local)};
}

void tell(const Common& common, local::LimitsView::Reader view) {
  auto why = view.getRests();
  if (common.json) {
    auto rates = json::array();
    for (auto rate: view.getRates())
      rates.push_back(
          {{"device", rate.getDevice().size() > 0 ? json(rate.getDevice().cStr()) : json()},
              {"id", rate.getId().size() > 0 ? json(rate.getId().cStr()) : json()},
              {"up_bytes_s", rateJson(rate.getUp())}, {"down_bytes_s", rateJson(rate.getDown())}});
    printJson({{"rates", rates}, {"rests_below_percent", view.getBelowPercent()},
        {"rests_on_metered", view.getOnMetered()},
        {"rests", why.size() > 0 ? json(why.cStr()) : json()}, {"sent_bytes", view.getSentBytes()},
        {"fetched_bytes", view.getFetchedBytes()},
        {"paused_until_ms", view.getPausedUntilMs() > 0 ? json(view.getPausedUntilMs()) : json()}});
    return;
  }
  std::vector<std::vector<std::string>> rows{{"WITH", "UP", "DOWN"}};
  for (auto rate: view.getRates())
    rows.push_back({rate.getId().size() > 0 ? rate.getDevice().cStr() : "all together",
        rateText(rate.getUp()), rateText(rate.getDown())});
  if (rows.size() == 1) rows.push_back({"all together", "none", "none"});
  printTable(rows);
  std::cout << batteryText(view.getBelowPercent()) << "; "
            << (view.getOnMetered() ? "rests on metered networks" : "goes on metered networks")
            << "\n";
  if (why == "paused") {
    std::cout << "paused " << pausedText(view.getPausedUntilMs()) << "\n";
  } else if (why.size() > 0) {
    std::cout << "rests: " << why.cStr() << "\n";
  }
}

}  // namespace

int limits(const Common& common, const std::string& what, const LimitsOptions& options) {
  auto up = rateOf(options.up), down = rateOf(options.down);
  auto below = belowOf(options.onBattery);
  auto seconds = secondsOf(options.duration);
  bool setsRates = up != AS_IT_IS || down != AS_IT_IS;
  if (!options.with.empty() && !setsRates)
    throw Failure{USAGE, "--with says towards which device: say --up or --down, too"};
  Client client(common.home.c_str());
  auto wait = [&](auto&& promise) { return kj::mv(promise).wait(client.waitScope()); };
  auto limits = wait(client.daemon().limitsRequest().send()).getLimits();
  if (setsRates) {
    auto request = limits.setRatesRequest();
    request.setDevice(options.with.c_str());
    request.setUp(up);
    request.setDown(down);
    wait(request.send());
  }
  if (below != AS_IT_IS || !options.onMetered.empty()) {
    auto request = limits.setRestingRequest();
    request.setBelowPercent(below);
    request.setOnMetered(options.onMetered.empty() ? AS_IT_IS : options.onMetered == "rest");
    wait(request.send());
  }
  if (what == "pause") {
    auto request = limits.pauseRequest();
    request.setSeconds(seconds);
    wait(request.send());
  }
  if (what == "resume") wait(limits.resumeRequest().send());
  tell(common, wait(limits.getRequest().send()).getLimits());
  return DONE;
}

}  // namespace hearth::cli
