#pragma once
// How a handle of hearth.h reaches its daemon. There are two ways: the daemon's socket, with an event
// loop of the call's own (socket-transport.h), and a device of a simulated world, for the tests of
// apps (simulator/app). The calls themselves (hearth.cc) know neither.

#include "bindings/bindings.capnp.h"
#include "bindings/c/guard.h"

#include <kj/async.h>
#include <kj/function.h>

namespace hearth::local {

// A connection for the length of one call.
class Line {
 public:
  virtual Daemon::Client daemon() = 0;

  // Resolves when hearth_cancel has been called on the handle.
  virtual kj::Promise<void> whenCancelled() = 0;

  // Resolves when somebody has something to say to the call that runs (Transport::nudge).
  virtual kj::Promise<void> whenNudged() = 0;

  // Runs a callback of the app's on the thread on which the app made the call.
  virtual void onCaller(kj::FunctionParam<void()> callback) = 0;
};

class Transport {
 public:
  // What a call does once it is connected; it gives the call's code. It runs on the loop's thread.
  using Work = kj::Function<kj::Promise<int>(Line&)>;

  virtual ~Transport() noexcept(false) = default;

  // Connects and does the work, until it is done or the daemon has gone away. Throws DISCONNECTED
  // when no daemon answers, or not any more. May say a line and give a code of its own instead.
  virtual int call(Work work, ErrorLine error) = 0;

  // From any thread, a callback or a signal handler.
  virtual void cancel() = 0;
  // From any thread or a callback.
  virtual void nudge() = 0;
};

// A handle over `transport`, once a daemon has answered there; null and a line when none does.
hearth_t* openOver(kj::Own<Transport> transport, ErrorLine error);

}  // namespace hearth::local
