#include "bench/map.h"

#include "bench/real-pair.h"
#include "bench/scratch.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <random>

namespace hearth::bench {

namespace {

using nlohmann::json;

constexpr const char* DOCUMENT = "sample";
constexpr const char* MAP = "/map";
constexpr uint32_t VALUES = 1'000'000;

// Maps by name, all of them in one.
using Shares = std::map<std::string, json>;

class Map final {
 public:
  Map(const MapOptions& options, const std::string& directory)
      : options(options),
        file(directory + "/input"),
        pair(directory) {}

  json measure() {
    auto byPhone = shares(pair.phone), byLaptop = shares(pair.laptop);
    json empty = json::object();
    for (auto& [name, share]: byPhone) empty[name] = json::object();
    ask(pair.phone, MAP, empty);
    pair.settle();

    pair.laptop.stop();
    auto setCpuS = set(pair.phone, byPhone);
    pair.phone.stop();
    pair.laptop.start();
    setCpuS += set(pair.laptop, byLaptop);

    say("they merge");
    auto before = pair.used();
    pair.phone.start();
    pair.settle();
    auto after = pair.used();
    auto rssMib = std::max(pair.phone.rssPeakMib(), pair.laptop.rssPeakMib());
    for (auto* device: {&pair.phone, &pair.laptop}) device->kill();
    for (auto& [name, share]: byLaptop) byPhone.at(name).update(share);
    auto mergeCpuS = after.cpuS - before.cpuS;
    return {{"ok", has(pair.phone, byPhone) && has(pair.laptop, byPhone)}, {"set_cpu_s", setCpuS},
        {"merge_cpu_s", mergeCpuS}, {"cpu_s", setCpuS + mergeCpuS},
        {"wire_bytes", after.wireBytes - before.wireBytes}, {"rss_peak_mib", rssMib},
        {"own_loopback", pair.isAlone}};
  }

 private:
  const MapOptions& options;
  const std::string file;
  std::mt19937_64 luck{1};
  RealPair pair;

  // What a device sets: as many maps as calls, of keys that no other device has.
  Shares shares(const RealDevice& device) {
    Shares shares;
    for (uint32_t i = 0; i < options.sets; ++i)
      shares[std::to_string(i % options.calls)][device.name + "-" + std::to_string(i)] =
          luck() % VALUES;
    return shares;
  }

  void ask(RealDevice& device, const std::string& path, const json& value) {
    std::ofstream(file) << value;
    device.ask({"doc", "set", DOCUMENT, path, "-"}, file);
  }

  // Gives the CPU of the device, the only one that runs.
  double set(RealDevice& device, const Shares& shares) {
    say("the " + device.name + " sets its keys");
    pair.settle();
    auto before = pair.used().cpuS;
    for (auto& [name, share]: shares) ask(device, std::string(MAP) + "/" + name, share);
    pair.settle();
    return pair.used().cpuS - before;
  }

  // All of it, as it is on its disk.
  bool has(RealDevice& device, const Shares& shares) {
    device.start();
    auto found = device.ask({"doc", "get", DOCUMENT, MAP});
    device.kill();
    return found.at(0).at("value") == json(shares);
  }
};

}  // namespace

json measureMap(const MapOptions& options) {
  return inScratch([&](const std::string& directory) { return Map(options, directory).measure(); });
}

}  // namespace hearth::bench
