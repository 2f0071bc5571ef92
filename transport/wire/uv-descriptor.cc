#include "transport/wire/uv-descriptor.h"

#include <kj/debug.h>

namespace hearth::transport {

void UvDescriptor::fulfill(Waiter*& waiter) {
  if (waiter == nullptr) return;
  auto& fulfiller = waiter->fulfiller;
  waiter->place = nullptr;
  waiter = nullptr;
  fulfiller.fulfill();
}

UvDescriptor::UvDescriptor(UvEventPort& port, kj::AutoCloseFd fdIn): fd(fdIn) {
  handle = new Handle{{}, this, kj::mv(fdIn)};
  auto result = uv_poll_init(&port.loop(), &handle->poll, fd);
  if (result != 0) delete handle;
  KJ_REQUIRE(result == 0, "the descriptor cannot be watched", uv_strerror(result));
  handle->poll.data = handle;
}

UvDescriptor::~UvDescriptor() noexcept(false) {
  for (auto waiter: {readable, writable, disconnected}) {
    if (waiter != nullptr) waiter->place = nullptr;
  }
  handle->owner = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->poll),
      [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
}

kj::Promise<void> UvDescriptor::when(Waiter*& waiter, int event) {
  auto waiting = kj::newAdaptedPromise<void, Waiter>(waiter);
  if (!(watched & event)) watch();
  return waiting;
}

// Watches for what is waited for. Whoever has read will read again: each change of what is watched costs two
// system calls, so the socket stays watched for that until it can be read and nobody wants to (`needless`).
void UvDescriptor::watch(int needless) {
  int kept = watched & UV_READABLE & ~needless;
  watched = (readable != nullptr ? UV_READABLE : kept) | (writable != nullptr ? UV_WRITABLE : 0) |
      (disconnected != nullptr ? UV_DISCONNECT : 0);
  if (watched == 0) {
    uv_poll_stop(&handle->poll);
  } else {
    auto result = uv_poll_start(&handle->poll, watched, &came);
    KJ_REQUIRE(result == 0, "the descriptor cannot be watched", uv_strerror(result));
  }
}

void UvDescriptor::came(uv_poll_t* poll, int status, int events) {
  auto self = static_cast<Handle*>(poll->data)->owner;
  if (self == nullptr) return;
  // An error is news for whoever waits: the next system call says which. libuv watches no longer then.
  if (status < 0) {
    events = UV_READABLE | UV_WRITABLE | UV_DISCONNECT;
    self->watched = 0;
  }
  bool isRead = (events & UV_READABLE) && self->readable != nullptr;
  if (isRead) fulfill(self->readable);
  if (events & UV_WRITABLE) fulfill(self->writable);
  if (events & UV_DISCONNECT) fulfill(self->disconnected);
  if (!isRead || events != UV_READABLE) self->watch(isRead ? 0 : events & UV_READABLE);
}

}  // namespace hearth::transport
