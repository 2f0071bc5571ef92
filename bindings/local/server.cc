#include "bindings/local/server.h"

#include "transport/wire/uv-network.h"

#include <capnp/rpc-twoparty.h>
#include <kj/debug.h>

namespace hearth::local {

Server::Server(devices::Node& node, kj::Timer& timer)
    : door(node, timer, timer.now()),
      tasks(*this) {}

void Server::serve(kj::Own<kj::ConnectionReceiver> receiver, uid_t uid) {
  tasks.add(acceptAll(kj::mv(receiver), uid));
}

void Server::welcome(kj::Own<kj::AsyncIoStream> stream) {
  if (connections < CONNECTIONS_MAX) tasks.add(answer(kj::mv(stream)));
}

kj::Promise<void> Server::acceptAll(kj::Own<kj::ConnectionReceiver> receiver, uid_t uid) {
  for (;;) {
    auto stream = co_await receiver->accept();
    if (transport::credentialsOf(*stream).uid == uid) welcome(kj::mv(stream));
  }
}

kj::Promise<void> Server::answer(kj::Own<kj::AsyncIoStream> stream) {
  ++connections;
  KJ_DEFER(--connections);
  capnp::TwoPartyVatNetwork network(*stream, capnp::rpc::twoparty::Side::SERVER);
  auto rpc = capnp::makeRpcServer(network, door.client());
  co_await network.onDisconnect();
}

void Server::taskFailed(kj::Exception&& e) {
  if (e.getType() != kj::Exception::Type::DISCONNECTED)
    KJ_LOG(WARNING, "a local connection failed", e.getDescription());
}

}  // namespace hearth::local
