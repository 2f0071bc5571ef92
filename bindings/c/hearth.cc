#include "bindings/c/hearth.h"

#include "bindings/bindings.capnp.h"
#include "bindings/local/home.h"
#include "bindings/local/message.h"

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>
#include <kj/debug.h>
#include <kj/filesystem.h>

#include <cstdio>
#include <cstring>
#include <sys/eventfd.h>
#include <unistd.h>

using namespace hearth;

// A handle keeps no connection: each call makes its own on the calling thread, because a KJ event
// loop belongs to one thread and an app may call from any.
struct hearth_handle {
  kj::String socket;
  kj::AutoCloseFd cancelled;  // an eventfd: writing is safe in a signal handler
};

namespace {

class Connection final {
 public:
  explicit Connection(kj::StringPtr socket)
      : io(kj::setupAsyncIo()),
        stream(connect(io, socket)),
        client(*stream) {}

  local::Daemon::Client daemon() { return client.bootstrap().castAs<local::Daemon>(); }

  kj::AsyncIoContext io;
  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyClient client;

 private:
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

void say(char* error, size_t size, kj::StringPtr text) {
  if (error != nullptr && size > 0) snprintf(error, size, "%s", text.cStr());
}

// Runs `body` and turns what it throws into a code and one line.
template <typename Body>
int guarded(char* error, size_t size, Body&& body) {
  int code = HEARTH_OK;
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { code = body(); })) {
    bool gone = e->getType() == kj::Exception::Type::DISCONNECTED;
    say(error, size,
        gone ? "the daemon does not answer; start it with: hearthd" : local::messageOf(*e));
    return gone ? HEARTH_UNREACHABLE : HEARTH_FAILED;
  }
  return code;
}

class Sink final: public local::TextSink::Server {
 public:
  Sink(hearth_on_text onText, void* user, kj::Own<kj::PromiseFulfiller<int>> over, char* error,
      size_t errorSize)
      : onText(onText),
        user(user),
        over(kj::mv(over)),
        error(error),
        errorSize(errorSize) {}

  kj::Promise<void> text(TextContext context) override {
    auto piece = context.getParams().getPiece();
    hearth_text text = {
        piece.getSeq(), piece.getText().cStr(), piece.getPtsUs(), piece.getLatencyMs()};
    if (onText(user, &text) != 0) over->fulfill(HEARTH_CANCELLED);
    return kj::READY_NOW;
  }

  kj::Promise<void> ended(EndedContext context) override {
    auto end = context.getParams().getEnd();
    if (!end.getOk()) say(error, errorSize, end.getMessage());
    over->fulfill(end.getOk() ? int{HEARTH_OK} : int{HEARTH_FAILED});
    return kj::READY_NOW;
  }

 private:
  hearth_on_text onText;
  void* user;
  kj::Own<kj::PromiseFulfiller<int>> over;
  char* error;
  size_t errorSize;
};

class Watch final: public local::JobWatch::Server {
 public:
  Watch(hearth_on_event onEvent, void* user): onEvent(onEvent), user(user) {}

  kj::Promise<void> event(EventContext context) override {
    auto event = context.getParams().getEvent();
    hearth_event shown = {event.getAtMs(), event.getKind().cStr(), event.getStage().cStr(),
        event.getDevice().cStr(), event.getMessage().cStr()};
    if (onEvent != nullptr) onEvent(user, &shown);
    return kj::READY_NOW;
  }

 private:
  hearth_on_event onEvent;
  void* user;
};

kj::Array<kj::byte> readRecording(const char* path) {
  auto filesystem = kj::newDiskFilesystem();
  auto file = filesystem->getRoot().tryOpenFile(filesystem->getCurrentPath().evalNative(path));
  return KJ_REQUIRE_NONNULL(kj::mv(file), "the recording cannot be opened", path)->readAllBytes();
}

void writeOrder(local::JobOrder::Builder order, const hearth_dictation* options) {
  order.setWorkload("dictate");
  if (options == nullptr) return;
  if (options->from != nullptr) order.setFrom(options->from);
  if (options->wav_path == nullptr) return;
  auto input = order.initInputs(1)[0];
  input.setPort("mic");
  input.setPace(true);
  input.setWav(readRecording(options->wav_path));
}

// Resolves when hearth_cancel has been called on the handle.
kj::Promise<int> whenCancelled(kj::AsyncIoContext& io, int fd) {
  auto stream = io.lowLevelProvider->wrapInputFd(fd);
  uint64_t count = 0;
  co_await stream->read(&count, sizeof(count));
  co_return HEARTH_CANCELLED;
}

int dictate(hearth_handle& h, const hearth_dictation* options, hearth_on_text onText,
    hearth_on_event onEvent, void* user, char* error, size_t errorSize) {
  Connection connection(h.socket);
  auto paf = kj::newPromiseAndFulfiller<int>();
  auto request = connection.daemon().runRequest();
  writeOrder(request.initOrder(), options);
  request.setSink(kj::heap<Sink>(onText, user, kj::mv(paf.fulfiller), error, errorSize));
  request.setWatch(kj::heap<Watch>(onEvent, user));
  auto job = request.send().wait(connection.io.waitScope).getJob();
  auto gone = connection.client.onDisconnect().then(
      []() -> int { kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the daemon went away")); });
  auto code = paf.promise.exclusiveJoin(kj::mv(gone))
                  .exclusiveJoin(whenCancelled(connection.io, h.cancelled))
                  .wait(connection.io.waitScope);
  if (code == HEARTH_CANCELLED) job.cancelRequest().send().wait(connection.io.waitScope);
  return code;
}

}  // namespace

hearth_t* hearth_open(const char* home, char* error, size_t errorSize) {
  hearth_t* h = nullptr;
  guarded(error, errorSize, [&]() -> int {
    auto socket = local::socketPath(home == nullptr ? local::defaultHome() : kj::str(home));
    Connection probe(socket);
    probe.daemon().statusRequest().send().wait(probe.io.waitScope);
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    KJ_REQUIRE(fd >= 0, "no descriptor is left for this process");
    h = new hearth_handle{kj::mv(socket), kj::AutoCloseFd(fd)};
    return HEARTH_OK;
  });
  return h;
}

int hearth_dictate(hearth_t* h, const struct hearth_dictation* options, hearth_on_text onText,
    hearth_on_event onEvent, void* user, char* error, size_t errorSize) {
  bool usable = h != nullptr && onText != nullptr &&
      (options == nullptr || options->size == sizeof(struct hearth_dictation));
  if (!usable) {
    say(error, errorSize,
        "hearth_dictate needs a handle, a text callback and a sized option struct");
    return HEARTH_USAGE;
  }
  return guarded(error, errorSize,
      [&]() { return dictate(*h, options, onText, onEvent, user, error, errorSize); });
}

int hearth_get_status(hearth_t* h, struct hearth_status* out, char* error, size_t errorSize) {
  if (h == nullptr || out == nullptr || out->size != sizeof(struct hearth_status)) {
    say(error, errorSize, "hearth_get_status needs a handle and a sized struct");
    return HEARTH_USAGE;
  }
  return guarded(error, errorSize, [&]() -> int {
    Connection connection(h->socket);
    auto response = connection.daemon().statusRequest().send().wait(connection.io.waitScope);
    auto status = response.getStatus();
    snprintf(out->name, sizeof(out->name), "%s", status.getName().cStr());
    out->devices = status.getDevicesActive();
    out->reachable = status.getDevicesReachable();
    out->jobs = status.getJobsRunning();
    return HEARTH_OK;
  });
}

void hearth_cancel(hearth_t* h) {
  uint64_t one = 1;
  if (h != nullptr && write(h->cancelled, &one, sizeof(one)) < 0)
    return;  // it is cancelled already
}

void hearth_close(hearth_t* h) { delete h; }
