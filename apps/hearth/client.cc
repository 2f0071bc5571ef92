#include "apps/hearth/client.h"

#include "bindings/local/home.h"

#include <kj/async-unix.h>
#include <kj/debug.h>

#include <csignal>

namespace hearth::cli {

namespace {

kj::AsyncIoContext setUp() {
  kj::UnixEventPort::captureSignal(SIGINT);
  kj::UnixEventPort::captureSignal(SIGTERM);
  return kj::setupAsyncIo();
}

kj::Own<kj::AsyncIoStream> connect(kj::AsyncIoContext& io, kj::StringPtr home) {
  auto path = kj::str("unix:", local::socketPath(home));
  auto address = io.provider->getNetwork().parseAddress(path).wait(io.waitScope);
  auto refused = [](kj::Exception&&) -> kj::Own<kj::AsyncIoStream> {
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "no daemon listens there"));
  };
  return kj::evalNow([&]() { return address->connect(); }).catch_(refused).wait(io.waitScope);
}

}  // namespace

Client::Client(kj::StringPtr home): io(setUp()), stream(connect(io, home)), rpc(*stream) {}

void Client::untilInterrupted(kj::Promise<void> work) {
  auto ended = onDisconnect().then(
      []() { kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "hearthd has ended")); });
  onInterrupt().exclusiveJoin(kj::mv(work)).exclusiveJoin(kj::mv(ended)).wait(waitScope());
}

kj::Promise<void> Client::onInterrupt() {
  return io.unixEventPort.onSignal(SIGINT)
      .exclusiveJoin(io.unixEventPort.onSignal(SIGTERM))
      .ignoreResult();
}

}  // namespace hearth::cli
