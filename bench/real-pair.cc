#include "bench/real-pair.h"

#include "bench/loopback.h"
#include "bench/process.h"

#include <kj/debug.h>

#include <cstdio>
#include <unistd.h>
#include <utility>

namespace hearth::bench {

namespace {

constexpr double QUIET_S = 1;
constexpr double QUIET_CPU_S = 0.002;  // of both in that time

void sleepS(double seconds) { usleep(static_cast<useconds_t>(seconds * 1e6)); }

}  // namespace

void say(const std::string& what) { fprintf(stderr, "hearth-bench: %s\n", what.c_str()); }

void until(const char* what, double mostS, double everyS, const std::function<bool()>& holds) {
  auto end = wallS() + mostS;
  while (!holds()) {
    KJ_REQUIRE(wallS() < end, "it did not become so", what, mostS);
    sleepS(everyS);
  }
}

RealPair::RealPair(const std::string& directory)
    : isAlone(haveOwnLoopback()),
      phone(directory, "phone"),
      laptop(directory, "laptop") {
  phone.ask({"init", "--name", "phone", "--listen", phone.address, "--recovery-out",
      directory + "/words"});
  phone.start();
  auto joiner = laptop.begin(
      {"join", "--code", "--name", "laptop", "--no-discovery", "--listen", laptop.address});
  auto code = nlohmann::json::parse(joiner->line()).at("code").get<std::string>();
  phone.ask({"pair", code, "--at", laptop.address, "--yes"});
  joiner->rest();
  KJ_REQUIRE(joiner->wait() == 0, "the laptop was not brought in");
  laptop.start();
}

void RealPair::settle(double mostS) {
  auto before = used().cpuS;
  until("both daemons are idle", mostS, 0, [&]() {
    sleepS(QUIET_S);
    auto now = used().cpuS;
    return now - std::exchange(before, now) < QUIET_CPU_S;
  });
}

RealPair::Used RealPair::used() const {
  auto cpuS = (phone.isRunning() ? phone.cpuS() : 0) + (laptop.isRunning() ? laptop.cpuS() : 0);
  return {wallS(), cpuS, loopbackBytes()};
}

}  // namespace hearth::bench
