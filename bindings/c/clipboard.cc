// The clipboard of hearth.h.

#include "bindings/c/handle.h"
#include "bindings/c/listener.h"

#include <vector>

using namespace hearth;
using local::Clipboard;
using local::ErrorLine;
using local::Line;
using local::Listener;

namespace {

hearth_clip clipOf(local::Clip::Reader entry) {
  return {.id = entry.getId().cStr(),
      .type = entry.getMime().cStr(),
      .bytes = nullptr,
      .size = static_cast<size_t>(entry.getBytes()),
      .preview = entry.getPreview().cStr(),
      .secret = entry.getSecret(),
      .left_ms = entry.getLeftMs(),
      .device = entry.getDevice().cStr(),
      .device_id = entry.getDeviceId().cStr()};
}

int tell(hearth_on_clips onClips, void* user, capnp::List<local::Clip>::Reader entries) {
  std::vector<hearth_clip> clips;
  for (auto entry: entries) clips.push_back(clipOf(entry));
  return onClips(user, clips.data(), clips.size());
}

class Watcher final: public local::ClipboardWatcher::Server {
 public:
  Watcher(std::shared_ptr<Listener> app, hearth_on_clips onClips, void* user)
      : app(kj::mv(app)),
        onClips(onClips),
        user(user) {}

  kj::Promise<void> changed(ChangedContext context) override {
    auto entries = context.getParams().getEntries();
    app->tell([&]() { return tell(onClips, user, entries); });
    return kj::READY_NOW;
  }

 private:
  std::shared_ptr<Listener> app;
  hearth_on_clips onClips;
  void* user;
};

template <typename Work>
int on(hearth_t* h, bool isUsable, char* error, size_t errorSize, Work&& work) {
  ErrorLine line{error, errorSize};
  if (h == nullptr || !isUsable)
    return line.say(HEARTH_USAGE,
        "a call on the clipboard needs a handle, its bytes or a callback, and sized options");
  return local::guarded(line, [&]() {
    return h->transport->call(
        [&](Line& connected) {
          return work(connected, connected.daemon().clipboardRequest().send().getClipboard());
        },
        line);
  });
}

}  // namespace

int hearth_clip_copy(hearth_t* h, const void* bytes, size_t size,
    const struct hearth_copying* options, char* error, size_t errorSize) {
  bool isUsable = (bytes != nullptr || size == 0) &&
      (options == nullptr || options->size == sizeof(struct hearth_copying));
  return on(
      h, isUsable, error, errorSize, [&](Line&, Clipboard::Client clipboard) -> kj::Promise<int> {
        auto request = clipboard.copyRequest();
        bool isTyped = options != nullptr && options->type != nullptr;
        request.setMime(isTyped ? options->type : "text/plain");
        request.setBytes(kj::arrayPtr(static_cast<const kj::byte*>(bytes), size));
        request.setSecret(options != nullptr && options->secret != 0);
        auto lifetime = request.initLifetime();
        if (options != nullptr && options->lifetime_ms < 0) lifetime.setNone();
        if (options != nullptr && options->lifetime_ms > 0)
          lifetime.setMs(static_cast<uint64_t>(options->lifetime_ms));
        co_await request.send().ignoreResult();
        co_return HEARTH_OK;
      });
}

int hearth_clip_paste(hearth_t* h, const char* id, hearth_on_clips onClips, void* user, char* error,
    size_t errorSize) {
  return on(h, onClips != nullptr, error, errorSize,
      [&](Line& line, Clipboard::Client clipboard) -> kj::Promise<int> {
        auto request = clipboard.pasteRequest();
        if (id != nullptr) request.setId(id);
        auto pasted = co_await request.send();
        auto clip = clipOf(pasted.getEntry());
        clip.bytes = pasted.getBytes().begin();
        line.onCaller([&]() { onClips(user, &clip, 1); });
        co_return HEARTH_OK;
      });
}

int hearth_clip_list(
    hearth_t* h, hearth_on_clips onClips, void* user, char* error, size_t errorSize) {
  return on(h, onClips != nullptr, error, errorSize,
      [&](Line& line, Clipboard::Client clipboard) -> kj::Promise<int> {
        auto listed = co_await clipboard.listRequest().send();
        line.onCaller([&]() { tell(onClips, user, listed.getEntries()); });
        co_return HEARTH_OK;
      });
}

int hearth_clip_clear(hearth_t* h, char* error, size_t errorSize) {
  return on(h, true, error, errorSize, [&](Line&, Clipboard::Client clipboard) -> kj::Promise<int> {
    co_await clipboard.clearRequest().send().ignoreResult();
    co_return HEARTH_OK;
  });
}

int hearth_clip_watch(
    hearth_t* h, hearth_on_clips onClips, void* user, char* error, size_t errorSize) {
  return on(h, onClips != nullptr, error, errorSize, [&](Line& line, Clipboard::Client clipboard) {
    auto app = std::make_shared<Listener>();
    auto request = clipboard.watchRequest();
    request.setWatcher(kj::heap<Watcher>(app, onClips, user));
    return Listener::listen(line, app, request.send().ignoreResult());
  });
}
