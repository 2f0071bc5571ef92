#pragma once
// The way of shipped apps: the Unix socket of this device's daemon. It keeps no connection: each call
// makes its own on the calling thread, because a KJ event loop belongs to one thread and an app may
// call from any.

#include "bindings/c/transport.h"

#include <kj/io.h>

namespace hearth::local {

class SocketTransport final: public Transport {
 public:
  // `socket`: a path.
  explicit SocketTransport(kj::String socket);

  int call(Work work, ErrorLine error) override;
  void cancel() override;
  void nudge() override;

 private:
  kj::String socket;
  kj::AutoCloseFd cancelled, nudged;  // eventfds: writing is safe in a signal handler
};

}  // namespace hearth::local
