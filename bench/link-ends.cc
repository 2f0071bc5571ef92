#include "bench/link-ends.h"

#include <kj/debug.h>

namespace hearth::bench {

LinkEnd::LinkEnd(UvLoop& uv, Entropy& entropy, LinkDevice& self, Serve serve, bool overUdp)
    : uv(uv),
      serve(kj::mv(serve)),
      network(uv.port),
      guard([]() { KJ_FAIL_REQUIRE("an ephemeral key came twice"); }),
      own({uv.timer(), entropy, guard, self}, network, *this),
      tasks(failures) {
  if (!overUdp) return;
  auto port = network.parseAddress("127.0.0.1:0").wait(uv.waitScope)->bindDatagramPort();
  auto& udp = *host.emplace(kj::heap<transport::UdpHost>(
      transport::batchesOf(kj::mv(port), network), self.x(), uv.timer(), entropy));
  auto& calling =
      *connector.emplace(kj::heap<transport::UdpConnector>(udp, network, self, uv.timer()));
  own.plug(transport::Path::Kind::UDP, calling);
}

LinkEnd::~LinkEnd() noexcept(false) = default;

uint16_t LinkEnd::listen() {
  KJ_IF_MAYBE(udp, host) {
    own.serve((*udp)->listen());
    return static_cast<uint16_t>((*udp)->port());
  }
  auto receiver = network.parseAddress("127.0.0.1:0").wait(uv.waitScope)->listen();
  auto port = static_cast<uint16_t>(receiver->getPort());
  own.serve(kj::mv(receiver));
  return port;
}

kj::Promise<void> LinkEnd::call(const DeviceId& peer, uint16_t port) {
  auto paf = kj::newPromiseAndFulfiller<void>();
  up = kj::mv(paf.fulfiller);
  auto kind = host == nullptr ? "" : "udp:";
  own.setAddresses(peer, {kind + std::string("127.0.0.1:") + std::to_string(port)});
  return kj::mv(paf.promise);
}

void LinkEnd::peerUp(const DeviceId&) {
  KJ_IF_MAYBE(fulfiller, up) (*fulfiller)->fulfill();
}

void LinkEnd::incoming(
    const DeviceId&, kj::Array<const kj::byte>, kj::Own<kj::AsyncIoStream> stream) {
  tasks.add(serve(kj::mv(stream)));
}

capnp::Capability::Client LinkEnd::bootstrapFor(const DeviceId&) {
  return KJ_EXCEPTION(FAILED, "a device of a bench has nothing to be called by RPC");
}

Linked::Linked(const LinkEnd::Serve& serve, bool overUdp)
    : server([&](Served::SayPort say) {
        UvLoop loop;
        LinkEnd called(loop, devices.entropy, devices.called, serve, overUdp);
        say(called.listen());
        loop.port.run(loop.waitScope, kj::NEVER_DONE);
      }),
      end(uv, devices.entropy, devices.caller, serve, overUdp) {
  end.call(devices.called.id(), server.port()).wait(uv.waitScope);
}

kj::Own<kj::AsyncIoStream> Linked::open(transport::Lane lane, kj::byte kind) {
  kj::byte header[] = {kind};
  return end.links().open(devices.called.id(), lane, header).value();
}

void LinkEnd::Failures::taskFailed(kj::Exception&& e) {
  if (e.getType() != kj::Exception::Type::DISCONNECTED) KJ_LOG(ERROR, "a stream failed", e);
}

}  // namespace hearth::bench
