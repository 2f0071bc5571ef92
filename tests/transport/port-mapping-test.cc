// Against a small router of our own that speaks NAT-PMP (RFC 6886) on loopback.

#include "core/loop/uv-event-port.h"
#include "transport/wire/port-mapping.h"

#include <kj/debug.h>
#include <kj/io.h>

#include <arpa/inet.h>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

namespace hearth::transport {
namespace {

constexpr uint16_t NAT_PMP_PORT = 5'351;
constexpr uint32_t ROUTER = 0x7f00'5301;  // 127.0.83.1, where nobody else is

class Router final {
 public:
  explicit Router(bool grants): grants(grants) {
    int made;
    KJ_SYSCALL(made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    fd = kj::AutoCloseFd(made);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(NAT_PMP_PORT)};
    own.sin_addr.s_addr = htonl(ROUTER);
    KJ_SYSCALL(bind(fd, reinterpret_cast<struct sockaddr*>(&own), sizeof(own)));
    struct timeval tick = {.tv_usec = 20'000};
    KJ_SYSCALL(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick)));
    thread = std::thread([this]() { serve(); });
  }
  ~Router() {
    stopping = true;
    thread.join();
  }

  std::atomic<uint32_t> mapped = 0, unmapped = 0;

 private:
  bool grants;
  kj::AutoCloseFd fd;
  std::atomic<bool> stopping = false;
  std::thread thread;

  void serve() {
    while (!stopping) {
      kj::byte request[16] = {}, response[16] = {};
      struct sockaddr_in from = {};
      socklen_t length = sizeof(from);
      auto got = recvfrom(
          fd, request, sizeof(request), 0, reinterpret_cast<struct sockaddr*>(&from), &length);
      if (got < 2) continue;
      auto operation = request[1];
      response[1] = 128 + operation;
      response[3] = grants ? 0 : 2;  // not authorised
      size_t size = 12;
      if (operation == 0) {
        const kj::byte outside[] = {203, 0, 113, 9};
        memcpy(response + 8, outside, sizeof(outside));
      } else {
        size = 16;
        memcpy(response + 8, request + 4, 2);  // the port inside
        uint32_t lifetime = 0;
        memcpy(&lifetime, request + 8, sizeof(lifetime));
        ++(lifetime == 0 ? unmapped : mapped);
        auto port = htons(static_cast<uint16_t>(40'000 + operation));
        if (lifetime != 0) memcpy(response + 10, &port, sizeof(port));
        memcpy(response + 12, &lifetime, sizeof(lifetime));
      }
      sendto(fd, response, size, 0, reinterpret_cast<struct sockaddr*>(&from), length);
    }
  }
};

TEST_CASE("a router that speaks NAT-PMP opens both ports, and closes them again") {
  Router router(true);
  Gateway gateway(htonl(ROUTER));
  auto found = gateway.open(7'427);
  auto& outside = KJ_REQUIRE_NONNULL(found);
  REQUIRE(outside.host == "203.0.113.9");
  REQUIRE(outside.udp == 40'001);
  REQUIRE(outside.tcp == 40'002);
  REQUIRE(outside.lifetime == Gateway::LIFETIME);
  gateway.close(7'427);
  REQUIRE(router.mapped == 2);
  REQUIRE(router.unmapped == 2);
}

TEST_CASE("a router that refuses gives no port, and is asked to take none back") {
  Router router(false);
  Gateway gateway(htonl(ROUTER));
  REQUIRE(gateway.open(7'427) == nullptr);
  gateway.close(7'427);
  REQUIRE(router.unmapped == 0);
}

TEST_CASE("where no router answers, asking ends soon") {
  Gateway gateway(htonl(ROUTER + 1));
  REQUIRE(gateway.open(7'427) == nullptr);
}

TEST_CASE("a mapping tells where the device is from outside, without holding up the loop") {
  Router router(true);
  UvLoop uv;
  ThreadExecutor worker;
  Gateway gateway(htonl(ROUTER));
  std::vector<std::string> told;
  PortMapping mapping(uv.timer(), worker, gateway, 7'427,
      [&](std::vector<std::string> addresses) { told = kj::mv(addresses); });
  for (int i = 0; i < 200 && told.empty(); ++i)
    uv.timer().afterDelay(10 * kj::MILLISECONDS).wait(uv.waitScope);
  REQUIRE(told == std::vector<std::string>{"203.0.113.9:40002", "udp:203.0.113.9:40001"});
  mapping.stop().wait(uv.waitScope);
  REQUIRE(router.unmapped == 2);
}

}  // namespace
}  // namespace hearth::transport
