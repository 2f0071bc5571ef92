#pragma once
// The command line's connection to the daemon of this device.

#include "bindings/bindings.capnp.h"

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>

namespace hearth::cli {

class Client final {
 public:
  // Throws DISCONNECTED when no daemon listens at the home's socket.
  explicit Client(kj::StringPtr home);

  local::Daemon::Client daemon() { return rpc.bootstrap().castAs<local::Daemon>(); }
  kj::WaitScope& waitScope() { return io.waitScope; }
  kj::UnixEventPort& events() { return io.unixEventPort; }
  kj::Timer& timer() { return io.provider->getTimer(); }

  // Resolves when the daemon goes away.
  kj::Promise<void> onDisconnect() { return rpc.onDisconnect(); }

  // Resolves when the user presses Ctrl-C or the process is asked to end.
  kj::Promise<void> onInterrupt();
  // Goes on until one of them, or until `work` has ended. Throws DISCONNECTED when the daemon has.
  void untilInterrupted(kj::Promise<void> work);

 private:
  kj::AsyncIoContext io;
  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyClient rpc;
};

}  // namespace hearth::cli
