#include "transport/wire/uv-descriptor.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {

bool isWaited(kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>>& waiting) {
  KJ_IF_MAYBE(fulfiller, waiting) return (*fulfiller)->isWaiting();
  return false;
}

void fulfill(kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>>& waiting) {
  KJ_IF_MAYBE(fulfiller, waiting) (*fulfiller)->fulfill();
  waiting = nullptr;
}

}  // namespace

UvDescriptor::UvDescriptor(UvEventPort& port, kj::AutoCloseFd fdIn): fd(fdIn) {
  handle = new Handle{{}, this, kj::mv(fdIn)};
  auto result = uv_poll_init(&port.loop(), &handle->poll, fd);
  if (result != 0) delete handle;
  KJ_REQUIRE(result == 0, "the descriptor cannot be watched", uv_strerror(result));
  handle->poll.data = handle;
}

UvDescriptor::~UvDescriptor() noexcept(false) {
  handle->owner = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->poll),
      [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
}

kj::Promise<void> UvDescriptor::when(Waiting& waiting, int event) {
  auto paf = kj::newPromiseAndFulfiller<void>();
  waiting = kj::mv(paf.fulfiller);
  if (!(watched & event)) watch();
  return kj::mv(paf.promise);
}

// Watches for just what is waited for: what nobody reads must not wake the loop again and again.
void UvDescriptor::watch() {
  watched = (isWaited(readable) ? UV_READABLE : 0) | (isWaited(writable) ? UV_WRITABLE : 0) |
      (isWaited(disconnected) ? UV_DISCONNECT : 0);
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
  // An error is news for whoever waits: the next system call says which.
  if (status < 0) events = UV_READABLE | UV_WRITABLE | UV_DISCONNECT;
  if (events & UV_READABLE) fulfill(self->readable);
  if (events & UV_WRITABLE) fulfill(self->writable);
  if (events & UV_DISCONNECT) fulfill(self->disconnected);
  self->watch();
}

}  // namespace hearth::transport
