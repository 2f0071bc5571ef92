#include "bench/flood.h"

#include "bench/link-ends.h"
#include "bench/process.h"
#include "bench/served.h"

#include <kj/debug.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace hearth::bench {

namespace {

using nlohmann::json;

constexpr uint32_t SOURCES = 400;  // sockets of the attacker, each at an address of its own
constexpr uint32_t CALLS_PREPARED = 3'000;  // a third of each kind
constexpr kj::Duration BETWEEN_HONEST = 75 * kj::MILLISECONDS;
constexpr double WARM_UP_S = 3;

double rssMib(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/statm");
  double pages = 0, resident = 0;
  status >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// Strangers: they know where the device is, some also who it is.
class Attacker final {
 public:
  Attacker(uint16_t port, const crypto::DhPublic& victim, uint32_t rate): rate(rate) {
    SystemEntropy entropy;
    auto gate = crypto::GateKeys::forLink(victim);
    for (uint32_t i = 0; i < CALLS_PREPARED; ++i) {
      auto call = transport::Caller(gate, entropy).call();
      if (i % 3 == 1) call[20] ^= 1;  // within mac1
      if (i % 3 == 2) {
        entropy.fill(call);
        call[0] = static_cast<kj::byte>(transport::PacketKind::OPENING);
      }
      calls.push_back(kj::mv(call));
    }
    for (uint32_t i = 0; i < SOURCES; ++i) sources.push_back(socketAt(entropy.draw<uint32_t>()));
    target = {.sin_family = AF_INET, .sin_port = htons(port)};
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    thread = std::thread([this]() { run(); });
  }
  ~Attacker() { stop(); }

  void stop() {
    stopping = true;
    if (thread.joinable()) thread.join();
  }
  uint64_t sent() const { return count; }

  // Cookies that strangers received; each would have to be opened and used from there.
  uint64_t answered() {
    uint64_t found = 0;
    kj::byte room[64];
    for (auto& source: sources) {
      while (recv(source, room, sizeof(room), MSG_DONTWAIT) > 0) ++found;
    }
    return found;
  }

 private:
  uint32_t rate;
  std::vector<kj::Array<kj::byte>> calls;
  std::vector<kj::AutoCloseFd> sources;
  struct sockaddr_in target;
  std::atomic<bool> stopping = false;
  std::atomic<uint64_t> count = 0;
  std::thread thread;

  static kj::AutoCloseFd socketAt(uint32_t random) {
    int fd;
    KJ_SYSCALL(fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    kj::AutoCloseFd owned(fd);
    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl((127u << 24) | (random >> 8 & 0xff'fffe) | 1);
    KJ_SYSCALL(bind(fd, reinterpret_cast<struct sockaddr*>(&own), sizeof(own)));
    return owned;
  }

  void run() {
    auto begun = wallS();
    while (!stopping) {
      auto due = static_cast<uint64_t>((wallS() - begun) * rate);
      for (; count < due && !stopping; ++count) {
        auto& call = calls[count % CALLS_PREPARED];
        (void)sendto(sources[count % SOURCES], call.begin(), call.size(), MSG_DONTWAIT,
            reinterpret_cast<struct sockaddr*>(&target), sizeof(target));
      }
      usleep(1'000);
    }
  }
};

// A device of the circle that connects, shakes hands and goes, again and again.
class Honest final {
 public:
  Honest(UvLoop& uv, Acquainted& devices, uint16_t port): devices(devices), port(port), uv(uv) {}

  void run(double seconds) {
    auto until = wallS() + seconds;
    while (wallS() < until) {
      auto begun = wallS();
      auto made = kj::evalNow([&]() { return connect(); });
      bool good = made.catch_([](kj::Exception&&) { return false; }).wait(uv.waitScope);
      good ? times.push_back((wallS() - begun) * 1e3) : static_cast<void>(++failed);
      uv.timer().afterDelay(BETWEEN_HONEST).wait(uv.waitScope);
    }
    std::ranges::sort(times);
  }

  std::vector<double> times;  // ms, ascending
  uint32_t failed = 0;

  double at(double share) const {
    KJ_REQUIRE(!times.empty(), "nobody got through");
    return times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))];
  }

 private:
  Acquainted& devices;
  uint16_t port;
  UvLoop& uv;
  transport::UvNetwork network{uv.port};
  crypto::EphemeralGuard guard{[]() { KJ_FAIL_REQUIRE("an ephemeral key came twice"); }};
  transport::UdpHost host{bind(), devices.caller.x(), uv.timer(), devices.entropy};
  transport::UdpConnector connector{host, network, devices.caller, uv.timer()};
  uint32_t index = 0;

  kj::Own<transport::DatagramSocket> bind() {
    auto address = network.parseAddress("127.0.0.1:0").wait(uv.waitScope);
    return transport::batchesOf(address->bindDatagramPort(), network);
  }

  kj::Promise<bool> connect() {
    auto path = transport::Path::parse("udp:127.0.0.1:" + std::to_string(port)).value();
    auto& called = devices.called;
    transport::Carrier carrier(co_await connector.connect(called.id(), path), path);
    transport::HandshakeTools tools{uv.timer(), devices.entropy, guard, devices.caller};
    auto shaken = co_await transport::initiate(tools, carrier, called.id(), ++index, false);
    if (shaken) transport::protect(carrier.raw(), shaken->session);
    co_return shaken.has_value();
  }
};

}  // namespace

json measureFlood(const FloodOptions& options) {
  Acquainted devices;
  auto refuse = [](kj::Own<kj::AsyncIoStream>) -> kj::Promise<void> { return kj::READY_NOW; };
  Served server([&](Served::SayPort say) {
    UvLoop uv;
    LinkEnd end(uv, devices.entropy, devices.called, refuse, true);
    say(end.listen());
    uv.port.run(uv.waitScope, kj::NEVER_DONE);
  });
  auto quietS = std::max(WARM_UP_S, options.seconds / 10);
  UvLoop uv;
  Honest before(uv, devices, server.port());
  auto cpuBegan = server.cpuS(), began = wallS();
  before.run(quietS);
  auto quietShare = (server.cpuS() - cpuBegan) / (wallS() - began);
  auto rssBefore = rssMib(server.process());

  Honest during(uv, devices, server.port());
  Attacker attacker(server.port(), devices.called.x(), options.rate);
  cpuBegan = server.cpuS(), began = wallS();
  during.run(options.seconds);
  auto lasted = wallS() - began;
  auto share = (server.cpuS() - cpuBegan) / lasted;
  attacker.stop();
  return {{"seconds", lasted}, {"rate", static_cast<double>(attacker.sent()) / lasted},
      {"sent", attacker.sent()}, {"answered", attacker.answered()}, {"cpu_share", share},
      {"quiet_cpu_share", quietShare},
      {"rss_extra_mib", std::max(0.0, server.rssPeakMib() - rssBefore)},
      {"honest", during.times.size()}, {"failed", during.failed}, {"p50_ms", during.at(0.5)},
      {"p95_ms", during.at(0.95)}, {"most_ms", during.at(1)}, {"quiet_p50_ms", before.at(0.5)},
      {"quiet_p95_ms", before.at(0.95)}};
}

}  // namespace hearth::bench
