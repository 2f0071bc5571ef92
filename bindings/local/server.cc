#include "bindings/local/server.h"

#include "bindings/local/daemon.h"
#include "transport/wire/uv-network.h"

#include <capnp/rpc-twoparty.h>
#include <kj/debug.h>

namespace hearth::local {

Server::Server(devices::Node& node, kj::Timer& timer, uid_t uid)
    : node(node),
      timer(timer),
      startedAt(timer.now()),
      uid(uid),
      tasks(*this) {}

void Server::serve(kj::Own<kj::ConnectionReceiver> receiver) {
  tasks.add(acceptAll(kj::mv(receiver)));
}

kj::Promise<void> Server::acceptAll(kj::Own<kj::ConnectionReceiver> receiver) {
  for (;;) {
    auto stream = co_await receiver->accept();
    bool welcome = transport::credentialsOf(*stream).uid == uid && connections < CONNECTIONS_MAX;
    if (welcome) tasks.add(answer(kj::mv(stream)));
  }
}

kj::Promise<void> Server::answer(kj::Own<kj::AsyncIoStream> stream) {
  ++connections;
  KJ_DEFER(--connections);
  capnp::TwoPartyVatNetwork network(*stream, capnp::rpc::twoparty::Side::SERVER);
  auto rpc = capnp::makeRpcServer(network, daemonFor(node, timer, startedAt));
  co_await network.onDisconnect();
}

void Server::taskFailed(kj::Exception&& e) {
  if (e.getType() != kj::Exception::Type::DISCONNECTED)
    KJ_LOG(WARNING, "a local connection failed", e.getDescription());
}

}  // namespace hearth::local
