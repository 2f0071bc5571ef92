#include "bindings/local/clipboard.h"

#include "bindings/local/refuse.h"
#include "crypto/identity/display.h"
#include "devices/clipboard/clipboard.h"

namespace hearth::local {

namespace {

using View = devices::Clipboard::View;

void write(devices::Node& node, const View& view, Clip::Builder out) {
  out.setId(view.id().c_str());
  out.setMime(view.row.mime.c_str());
  out.setBytes(view.row.bytes);
  out.setPreview(view.row.preview.c_str());
  out.setSecret(view.row.isSecret);
  out.setLeftMs(view.leftMs);
  out.setDevice(node.nameOf(view.row.name.author).c_str());
  out.setDeviceId(crypto::display(view.row.name.author));
}

void write(devices::Node& node, const std::vector<View>& views, capnp::List<Clip>::Builder out) {
  for (kj::uint i = 0; i < views.size(); ++i) write(node, views[i], out[i]);
}

class ClipboardServer final: public Clipboard::Server {
 public:
  explicit ClipboardServer(kj::Own<NodeWhileThere> node): node(kj::mv(node)) {}

  kj::Promise<void> copy(CopyContext context) override {
    co_await node->there().data().ready();
    auto params = context.getParams();
    auto copied = co_await clipboard().copy({.mime = params.getMime().cStr(),
        .bytes = kj::heapArray<kj::byte>(params.getBytes()),
        .lifetime = lifetimeOf(params.getLifetime()),
        .isSecret = params.getSecret()});
    if (!copied) refuse(copied.error());
    write(node->there(), *copied, context.getResults().initEntry());
  }

  kj::Promise<void> paste(PasteContext context) override {
    co_await node->there().data().ready();
    auto pasted = co_await clipboard().paste(context.getParams().getId().cStr());
    if (!pasted) refuse(pasted.error());
    write(node->there(), pasted->view, context.getResults().initEntry());
    context.getResults().setBytes(pasted->bytes);
  }

  kj::Promise<void> list(ListContext context) override {
    co_await node->there().data().ready();
    auto views = clipboard().list();
    write(node->there(), views,
        context.getResults().initEntries(static_cast<kj::uint>(views.size())));
  }

  kj::Promise<void> clear(ClearContext context) override {
    co_await node->there().data().ready();
    auto gone = co_await clipboard().clear();
    context.getResults().setGone(static_cast<uint32_t>(gone));
  }

  kj::Promise<void> watch(WatchContext context) override {
    co_await node->there().data().ready();
    auto watcher = context.getParams().getWatcher();
    for (;;) {
      auto change = clipboard().changed();
      auto views = clipboard().list();
      auto request = watcher.changedRequest();
      write(node->there(), views, request.initEntries(static_cast<kj::uint>(views.size())));
      co_await request.send().ignoreResult();
      co_await change;
    }
  }

 private:
  kj::Own<NodeWhileThere> node;

  devices::Clipboard& clipboard() { return node->there().data().clipboard(); }

  kj::Maybe<kj::Duration> lifetimeOf(ClipLifetime::Reader lifetime) {
    switch (lifetime.which()) {
      case ClipLifetime::NONE:
        return nullptr;
      case ClipLifetime::MS: {
        // What is too long for a Duration is too long for the clipboard.
        constexpr uint64_t MOST = devices::Clip::LIFETIME_MAX / kj::MILLISECONDS + 1;
        return static_cast<int64_t>(kj::min(lifetime.getMs(), MOST)) * kj::MILLISECONDS;
      }
      default:
        return node->there().data().usualClipLifetime();
    }
  }
};

}  // namespace

Clipboard::Client newClipboard(kj::Own<NodeWhileThere> node) {
  return kj::heap<ClipboardServer>(kj::mv(node));
}

}  // namespace hearth::local
