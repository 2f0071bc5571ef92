#include "transport/discovery/uv-avahi-poll.h"

#include <kj/debug.h>

#include <algorithm>
#include <avahi-common/timeval.h>

// The two names below are Avahi's, for its main loop to define.

struct AvahiWatch {
  uv_poll_t handle;
  int fd;
  AvahiWatchCallback callback;
  void* userdata;
  int happened = 0;  // of AvahiWatchEvent, while the callback runs
};

struct AvahiTimeout {
  uv_timer_t handle;
  AvahiTimeoutCallback callback;
  void* userdata;
};

namespace hearth::transport {

namespace {

// Only with these Avahi calls back: it never waits for a descriptor to be writable and readable apart.
int uvEventsOf(AvahiWatchEvent events) {
  return ((events & AVAHI_WATCH_IN) ? UV_READABLE : 0) |
      ((events & AVAHI_WATCH_OUT) ? UV_WRITABLE : 0);
}

void watchCame(uv_poll_t* handle, int status, int events) {
  auto watch = static_cast<AvahiWatch*>(handle->data);
  watch->happened = ((events & UV_READABLE) ? AVAHI_WATCH_IN : 0) |
      ((events & UV_WRITABLE) ? AVAHI_WATCH_OUT : 0) | (status < 0 ? AVAHI_WATCH_ERR : 0);
  watch->callback(watch, watch->fd, static_cast<AvahiWatchEvent>(watch->happened), watch->userdata);
}

// The callback may free the watch: what happened is gone with the next one, not at the end of this.
AvahiWatchEvent watchEvents(AvahiWatch* watch) {
  return static_cast<AvahiWatchEvent>(watch->happened);
}

void updateWatch(AvahiWatch* watch, AvahiWatchEvent events) {
  int result = uv_poll_start(&watch->handle, uvEventsOf(events), &watchCame);
  if (result != 0) KJ_LOG(ERROR, "a socket of DNS-SD is not watched", uv_strerror(result));
}

AvahiWatch* newWatch(const AvahiPoll* api, int fd, AvahiWatchEvent events,
    AvahiWatchCallback callback, void* userdata) {
  auto watch = new AvahiWatch{{}, fd, callback, userdata};
  if (uv_poll_init(&static_cast<UvEventPort*>(api->userdata)->loop(), &watch->handle, fd) != 0) {
    delete watch;
    return nullptr;
  }
  watch->handle.data = watch;
  updateWatch(watch, events);
  return watch;
}

void freeWatch(AvahiWatch* watch) {
  uv_close(reinterpret_cast<uv_handle_t*>(&watch->handle),
      [](uv_handle_t* closed) { delete static_cast<AvahiWatch*>(closed->data); });
}

// `at` is by the wall clock; none: never.
void updateTimeout(AvahiTimeout* timeout, const struct timeval* at) {
  if (at == nullptr) {
    uv_timer_stop(&timeout->handle);
    return;
  }
  constexpr AvahiUsec USEC_PER_MS = 1000;
  auto left = std::max<AvahiUsec>(-avahi_age(at), 0);
  uv_update_time(timeout->handle.loop);  // the turn that asks may have been a long one
  uv_timer_start(
      &timeout->handle,
      [](uv_timer_t* handle) {
        auto came = static_cast<AvahiTimeout*>(handle->data);
        came->callback(came, came->userdata);
      },
      static_cast<uint64_t>((left + USEC_PER_MS - 1) / USEC_PER_MS), 0);
}

AvahiTimeout* newTimeout(
    const AvahiPoll* api, const struct timeval* at, AvahiTimeoutCallback callback, void* userdata) {
  auto timeout = new AvahiTimeout{{}, callback, userdata};
  uv_timer_init(&static_cast<UvEventPort*>(api->userdata)->loop(), &timeout->handle);
  timeout->handle.data = timeout;
  updateTimeout(timeout, at);
  return timeout;
}

void freeTimeout(AvahiTimeout* timeout) {
  uv_close(reinterpret_cast<uv_handle_t*>(&timeout->handle),
      [](uv_handle_t* closed) { delete static_cast<AvahiTimeout*>(closed->data); });
}

}  // namespace

AvahiPoll avahiPollOn(UvEventPort& port) {
  return {&port, &newWatch, &updateWatch, &watchEvents, &freeWatch, &newTimeout, &updateTimeout,
      &freeTimeout};
}

}  // namespace hearth::transport
