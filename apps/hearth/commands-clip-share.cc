// hearth clip share: the desktop's clipboard and that of all devices are one, for as long as this runs.
//
// What is copied in the desktop is copied for all devices; what is copied on another device comes into the desktop, and
// leaves it with its lifetime unless something else is there by then. Secrets do not come by themselves.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/desktop-clipboard.h"

#include <kj/debug.h>

#include <csignal>
#include <nlohmann/json.hpp>

namespace hearth::cli {

namespace {

constexpr kj::Duration LOOK_EVERY = 1 * kj::SECONDS;

using Entries = capnp::List<local::Clip>::Reader;

class Sharing final {
 public:
  Sharing(const Common& common, kj::Timer& timer, local::Clipboard::Client clipboard,
      DesktopClipboard desktop)
      : common(common),
        timer(timer),
        clipboard(kj::mv(clipboard)),
        desktop(std::move(desktop)),
        last(this->desktop.read().value_or("")) {}

  // What is there when this begins is not shared: nobody has copied it for that.
  kj::Promise<void> followDesktop() {
    for (;;) {
      co_await timer.afterDelay(LOOK_EVERY);
      auto text = desktop.read();
      if (!text || *text == last) continue;
      last = *text;
      cameFrom.clear();
      auto request = clipboard.copyRequest();
      request.setMime("text/plain");
      request.setBytes(kj::arrayPtr(last.data(), last.size()).asBytes());
      auto copied = co_await request.send();
      shared.assign(copied.getEntry().getId().cStr());
      if (common.json) printJson({{"copied", shared}});
    }
  }

  kj::Promise<void> changed(Entries entries) {
    if (!cameFrom.empty() && !isThere(entries, cameFrom)) leave();
    if (entries.size() == 0) co_return;
    auto newest = entries[0];
    std::string id = newest.getId().cStr();
    bool isText = kj::StringPtr(newest.getMime()).startsWith("text/");
    bool isNews = !std::exchange(isFirst, false) && id != seen && id != shared;
    seen = id;
    if (!isNews || !isText || newest.getSecret()) co_return;
    auto request = clipboard.pasteRequest();
    request.setId(id.c_str());
    auto pasted = co_await request.send();
    auto bytes = pasted.getBytes().asChars();
    std::string text(bytes.begin(), bytes.size());
    if (text == last) co_return;
    desktop.write(text);
    last = text;
    cameFrom = id;
    if (common.json) printJson({{"came", id}});
  }

 private:
  const Common& common;
  kj::Timer& timer;
  local::Clipboard::Client clipboard;
  DesktopClipboard desktop;
  std::string last;      // in the desktop, as far as this knows
  std::string shared;    // id of what was copied from the desktop
  std::string seen;      // id of the newest entry
  std::string cameFrom;  // id of the entry that stands in the desktop; empty: none does
  bool isFirst = true;

  static bool isThere(Entries entries, const std::string& id) {
    for (auto entry: entries) {
      if (entry.getId() == id.c_str()) return true;
    }
    return false;
  }

  void leave() {
    cameFrom.clear();
    if (desktop.read().value_or("") != last) return;
    desktop.write("");
    last.clear();
    if (common.json) printJson({{"left", true}});
  }
};

class Watcher final: public local::ClipboardWatcher::Server {
 public:
  explicit Watcher(Sharing& sharing): sharing(sharing) {}

  kj::Promise<void> changed(ChangedContext context) override {
    co_await sharing.changed(context.getParams().getEntries());
  }

 private:
  Sharing& sharing;
};

}  // namespace

int clipShare(const Common& common) {
  auto desktop = DesktopClipboard::find();
  signal(SIGPIPE, SIG_IGN);  // of a tool that ends before it has read
  Client client(common.home.c_str());
  auto clipboard = client.daemon().clipboardRequest().send().getClipboard();
  Sharing sharing(common, client.timer(), clipboard, std::move(desktop));
  auto request = clipboard.watchRequest();
  request.setWatcher(kj::heap<Watcher>(sharing));
  client.untilInterrupted(request.send().ignoreResult().exclusiveJoin(sharing.followDesktop()));
  return DONE;
}

}  // namespace hearth::cli
