// The documents of hearth.h.

#include "bindings/c/document-call.h"
#include "bindings/c/listener.h"

using namespace hearth;
using local::Document;
using local::ErrorLine;
using local::Line;
using local::Listener;
using local::needsJson;
using local::onDocument;

namespace {

class Watcher final: public local::DocumentWatcher::Server {
 public:
  Watcher(std::shared_ptr<Listener> app, hearth_on_json onJson, void* user)
      : app(kj::mv(app)),
        onJson(onJson),
        user(user) {}

  kj::Promise<void> changed(ChangedContext context) override {
    auto params = context.getParams();
    app->tell([&]() { return onJson(user, params.getJson().cStr(), params.getVersion().cStr()); });
    return kj::READY_NOW;
  }

 private:
  std::shared_ptr<Listener> app;
  hearth_on_json onJson;
  void* user;
};

// Something that changes it.
template <typename Make>
int change(
    hearth_t* h, const char* name, const char* path, char* error, size_t errorSize, Make&& make) {
  return onDocument(h, name, path, error, errorSize,
      [&](Line&, Document::Client document, ErrorLine) -> kj::Promise<int> {
        auto request = make(document);
        request.setPath(path);
        co_await request.send().ignoreResult();
        co_return HEARTH_OK;
      });
}

template <typename Make>
int takeBack(hearth_t* h, const char* name, char* error, size_t errorSize, kj::StringPtr nothing,
    Make&& make) {
  return onDocument(h, name, "", error, errorSize,
      [&](Line&, Document::Client document, ErrorLine line) -> kj::Promise<int> {
        auto answer = co_await make(document).send();
        co_return answer.getDone() ? int{HEARTH_OK} : line.say(HEARTH_FAILED, nothing);
      });
}

}  // namespace

int hearth_doc_get(hearth_t* h, const char* name, const char* path,
    const struct hearth_doc_reading* options, hearth_on_json onJson, void* user, char* error,
    size_t errorSize) {
  if (onJson == nullptr) return needsJson(error, errorSize);
  if (options != nullptr && options->size != sizeof(*options))
    return ErrorLine{error, errorSize}.say(HEARTH_USAGE,
        "hearth_doc_get needs options whose size is sizeof(struct hearth_doc_reading): set it, or "
        "build the app with this library's hearth.h");
  return onDocument(h, name, path, error, errorSize,
      [&](Line& line, Document::Client document, ErrorLine) -> kj::Promise<int> {
        auto request = document.readRequest();
        request.setPath(path);
        if (options != nullptr && options->version != nullptr) request.setVersion(options->version);
        request.setTyped(options != nullptr && options->typed != 0);
        auto read = co_await request.send();
        line.onCaller([&]() { onJson(user, read.getJson().cStr(), read.getVersion().cStr()); });
        co_return HEARTH_OK;
      });
}

int hearth_doc_set(hearth_t* h, const char* name, const char* path, const char* json, char* error,
    size_t errorSize) {
  if (json == nullptr) return needsJson(error, errorSize);
  return change(h, name, path, error, errorSize, [&](Document::Client& document) {
    auto request = document.setRequest();
    request.setJson(json);
    return request;
  });
}

int hearth_doc_remove(
    hearth_t* h, const char* name, const char* path, char* error, size_t errorSize) {
  return change(h, name, path, error, errorSize,
      [](Document::Client& document) { return document.removeRequest(); });
}

int hearth_doc_edit(hearth_t* h, const char* name, const char* path, uint32_t at, uint32_t erased,
    const char* typed, char* error, size_t errorSize) {
  return change(h, name, path, error, errorSize, [&](Document::Client& document) {
    auto request = document.editRequest();
    request.setAt(at);
    request.setErased(erased);
    if (typed != nullptr) request.setTyped(typed);
    return request;
  });
}

int hearth_doc_add(
    hearth_t* h, const char* name, const char* path, int64_t count, char* error, size_t errorSize) {
  return change(h, name, path, error, errorSize, [&](Document::Client& document) {
    auto request = document.addRequest();
    request.setCount(count);
    return request;
  });
}

int hearth_doc_include(hearth_t* h, const char* name, const char* path, const char* json,
    int included, char* error, size_t errorSize) {
  if (json == nullptr) return needsJson(error, errorSize);
  return change(h, name, path, error, errorSize, [&](Document::Client& document) {
    auto request = document.includeRequest();
    request.setJson(json);
    request.setIncluded(included != 0);
    return request;
  });
}

int hearth_doc_move(
    hearth_t* h, const char* name, const char* path, uint32_t to, char* error, size_t errorSize) {
  return change(h, name, path, error, errorSize, [&](Document::Client& document) {
    auto request = document.moveRequest();
    request.setTo(to);
    return request;
  });
}

int hearth_doc_undo(hearth_t* h, const char* name, char* error, size_t errorSize) {
  return takeBack(h, name, error, errorSize, "nothing of this device's is left to take back",
      [](Document::Client& document) { return document.undoRequest(); });
}

int hearth_doc_redo(hearth_t* h, const char* name, char* error, size_t errorSize) {
  return takeBack(h, name, error, errorSize, "nothing was taken back",
      [](Document::Client& document) { return document.redoRequest(); });
}

int hearth_doc_watch(hearth_t* h, const char* name, const char* path, hearth_on_json onJson,
    void* user, char* error, size_t errorSize) {
  if (onJson == nullptr) return needsJson(error, errorSize);
  return onDocument(h, name, path, error, errorSize,
      [&](Line& line, Document::Client document, ErrorLine) -> kj::Promise<int> {
        auto app = std::make_shared<Listener>();
        auto request = document.watchRequest();
        request.setPath(path);
        request.setWatcher(kj::heap<Watcher>(app, onJson, user));
        return Listener::listen(line, app, request.send().ignoreResult());
      });
}
