#include "bindings/local/presence.h"

#include "bindings/local/json-tree.h"
#include "bindings/local/refuse.h"
#include "crypto/identity/display.h"

#include <kj/debug.h>

#include <deque>

namespace hearth::local {

namespace {

constexpr size_t UNTOLD_MAX =
    64;  // messages that an app has not taken yet; the oldest are left out

using There = devices::Presence::There;

// As an app may say it.
std::string checked(kj::StringPtr json) {
  if (auto tree = treeOf(json); !tree) refuse(tree.error());
  return json.cStr();
}

// Those whose apps say what apps can read.
std::vector<There> readable(std::vector<There> all) {
  std::erase_if(all, [](auto& there) { return !treeOf(there.value.c_str()); });
  return all;
}

void write(
    devices::Node& node, const std::vector<There>& all, capnp::List<Presence::There>::Builder out) {
  for (kj::uint i = 0; i < all.size(); ++i) {
    out[i].setDevice(node.nameOf(all[i].device).c_str());
    out[i].setDeviceId(crypto::display(all[i].device));
    out[i].setJson(all[i].value.c_str());
    out[i].setOwn(all[i].device == node.circle().selfId());
  }
}

class PlaceServer final: public Presence::Place::Server {
 public:
  PlaceServer(kj::Own<NodeWhileThere> node, uint32_t place): node(kj::mv(node)), place(place) {}
  ~PlaceServer() noexcept(false) {
    KJ_IF_MAYBE(there, node->node) there->data().presence().leave(place);
  }

  kj::Promise<void> become(BecomeContext context) override {
    auto done =
        node->there().data().presence().become(place, checked(context.getParams().getJson()));
    if (!done) refuse(done.error());
    return kj::READY_NOW;
  }

 private:
  kj::Own<NodeWhileThere> node;
  uint32_t place;
};

// One app that watches.
class Watching final: private devices::Presence::Watcher {
 public:
  Watching(kj::Own<NodeWhileThere> node, std::string document, PresenceWatcher::Client app)
      : node(kj::mv(node)),
        document(kj::mv(document)),
        app(kj::mv(app)) {
    this->node->there().data().presence().watch(this->document, *this);
  }
  ~Watching() noexcept(false) {
    KJ_IF_MAYBE(there, node->node) there->data().presence().unwatch(document, *this);
  }

  kj::Promise<void> run() {
    for (;;) {
      if (std::exchange(hasChanged, false)) {
        auto all = readable(node->there().data().presence().at(document));
        auto request = app.changedRequest();
        write(node->there(), all, request.initThere(static_cast<kj::uint>(all.size())));
        co_await request.send().ignoreResult();
      } else if (!untold.empty()) {
        auto [device, value] = kj::mv(untold.front());
        untold.pop_front();
        if (!treeOf(value.c_str())) continue;
        auto request = app.saidRequest();
        request.setDevice(node->there().nameOf(device).c_str());
        request.setDeviceId(crypto::display(device));
        request.setJson(value.c_str());
        co_await request.send().ignoreResult();
      } else {
        co_await news.wait();
      }
    }
  }

 private:
  kj::Own<NodeWhileThere> node;
  std::string document;
  PresenceWatcher::Client app;
  bool hasChanged = true;
  std::deque<std::pair<DeviceId, std::string>> untold;
  transport::Bell news;

  void changed() override {
    hasChanged = true;
    news.ring();
  }
  void said(const DeviceId& device, const std::string& value) override {
    if (untold.size() == UNTOLD_MAX) untold.pop_front();
    untold.emplace_back(device, value);
    news.ring();
  }
};

class PresenceServer final: public Presence::Server {
 public:
  PresenceServer(kj::Own<NodeWhileThere> node, std::string document)
      : node(kj::mv(node)),
        document(kj::mv(document)) {}

  kj::Promise<void> enter(EnterContext context) override {
    auto place =
        node->there().data().presence().enter(document, checked(context.getParams().getJson()));
    if (!place) refuse(place.error());
    context.getResults().setPlace(kj::heap<PlaceServer>(kj::addRef(*node), *place));
    return kj::READY_NOW;
  }

  kj::Promise<void> list(ListContext context) override {
    auto all = readable(node->there().data().presence().at(document));
    write(node->there(), all, context.getResults().initThere(static_cast<kj::uint>(all.size())));
    return kj::READY_NOW;
  }

  kj::Promise<void> watch(WatchContext context) override {
    Watching watching(kj::addRef(*node), document, context.getParams().getWatcher());
    co_await watching.run();
  }

  kj::Promise<void> say(SayContext context) override {
    auto said =
        node->there().data().presence().say(document, checked(context.getParams().getJson()));
    if (!said) refuse(said.error());
    return kj::READY_NOW;
  }

 private:
  kj::Own<NodeWhileThere> node;
  std::string document;
};

}  // namespace

Presence::Client newPresence(kj::Own<NodeWhileThere> node, std::string document) {
  return kj::heap<PresenceServer>(kj::mv(node), kj::mv(document));
}

}  // namespace hearth::local
