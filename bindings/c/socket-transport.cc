#include "bindings/c/socket-transport.h"

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>
#include <kj/debug.h>

#include <sys/eventfd.h>
#include <unistd.h>

namespace hearth::local {

namespace {

kj::AutoCloseFd newEvent() {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  KJ_REQUIRE(fd >= 0, "no descriptor is left for this process");
  return kj::AutoCloseFd(fd);
}

bool hasLoop() {
  return kj::runCatchingExceptions([]() { kj::getCurrentThreadExecutor(); }) == nullptr;
}

class SocketLine final: public Line {
 public:
  SocketLine(kj::StringPtr socket, int cancelled, int nudged)
      : cancelled(cancelled),
        nudged(nudged),
        io(kj::setupAsyncIo()),
        stream(connect(io, socket)),
        client(*stream) {}

  Daemon::Client daemon() override { return client.bootstrap().castAs<Daemon>(); }

  kj::Promise<void> whenCancelled() override { return whenWritten(cancelled); }
  kj::Promise<void> whenNudged() override { return whenWritten(nudged); }

  void onCaller(kj::FunctionParam<void()> callback) override { callback(); }

  int wait(kj::Promise<int> work) {
    auto gone = client.onDisconnect().then([]() -> int {
      kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the daemon went away"));
    });
    return work.exclusiveJoin(kj::mv(gone)).wait(io.waitScope);
  }

 private:
  int cancelled, nudged;
  kj::AsyncIoContext io;
  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyClient client;

  kj::Promise<void> whenWritten(int fd) {
    auto event = io.lowLevelProvider->wrapInputFd(fd);
    uint64_t count = 0;
    co_await event->read(&count, sizeof(count));
  }

  static kj::Own<kj::AsyncIoStream> connect(kj::AsyncIoContext& io, kj::StringPtr socket) {
    auto address =
        io.provider->getNetwork().parseAddress(kj::str("unix:", socket)).wait(io.waitScope);
    auto refused = [](kj::Exception&&) -> kj::Own<kj::AsyncIoStream> {
      kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "no daemon listens there"));
    };
    auto connecting = kj::evalNow([&]() { return address->connect(); });
    return connecting.catch_(refused).wait(io.waitScope);
  }
};

}  // namespace

SocketTransport::SocketTransport(kj::String socket)
    : socket(kj::mv(socket)),
      cancelled(newEvent()),
      nudged(newEvent()) {}

int SocketTransport::call(Work work, ErrorLine error) {
  if (hasLoop())
    return error.say(HEARTH_USAGE,
        "a callback, and a thread with a simulated world, cannot call a daemon: use another thread");
  SocketLine line(socket, cancelled, nudged);
  return line.wait(work(line));
}

void SocketTransport::cancel() {
  uint64_t one = 1;
  if (write(cancelled, &one, sizeof(one)) < 0) return;  // it is cancelled already
}

void SocketTransport::nudge() {
  uint64_t one = 1;
  if (write(nudged, &one, sizeof(one)) < 0) return;  // it is nudged already
}

}  // namespace hearth::local
