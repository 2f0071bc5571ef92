#include "bindings/c/hearth.h"

#include "bindings/c/handle.h"
#include "bindings/c/socket-transport.h"
#include "bindings/local/home.h"

#include <kj/debug.h>
#include <kj/filesystem.h>

#include <memory>

using namespace hearth;
using local::ErrorLine;
using local::guarded;

namespace {

// The app's side of a dictation. The capabilities that the daemon holds on it may end before the call,
// when the daemon does, and outlive it by a moment: they are deaf then.
struct Listener {
  hearth_on_text onText;
  hearth_on_event onEvent;
  void* user;
  ErrorLine error;
  local::Line* line = nullptr;  // null: the call is over, or the app wants no more
  kj::Own<kj::PromiseFulfiller<int>> over = {};

  void text(const hearth_text& text) {
    int answer = 0;
    line->onCaller([&]() { answer = onText(user, &text); });
    if (answer == 0) return;
    line = nullptr;
    over->fulfill(HEARTH_CANCELLED);
  }
  void event(const hearth_event& event) {
    if (line != nullptr && onEvent != nullptr) line->onCaller([&]() { onEvent(user, &event); });
  }
  void ended(local::JobEnd::Reader end) {
    if (line == nullptr) return;
    over->fulfill(end.getOk() ? int{HEARTH_OK} : error.say(HEARTH_FAILED, end.getMessage()));
  }
};

class Sink final: public local::TextSink::Server {
 public:
  explicit Sink(std::shared_ptr<Listener> app): app(kj::mv(app)) {}

  kj::Promise<void> text(TextContext context) override {
    if (app->line == nullptr) return KJ_EXCEPTION(DISCONNECTED, "the app listens no more");
    auto piece = context.getParams().getPiece();
    app->text({piece.getSeq(), piece.getText().cStr(), piece.getPtsUs(), piece.getLatencyMs()});
    return kj::READY_NOW;
  }

  kj::Promise<void> ended(EndedContext context) override {
    app->ended(context.getParams().getEnd());
    return kj::READY_NOW;
  }

 private:
  std::shared_ptr<Listener> app;
};

class Watch final: public local::JobWatch::Server {
 public:
  explicit Watch(std::shared_ptr<Listener> app): app(kj::mv(app)) {}

  kj::Promise<void> event(EventContext context) override {
    auto event = context.getParams().getEvent();
    app->event({event.getAtMs(), event.getKind().cStr(), event.getStage().cStr(),
        event.getDevice().cStr(), event.getMessage().cStr()});
    return kj::READY_NOW;
  }

 private:
  std::shared_ptr<Listener> app;
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

kj::Promise<int> dictate(
    local::Line& line, const hearth_dictation* options, std::shared_ptr<Listener> app) {
  auto paf = kj::newPromiseAndFulfiller<int>();
  app->line = &line;
  app->over = kj::mv(paf.fulfiller);
  KJ_DEFER(app->line = nullptr);
  auto request = line.daemon().runRequest();
  writeOrder(request.initOrder(), options);
  request.setSink(kj::heap<Sink>(app));
  request.setWatch(kj::heap<Watch>(app));
  auto job = (co_await request.send()).getJob();
  auto cancelled = line.whenCancelled().then([]() -> int { return HEARTH_CANCELLED; });
  auto code = co_await paf.promise.exclusiveJoin(kj::mv(cancelled));
  if (code == HEARTH_CANCELLED) {
    app->line = nullptr;
    co_await job.cancelRequest().send().ignoreResult();
  }
  co_return code;
}

kj::Promise<int> readStatus(local::Line& line, hearth_status* out) {
  auto response = co_await line.daemon().statusRequest().send();
  auto status = response.getStatus();
  if (out != nullptr) {
    snprintf(out->name, sizeof(out->name), "%s", status.getName().cStr());
    out->devices = status.getDevicesActive();
    out->reachable = status.getDevicesReachable();
    out->jobs = status.getJobsRunning();
  }
  co_return HEARTH_OK;
}

}  // namespace

hearth_t* local::openOver(kj::Own<local::Transport> transport, ErrorLine error) {
  int code = guarded(error, [&]() {
    return transport->call([](local::Line& line) { return readStatus(line, nullptr); }, error);
  });
  return code == HEARTH_OK ? new hearth_handle(kj::mv(transport)) : nullptr;
}

hearth_t* hearth_open(const char* home, char* error, size_t errorSize) {
  hearth_t* h = nullptr;
  ErrorLine line{error, errorSize};
  guarded(line, [&]() -> int {
    auto socket = local::socketPath(home == nullptr ? local::defaultHome() : kj::str(home));
    h = local::openOver(kj::heap<local::SocketTransport>(kj::mv(socket)), line);
    return HEARTH_OK;
  });
  return h;
}

int hearth_dictate(hearth_t* h, const struct hearth_dictation* options, hearth_on_text onText,
    hearth_on_event onEvent, void* user, char* error, size_t errorSize) {
  ErrorLine line{error, errorSize};
  bool usable = h != nullptr && onText != nullptr &&
      (options == nullptr || options->size == sizeof(struct hearth_dictation));
  if (!usable)
    return line.say(
        HEARTH_USAGE, "hearth_dictate needs a handle, a text callback and a sized option struct");
  return guarded(line, [&]() {
    auto app = std::make_shared<Listener>(onText, onEvent, user, line);
    return h->transport->call(
        [&](local::Line& connected) { return dictate(connected, options, app); }, line);
  });
}

int hearth_get_status(hearth_t* h, struct hearth_status* out, char* error, size_t errorSize) {
  ErrorLine line{error, errorSize};
  if (h == nullptr || out == nullptr || out->size != sizeof(struct hearth_status))
    return line.say(HEARTH_USAGE, "hearth_get_status needs a handle and a sized struct");
  return guarded(line, [&]() {
    return h->transport->call(
        [&](local::Line& connected) { return readStatus(connected, out); }, line);
  });
}

void hearth_cancel(hearth_t* h) {
  if (h != nullptr) h->transport->cancel();
}

void hearth_close(hearth_t* h) { delete h; }
