// Who is at a document, for hearth.h.

#include "bindings/c/handle.h"
#include "bindings/c/listener.h"

#include <vector>

using namespace hearth;
using local::ErrorLine;
using local::Line;
using local::Listener;
using local::Presence;

namespace {

using Everybody = capnp::List<Presence::There>::Reader;

int tell(hearth_on_present onPresent, void* user, Everybody all) {
  std::vector<hearth_there> there;
  for (auto one: all)
    there.push_back(
        {one.getDevice().cStr(), one.getDeviceId().cStr(), one.getJson().cStr(), one.getOwn()});
  return onPresent(user, there.data(), there.size());
}

struct Callbacks {
  hearth_on_present onPresent;
  hearth_on_said onSaid;
  void* user;
};

class Watcher final: public local::PresenceWatcher::Server {
 public:
  Watcher(std::shared_ptr<Listener> app, const Callbacks& callbacks)
      : app(kj::mv(app)),
        callbacks(callbacks) {}

  kj::Promise<void> changed(ChangedContext context) override {
    auto there = context.getParams().getThere();
    app->tell([&]() { return tell(callbacks.onPresent, callbacks.user, there); });
    return kj::READY_NOW;
  }
  kj::Promise<void> said(SaidContext context) override {
    if (callbacks.onSaid == nullptr) return kj::READY_NOW;
    auto params = context.getParams();
    app->tell([&]() {
      return callbacks.onSaid(callbacks.user, params.getDevice().cStr(),
          params.getDeviceId().cStr(), params.getJson().cStr());
    });
    return kj::READY_NOW;
  }

 private:
  std::shared_ptr<Listener> app;
  Callbacks callbacks;
};

template <typename Work>
int at(hearth_t* h, const char* name, char* error, size_t errorSize, Work&& work) {
  ErrorLine line{error, errorSize};
  if (h == nullptr || name == nullptr)
    return line.say(HEARTH_USAGE, "a document's call needs a handle and a name");
  return local::guarded(line, [&]() {
    return h->transport->call(
        [&](Line& connected) {
          auto request =
              connected.daemon().documentsRequest().send().getDocuments().presenceRequest();
          request.setName(name);
          return work(connected, request.send().getPresence());
        },
        line);
  });
}

int needs(char* error, size_t errorSize, kj::StringPtr what) {
  return ErrorLine{error, errorSize}.say(HEARTH_USAGE, what);
}

// Until the call is over.
kj::Promise<void> becomeAsTold(hearth_t* h, Line& line, Presence::Place::Client place) {
  for (;;) {
    co_await line.whenNudged();
    auto wanted = kj::mv(*h->becomes.lockExclusive());
    KJ_IF_MAYBE(json, wanted) {
      auto request = place.becomeRequest();
      request.setJson(json->c_str());
      co_await request.send().ignoreResult();
    }
  }
}

kj::Promise<int> attend(hearth_t* h, Line& line, Presence::Client presence, const char* json,
    const Callbacks& callbacks) {
  *h->becomes.lockExclusive() = nullptr;
  auto entering = presence.enterRequest();
  entering.setJson(json == nullptr ? "null" : json);
  auto place = (co_await entering.send()).getPlace();
  auto app = std::make_shared<Listener>();
  auto request = presence.watchRequest();
  request.setWatcher(kj::heap<Watcher>(app, callbacks));
  auto telling = request.send().ignoreResult().exclusiveJoin(becomeAsTold(h, line, place));
  co_return co_await Listener::listen(line, app, kj::mv(telling));
}

}  // namespace

int hearth_doc_present(hearth_t* h, const char* name, hearth_on_present onPresent, void* user,
    char* error, size_t errorSize) {
  if (onPresent == nullptr) return needs(error, errorSize, "that call needs a callback");
  return at(
      h, name, error, errorSize, [&](Line& line, Presence::Client presence) -> kj::Promise<int> {
        auto listed = co_await presence.listRequest().send();
        line.onCaller([&]() { tell(onPresent, user, listed.getThere()); });
        co_return HEARTH_OK;
      });
}

int hearth_doc_attend(hearth_t* h, const char* name, const char* json, hearth_on_present onPresent,
    hearth_on_said onSaid, void* user, char* error, size_t errorSize) {
  if (onPresent == nullptr) return needs(error, errorSize, "that call needs a callback");
  Callbacks callbacks{onPresent, onSaid, user};
  return at(h, name, error, errorSize, [&](Line& line, Presence::Client presence) {
    return attend(h, line, kj::mv(presence), json, callbacks);
  });
}

int hearth_doc_become(hearth_t* h, const char* json, char* error, size_t errorSize) {
  if (h == nullptr || json == nullptr)
    return needs(error, errorSize, "that call needs a handle and JSON");
  *h->becomes.lockExclusive() = std::string(json);
  h->transport->nudge();
  return HEARTH_OK;
}

int hearth_doc_say(hearth_t* h, const char* name, const char* json, char* error, size_t errorSize) {
  if (json == nullptr) return needs(error, errorSize, "that call needs JSON");
  return at(h, name, error, errorSize, [&](Line&, Presence::Client presence) -> kj::Promise<int> {
    auto request = presence.sayRequest();
    request.setJson(json);
    co_await request.send().ignoreResult();
    co_return HEARTH_OK;
  });
}
