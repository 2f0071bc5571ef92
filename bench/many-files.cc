#include "bench/many-files.h"

#include "bench/process.h"
#include "bench/sample-files.h"

#include <kj/debug.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <unistd.h>

namespace hearth::bench {

namespace {

using nlohmann::json;

constexpr uint64_t BYTES_EACH = 512;
constexpr double SCAN_S_MAX = 1'800, LOOK_EVERY_S = 0.02;
constexpr double ASKING_SHARE = 0.1;  // of the time: what is asked for costs, too
constexpr const char* NAME = "many";

json stateOf(const RealDevice& device) {
  auto states = device.ask({"folder", "status", NAME});
  KJ_REQUIRE(states.size() == 1, "a device has lost its folder", device.name.c_str());
  return states[0];
}

bool isScanned(const RealDevice& device, uint32_t count) {
  auto state = stateOf(device);
  return !state.at("scanning").get<bool>() && state.at("files") == count;
}

// With the other device, and not only as this one knows it alone.
bool isUpToDate(const RealDevice& device, uint32_t count) {
  auto state = stateOf(device);
  return state.at("up_to_date").get<bool>() && !state.at("up_to_date_with").empty() &&
      state.at("files") == count;
}

// As often as it may be asked.
void untilSaid(const char* what, const std::function<bool()>& holds) {
  until(what, SCAN_S_MAX, LOOK_EVERY_S, [&]() {
    auto begun = wallS();
    if (holds()) return true;
    usleep(static_cast<useconds_t>((wallS() - begun) / ASKING_SHARE * 1e6));
    return false;
  });
}

struct Restarted {
  double wallS = 0, cpuS = 0;
};

Restarted restart(RealPair& pair, RealDevice& device, uint32_t count) {
  device.stop();
  pair.settle();
  auto begun = pair.used().wallS;
  device.start();
  untilSaid("a device that began anew is up to date", [&]() { return isUpToDate(device, count); });
  return {pair.used().wallS - begun, device.cpuS()};
}

}  // namespace

json measureManyFiles(RealPair& pair, const std::string& directory, uint32_t count) {
  say("very many files are written");
  auto here = directory + "/many-here", there = directory + "/many-there";
  for (auto& path: {here, there}) std::filesystem::create_directory(path);
  SampleFiles(2).writeMany(here, count, BYTES_EACH);
  for (auto* device: {&pair.phone, &pair.laptop}) {  // what was before is not in their memory
    device->stop();
    device->start();
  }
  pair.settle();

  say("they are looked at");
  auto before = pair.used();
  pair.phone.ask({"folder", "add", here, "--name", NAME});
  untilSaid("the files are known", [&]() { return isScanned(pair.phone, count); });
  auto scanned = pair.used();
  pair.settle();

  say("they come to the other side");
  auto begun = pair.used();
  pair.laptop.ask({"folder", "add", there, "--name", NAME});
  untilSaid("the other side has them", [&]() { return isUpToDate(pair.laptop, count); });
  auto arrived = pair.used();
  KJ_REQUIRE(sameBelow(here, there), "the files are not the same on the other side");
  pair.settle();
  json result = {{"scan_s", scanned.wallS - before.wallS}, {"scan_cpu_s", begun.cpuS - before.cpuS},
      {"wall_s", arrived.wallS - begun.wallS}, {"cpu_s", pair.used().cpuS - begun.cpuS},
      {"rss_mib", std::max(pair.phone.rssMib(), pair.laptop.rssMib())},
      {"rss_peak_mib", std::max(pair.phone.rssPeakMib(), pair.laptop.rssPeakMib())}};

  say(result.dump());
  say("each daemon begins anew");
  auto phone = restart(pair, pair.phone, count), laptop = restart(pair, pair.laptop, count);
  auto& slower = phone.wallS > laptop.wallS ? phone : laptop;
  result["restart_s"] = slower.wallS;
  result["restart_cpu_s"] = slower.cpuS;
  pair.settle();
  result["restart_rss_mib"] = std::max(pair.phone.rssMib(), pair.laptop.rssMib());
  say(result.dump());
  return result;
}

}  // namespace hearth::bench
