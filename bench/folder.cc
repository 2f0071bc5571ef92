#include "bench/folder.h"

#include "bench/many-files.h"
#include "bench/real-pair.h"
#include "bench/sample-files.h"
#include "bench/scratch.h"

#include <kj/debug.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <unistd.h>

namespace hearth::bench {

namespace {

using nlohmann::json;

constexpr uint64_t MIB = 1 << 20, BLOCK_BYTES = 128 << 10, SMALL_BYTES = 4 << 10,
                   CHANGE_BYTES = 100;
constexpr uint32_t BLOCKS = 82;
constexpr double ARRIVE_S_MAX = 900, CHANGE_S_MAX = 10;
constexpr double BETWEEN_CHANGES_S = 0.05;

std::string contentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class Folder final {
 public:
  Folder(const FolderOptions& options, const std::string& directory)
      : options(options),
        directory(directory),
        here(directory + "/here"),
        there(directory + "/there"),
        pair(directory) {
    result["own_loopback"] = pair.isAlone;
  }

  json measure() {
    if (wants("idle")) {
      say("two daemons without a folder");
      result["idle_wakeups_before_min"] = wakeUpsPerMinute();
    }
    for (auto& path: {here, there}) std::filesystem::create_directory(path);
    pair.phone.ask({"folder", "add", here, "--name", "sample"});
    pair.laptop.ask({"folder", "add", there, "--name", "sample"});
    pair.settle();
    if (wants("one_gib") || wants("append") || wants("scattered") || wants("insert")) large();
    if (wants("small_files")) result["small_files"] = smallFiles();
    if (wants("change")) changes();
    pair.settle();
    result["rss_idle_mib"] = std::max(pair.phone.rssMib(), pair.laptop.rssMib());
    result["rss_peak_mib"] = std::max(pair.phone.rssPeakMib(), pair.laptop.rssPeakMib());
    if (wants("idle")) {
      say("two daemons with a folder");
      result["idle_wakeups_min"] = wakeUpsPerMinute();
    }
    if (wants("many")) result["many"] = measureManyFiles(pair, directory, options.many);
    return result;
  }

 private:
  const FolderOptions& options;
  const std::string directory, here, there;
  SampleFiles files{1};
  json result;
  RealPair pair;

  bool wants(const char* part) const {
    return options.only.empty() || std::ranges::find(options.only, part) != options.only.end();
  }

  template <typename Make, typename Arrived>
  json measured(const char* what, Make make, Arrived arrived) {
    say(what);
    pair.settle();
    auto before = pair.used();
    make();
    auto made = pair.used();
    auto end = arrived();
    pair.settle();
    auto after = pair.used();
    json figures = {{"wall_s", end - before.wallS}, {"making_s", made.wallS - before.wallS},
        {"cpu_s", after.cpuS - before.cpuS},
        {"wire_mib", static_cast<double>(after.wireBytes - before.wireBytes) / MIB}};
    say(figures.dump());
    return figures;
  }

  // Changes the large file in one way. Gives when the other side's was the same.
  json changed(const char* what, const std::function<void(const std::string& path)>& make) {
    auto path = here + "/large", other = there + "/large";
    return measured(what, [&]() { make(path); }, [&]() { return arrivedAt(path, other); });
  }

  double arrivedAt(const std::string& path, const std::string& other) {
    auto hash = KJ_ASSERT_NONNULL(hashOf(path));
    std::string seen;
    double when = 0;
    until("the other side has it", ARRIVE_S_MAX, 0.01, [&]() {
      auto version = versionOf(other);
      if (version.empty() || version == seen) return false;
      when = pair.used().wallS;
      seen = version;
      KJ_IF_MAYBE(found, hashOf(other)) return *found == hash;
      return false;
    });
    return when;
  }

  void large() {
    auto aside = directory + "/aside";
    files.write(aside, options.mib * MIB);
    auto one = changed("a large file", [&](auto& path) { std::filesystem::rename(aside, path); });
    if (wants("one_gib")) result["one_gib"] = one;
    if (wants("append"))
      result["append"] = changed("appends", [&](auto& path) { files.append(path, MIB); });
    if (wants("scattered"))
      result["scattered"] = changed(
          "rewrites blocks", [&](auto& path) { files.rewriteBlocks(path, BLOCKS, BLOCK_BYTES); });
    if (!wants("insert")) return;
    files.withByteInFront(here + "/large", aside);
    result["insert"] =
        changed("a byte in front", [&](auto& path) { std::filesystem::rename(aside, path); });
  }

  json smallFiles() {
    auto path = here + "/small", other = there + "/small";
    auto figures = measured(
        "small files", [&]() { files.writeMany(path, options.files, SMALL_BYTES); },
        [&]() {
          until("the other side has the small files", ARRIVE_S_MAX, 0.02,
              [&]() { return filesBelow(other) == options.files; });
          return pair.used().wallS;
        });
    KJ_REQUIRE(sameBelow(path, other), "small files are not the same on the other side");
    return figures;
  }

  void changes() {
    say("small changes");
    auto path = here + "/note", other = there + "/note";
    std::vector<double> times;
    for (uint32_t i = 0; i < options.changes; ++i) {
      auto begun = pair.used().wallS;
      files.write(path, CHANGE_BYTES);
      auto content = contentOf(path);
      until("the other side has a small change", CHANGE_S_MAX, 0.0002,
          [&]() { return contentOf(other) == content; });
      times.push_back((pair.used().wallS - begun) * 1e3);
      usleep(static_cast<useconds_t>(BETWEEN_CHANGES_S * 1e6));
    }
    std::ranges::sort(times);
    auto at = [&](double share) {
      return times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))];
    };
    result["change_p50_ms"] = at(0.5);
    result["change_p99_ms"] = at(0.99);
  }

  double wakeUpsPerMinute() {
    pair.settle();
    auto phone = pair.phone.wakeUps(), laptop = pair.laptop.wakeUps();
    usleep(static_cast<useconds_t>(options.idleS * 1e6));
    auto more = std::max(pair.phone.wakeUps() - phone, pair.laptop.wakeUps() - laptop);
    return static_cast<double>(more) * 60 / options.idleS;
  }
};

}  // namespace

const std::vector<std::string> FOLDER_PARTS = {
    "one_gib", "append", "scattered", "insert", "small_files", "change", "idle", "many"};

json measureFolder(const FolderOptions& options) {
  return inScratch(
      [&](const std::string& directory) { return Folder(options, directory).measure(); });
}

}  // namespace hearth::bench
