#include "bench/real-device.h"

#include "bench/process.h"

#include <kj/debug.h>

#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

namespace hearth::bench {

namespace {

constexpr double START_S_MAX = 30;

std::string freeAddress() {
  int fd;
  KJ_SYSCALL(fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  kj::AutoCloseFd owned(fd);
  struct sockaddr_in own = {.sin_family = AF_INET};
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(own);
  KJ_SYSCALL(bind(fd, reinterpret_cast<struct sockaddr*>(&own), sizeof(own)));
  KJ_SYSCALL(getsockname(fd, reinterpret_cast<struct sockaddr*>(&own), &length));
  return "127.0.0.1:" + std::to_string(ntohs(own.sin_port));
}

// The number behind `key` in a file of /proc.
double numberIn(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    double number;
    if (word == key && file >> number) return number;
  }
  KJ_FAIL_REQUIRE("the kernel does not tell it", path.c_str(), key.c_str());
}

}  // namespace

RealDevice::RealDevice(const std::string& directory, const std::string& name)
    : name(name),
      address(freeAddress()),
      home(directory + "/" + name),
      log(directory + "/" + name + ".log") {}

kj::Own<Program> RealDevice::begin(const Words& arguments, const std::string& input) const {
  auto all = arguments;
  for (auto* more: {"--home", home.c_str(), "--json"}) all.push_back(more);
  return kj::heap<Program>(Program::Begin{"hearth", all, log, input});
}

std::vector<nlohmann::json> RealDevice::ask(
    const Words& arguments, const std::string& input) const {
  auto program = begin(arguments, input);
  std::istringstream lines(program->rest());
  auto status = program->wait();
  KJ_REQUIRE(status == 0, "a command failed", arguments[0].c_str(), lines.str().c_str());
  std::vector<nlohmann::json> values;
  for (std::string line; std::getline(lines, line);) values.push_back(nlohmann::json::parse(line));
  return values;
}

bool RealDevice::answers() const {
  auto program = begin({"status"});
  program->rest();
  return program->wait() == 0;
}

void RealDevice::start() {
  daemon.emplace(Program::Begin{"hearthd", {"--home", home, "--no-discovery"}, log});
  auto until = wallS() + START_S_MAX;
  while (!answers()) {
    KJ_REQUIRE(wallS() < until, "a daemon does not answer", name.c_str());
    usleep(10'000);
  }
}

void RealDevice::stop() {
  daemon->signal(SIGTERM);
  daemon->wait();
  daemon.reset();
}

pid_t RealDevice::process() const {
  KJ_REQUIRE(daemon.has_value(), "it is not running", name.c_str());
  return daemon->process();
}

double RealDevice::cpuS() const {
  clockid_t clock;
  KJ_REQUIRE(clock_getcpuclockid(process(), &clock) == 0, "a daemon has died", name.c_str());
  struct timespec used;
  KJ_SYSCALL(clock_gettime(clock, &used));
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double RealDevice::rssMib() const {
  return numberIn("/proc/" + std::to_string(process()) + "/status", "VmRSS:") / 1'024;
}

double RealDevice::rssPeakMib() const { return bench::rssPeakMib(process()); }

uint64_t RealDevice::wakeUps() const {
  double sum = 0;
  std::filesystem::directory_iterator threads("/proc/" + std::to_string(process()) + "/task");
  for (auto& thread: threads)
    sum += numberIn((thread.path() / "status").string(), "voluntary_ctxt_switches:");
  return static_cast<uint64_t>(sum);
}

}  // namespace hearth::bench
