#pragma once
// A socket that libuv watches: promises for "can be read", "can be written" and "the peer is gone".
// One promise of each kind at a time, as KJ streams ask.

#include "core/loop/uv-event-port.h"

#include <kj/io.h>

namespace hearth::transport {

class UvDescriptor final {
 public:
  // Takes the descriptor, which must be non-blocking.
  UvDescriptor(UvEventPort& port, kj::AutoCloseFd fd);
  ~UvDescriptor() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(UvDescriptor);

  int get() const { return fd; }
  kj::Promise<void> whenReadable() { return when(readable, UV_READABLE); }
  kj::Promise<void> whenWritable() { return when(writable, UV_WRITABLE); }
  kj::Promise<void> whenDisconnected() { return when(disconnected, UV_DISCONNECT); }

 private:
  // One that waits, within its promise. A promise that is dropped waits no longer.
  struct Waiter {
    kj::PromiseFulfiller<void>& fulfiller;
    Waiter** place;

    Waiter(kj::PromiseFulfiller<void>& fulfiller, Waiter*& at): fulfiller(fulfiller), place(&at) {
      if (at != nullptr) at->place = nullptr;
      at = this;
    }
    ~Waiter() {
      if (place != nullptr) *place = nullptr;
    }
    KJ_DISALLOW_COPY_AND_MOVE(Waiter);
  };

  // Belongs to libuv until it has closed it, hence apart from this object.
  struct Handle {
    uv_poll_t poll;
    UvDescriptor* owner;
    kj::AutoCloseFd fd;  // closed only when libuv has let go of it
  };

  Handle* handle;
  int fd;
  Waiter* readable = nullptr;
  Waiter* writable = nullptr;
  Waiter* disconnected = nullptr;
  int watched = 0;  // by libuv; UV_READABLE for some time after the last who waited for it

  kj::Promise<void> when(Waiter*& waiter, int event);
  static void fulfill(Waiter*& waiter);
  void watch(int needless = 0);
  static void came(uv_poll_t* poll, int status, int events);
};

}  // namespace hearth::transport
