#include "bindings/c/hearth-sim.h"

#include "simulator/app/world-transport.h"
#include "simulator/data/data-files.h"

#include <kj/debug.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace hearth;
using local::ErrorLine;
using local::guarded;

struct hearth_world {
  sim::AppWorld world;
  std::shared_ptr<sim::Gate> gate = std::make_shared<sim::Gate>(&world);

  hearth_world(sim::Scenario scenario, sim::Catalogue catalogue, uint64_t seed)
      : world(kj::mv(scenario), kj::mv(catalogue), seed) {}
};

namespace {

[[noreturn]] void complain(const std::string& line) {
  kj::throwFatalException(
      kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__, kj::str(line.c_str())));
}

template <typename T>
T expect(std::expected<T, std::string> value) {
  if (!value) complain(value.error());
  return kj::mv(*value);
}

std::string readScenario(const char* path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(sim::Scenario::TEXT_BYTES_MAX + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || in.gcount() == 0) complain(std::string(path) + " cannot be read, or is empty");
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

bool hasLoop() {
  return kj::runCatchingExceptions([]() { kj::getCurrentThreadExecutor(); }) == nullptr;
}

hearth_world_t* open(const std::string& name, const std::string& toml, uint64_t seed) {
  if (hasLoop()) complain("this thread has a world already, or is in a callback: close it first");
  auto scenario = expect(sim::parseScenario(name, toml));
  auto files = sim::dataFiles();
  auto catalogue = expect(sim::Catalogue::parse(files[0].text.cStr(), files[1].text.cStr()));
  return new hearth_world(kj::mv(scenario), kj::mv(catalogue), seed);
}

// Runs `task` on the world's thread, where a mistake is one line.
template <typename Task>
int onWorld(hearth_world_t* w, ErrorLine error, const char* what, bool usable, Task&& task) {
  if (w == nullptr || !usable) return error.say(HEARTH_USAGE, what);
  return guarded(error, [&]() { return w->world.apps().atOnce(error, task); });
}

int told(ErrorLine error, const sim::AppWorld::Refusal& refusal) {
  return refusal ? int{HEARTH_OK} : error.say(HEARTH_USAGE, refusal.error().c_str());
}

bool isSpan(int64_t ms) { return ms >= 0 && ms <= HEARTH_WORLD_MS_MAX; }

std::vector<std::string> namesIn(const char* list) {
  std::vector<std::string> names;
  std::istringstream in(list == nullptr ? "" : list);
  for (std::string name; std::getline(in, name, ',');) names.push_back(name);
  return names;
}

std::string textOf(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

hearth_world_t* hearth_world_open(const char* path, uint64_t seed, char* error, size_t errorSize) {
  hearth_world_t* w = nullptr;
  ErrorLine line{error, errorSize};
  guarded(line, [&]() -> int {
    if (path == nullptr) return line.say(HEARTH_USAGE, "hearth_world_open needs a path");
    w = open(std::filesystem::path(path).stem().string(), readScenario(path), seed);
    return HEARTH_OK;
  });
  return w;
}

hearth_world_t* hearth_world_open_text(
    const char* toml, uint64_t seed, char* error, size_t errorSize) {
  hearth_world_t* w = nullptr;
  ErrorLine line{error, errorSize};
  guarded(line, [&]() -> int {
    if (toml == nullptr) return line.say(HEARTH_USAGE, "hearth_world_open_text needs a scenario");
    w = open("scenario", toml, seed);
    return HEARTH_OK;
  });
  return w;
}

hearth_t* hearth_world_connect(
    hearth_world_t* w, const char* device, char* error, size_t errorSize) {
  ErrorLine line{error, errorSize};
  int code = onWorld(
      w, line, "hearth_world_connect needs a world and a device", device != nullptr, [&]() -> int {
        if (w->world.has(device)) return HEARTH_OK;
        return line.say(HEARTH_USAGE, kj::str("no device is called ", device));
      });
  if (code != HEARTH_OK) return nullptr;
  return local::openOver(kj::heap<sim::WorldTransport>(w->gate, device), line);
}

int hearth_world_run(hearth_world_t* w, int64_t ms, char* error, size_t errorSize) {
  ErrorLine line{error, errorSize};
  if (w == nullptr || !isSpan(ms))
    return line.say(HEARTH_USAGE, "hearth_world_run needs a world, and 0 ms to 400 days");
  return guarded(line, [&]() { return w->world.apps().pass(line, ms * kj::MILLISECONDS); });
}

int64_t hearth_world_now(hearth_world_t* w) {
  int64_t now = -1;
  onWorld(w, {nullptr, 0}, "", true, [&]() -> int {
    now = w->world.nowMs();
    return HEARTH_OK;
  });
  return now;
}

int hearth_world_start(
    hearth_world_t* w, void (*app)(void*), void* user, char* error, size_t errorSize) {
  ErrorLine line{error, errorSize};
  return onWorld(
      w, line, "hearth_world_start needs a world and an app", app != nullptr, [&]() -> int {
        auto& apps = w->world.apps();
        if (apps.size() >= sim::Troupe::APPS_MAX)
          return line.say(HEARTH_FAILED, "too many apps run: let one return first");
        apps.start([app, user]() { app(user); });
        return HEARTH_OK;
      });
}

size_t hearth_world_apps(hearth_world_t* w) {
  size_t count = 0;
  onWorld(w, {nullptr, 0}, "", true, [&]() -> int {
    count = w->world.apps().size();
    return HEARTH_OK;
  });
  return count;
}

int hearth_world_say(hearth_world_t* w, const char* device, uint32_t first, uint32_t words,
    uint32_t sentenceWords, char* error, size_t errorSize) {
  ErrorLine line{error, errorSize};
  return onWorld(w, line, "hearth_world_say needs a world and a device", device != nullptr,
      [&]() { return told(line, w->world.say(device, first, words, sentenceWords)); });
}

int hearth_world_do(hearth_world_t* w, const char* what, const char* device,
    const struct hearth_world_deed* more, char* error, size_t errorSize) {
  ErrorLine line{error, errorSize};
  bool usable =
      what != nullptr && (more == nullptr || (more->size == sizeof(*more) && isSpan(more->for_ms)));
  return onWorld(w, line,
      "hearth_world_do needs a world, what to do, and a sized struct with a time within 400 days",
      usable, [&]() {
        sim::Step step{.what = what, .device = textOf(device)};
        if (more != nullptr) {
          step.other = textOf(more->other);
          step.networks = namesIn(more->networks);
          step.span = more->for_ms * kj::MILLISECONDS;
          step.amount = more->amount;
          step.second = more->second;
        }
        return told(line, w->world.perform(step));
      });
}

int hearth_world_note(hearth_world_t* w, const char* text, char* error, size_t errorSize) {
  ErrorLine line{error, errorSize};
  bool usable = text != nullptr &&
      strnlen(text, HEARTH_WORLD_NOTE_BYTES_MAX + 1) <= HEARTH_WORLD_NOTE_BYTES_MAX;
  return onWorld(w, line, "hearth_world_note needs a world and a text of at most 4096 bytes",
      usable, [&]() -> int {
        w->world.note(text);
        return HEARTH_OK;
      });
}

int hearth_world_limit(hearth_world_t* w, int64_t ms, char* error, size_t errorSize) {
  ErrorLine line{error, errorSize};
  return onWorld(w, line, "hearth_world_limit needs a world, and 1 ms to 400 days",
      isSpan(ms) && ms > 0, [&]() -> int {
        w->world.limit = ms * kj::MILLISECONDS;
        return HEARTH_OK;
      });
}

int hearth_world_check(
    hearth_world_t* w, hearth_world_on_line onLine, void* user, char* error, size_t errorSize) {
  ErrorLine line{error, errorSize};
  if (w == nullptr) return line.say(HEARTH_USAGE, "hearth_world_check needs a world");
  return guarded(line, [&]() -> int {
    if (w->world.apps().caller() != sim::Troupe::Caller::OWNER)
      return line.say(HEARTH_USAGE,
          "hearth_world_check is for the thread that opened the world, outside of callbacks");
    auto& violations = w->world.check();
    for (auto& violation: violations) {
      if (onLine != nullptr) onLine(user, violation.c_str());
    }
    if (violations.empty()) return HEARTH_OK;
    return line.say(HEARTH_FAILED, violations.front().c_str());
  });
}

uint64_t hearth_world_fingerprint(hearth_world_t* w) {
  uint64_t print = 0;
  onWorld(w, {nullptr, 0}, "", true, [&]() -> int {
    print = w->world.world().fingerprint();
    return HEARTH_OK;
  });
  return print;
}

void hearth_world_close(hearth_world_t* w) {
  if (w == nullptr || w->world.apps().caller() != sim::Troupe::Caller::OWNER) return;
  guarded({nullptr, 0}, [&]() -> int {
    w->world.apps().dismiss();
    w->gate->world = nullptr;
    delete w;
    return HEARTH_OK;
  });
}
