// Two devices of one circle whose link goes through the outer TLS, over loopback.
#include "tests/transport/circle-device.h"
#include "transport/link/tls-connector.h"
#include "transport/wire/uv-network.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

struct Two {
  UvLoop uv;
  UvNetwork network{uv.port};
  SystemEntropy entropy;
  kj::Own<Tls> tls = newTls(entropy, uv.timer());
  TlsConnector connector{network, *tls};
  Device phone{1}, laptop{2};
  std::string place;  // of the laptop, behind TLS

  Two() {
    phone.know(laptop);
    laptop.know(phone);
    phone.start(uv.timer(), network);
    laptop.start(uv.timer(), network);
    phone.links->plug(Path::Kind::TLS, connector);
    auto receiver = network.parseAddress("127.0.0.1:0").wait(uv.waitScope)->listen();
    place = "127.0.0.1:" + std::to_string(receiver->getPort());
    laptop.links->serve(newTlsReceiver(*tls, kj::mv(receiver)));
  }
  bool comeTogether(const std::string& address) {
    phone.links->setAddresses(laptop.keys.id, {address});
    auto isUp = [&]() {
      return phone.links->isUp(laptop.keys.id) && laptop.links->isUp(phone.keys.id);
    };
    for (int i = 0; i < 200 && !isUp(); ++i)
      uv.timer().afterDelay(5 * kj::MILLISECONDS).wait(uv.waitScope);
    return isUp();
  }
};

TEST_CASE("a link comes up through the outer TLS and carries streams") {
  Two two;
  REQUIRE(two.comeTogether("tls:" + two.place));
  constexpr kj::byte HEADER[] = {2};
  auto out = two.phone.links->open(two.laptop.keys.id, Lane::BULK, HEADER).value();
  auto sent = kj::heapArray<kj::byte>(1 << 20);
  two.entropy.fill(sent);
  auto writing = out->write(sent.begin(), sent.size()).eagerlyEvaluate(nullptr);
  while (two.laptop.streams.empty())
    two.uv.timer().afterDelay(1 * kj::MILLISECONDS).wait(two.uv.waitScope);
  auto got = kj::heapArray<kj::byte>(sent.size());
  two.laptop.streams[0]->read(got.begin(), got.size()).wait(two.uv.waitScope);
  REQUIRE(got == sent);
}

TEST_CASE("TLS is called only where an address says so") {
  Two two;
  REQUIRE_FALSE(two.comeTogether(two.place));
}

}  // namespace
}  // namespace hearth::transport
