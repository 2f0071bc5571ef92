#include "bindings/local/documents.h"

#include "bindings/local/json-tree.h"
#include "bindings/local/presence.h"
#include "bindings/local/refuse.h"
#include "crypto/identity/display.h"
#include "storage/crdt/varint.h"

#include <kj/debug.h>

#include <charconv>

namespace hearth::local {

namespace {

using storage::Draft;
using storage::EventGraph;
using storage::Tree;
using storage::Version;

constexpr uint32_t CHANGES_MAX = 10'000;

template <typename T>
T orRefuse(Result<T> result) {
  if (!result) refuse(result.error());
  return kj::mv(*result);
}

class DocumentServer final: public Document::Server {
 public:
  DocumentServer(kj::Own<NodeWhileThere> documents, storage::Documents::Handle handle)
      : documents(kj::mv(documents)),
        handle(kj::mv(handle)) {}
  ~DocumentServer() noexcept(false) {
    // A node that is gone has taken its documents along.
    if (documents->node == nullptr) handle.forget();
  }

  kj::Promise<void> read(ReadContext context) override {
    co_await whenLoaded();
    auto params = context.getParams();
    auto path = orRefuse(pathOf(params.getPath()));
    auto& now = document();
    auto version = now.graph().version();
    if (params.getVersion().size() > 0) {
      version = orRefuse(parseVersion(now.graph(), params.getVersion()));
      auto then = now.at(version);
      answer(
          context.getResults(), orRefuse(storage::treeAt(then, path)), version, params.getTyped());
    } else {
      answer(
          context.getResults(), orRefuse(storage::treeAt(now, path)), version, params.getTyped());
    }
  }

  kj::Promise<void> set(SetContext context) override {
    auto params = context.getParams();
    auto path = orRefuse(pathOf(params.getPath()));
    auto tree = orRefuse(treeOf(params.getJson()));
    std::string since = params.getSince().cStr();
    co_await change([this, path, tree, since](Draft& draft) -> Result<void> {
      if (since.empty()) return draft.set(path, tree);
      auto version = parseVersion(document().graph(), since.c_str());
      if (!version) return no(version.error());
      DeviceId stranger;
      memset(stranger.bytes, 0xff, DeviceId::SIZE);
      auto both = storage::merged(document(), *version, path, tree, stranger);
      if (!both) return no(both.error());
      return draft.set(path, *both);
    });
    context.getResults().setVersion(version());
  }

  kj::Promise<void> remove(RemoveContext context) override {
    auto path = orRefuse(pathOf(context.getParams().getPath()));
    co_await change([path](Draft& draft) { return draft.remove(path); });
    context.getResults().setVersion(version());
  }

  kj::Promise<void> edit(EditContext context) override {
    auto params = context.getParams();
    auto path = orRefuse(pathOf(params.getPath()));
    auto at = params.getAt(), erased = params.getErased();
    std::string typed(params.getTyped().begin(), params.getTyped().size());
    if (!storage::isUtf8(typed)) refuse("BadFormat: a text is UTF-8");
    co_await change([=](Draft& draft) { return draft.edit(path, at, erased, typed); });
    context.getResults().setVersion(version());
  }

  kj::Promise<void> add(AddContext context) override {
    auto path = orRefuse(pathOf(context.getParams().getPath()));
    auto count = context.getParams().getCount();
    co_await change([=](Draft& draft) { return draft.add(path, count); });
    context.getResults().setVersion(version());
  }

  kj::Promise<void> include(IncludeContext context) override {
    auto params = context.getParams();
    auto path = orRefuse(pathOf(params.getPath()));
    auto tree = orRefuse(treeOf(params.getJson()));
    bool included = params.getIncluded();
    co_await change([=](Draft& draft) { return draft.include(path, tree, included); });
    context.getResults().setVersion(version());
  }

  kj::Promise<void> move(MoveContext context) override {
    auto path = orRefuse(pathOf(context.getParams().getPath()));
    auto to = context.getParams().getTo();
    co_await change([=](Draft& draft) { return draft.move(path, to); });
    context.getResults().setVersion(version());
  }

  kj::Promise<void> undo(UndoContext context) override {
    documents->there();
    auto done = orRefuse(co_await handle->undo());
    context.getResults().setDone(done);
    context.getResults().setVersion(version());
  }

  kj::Promise<void> redo(RedoContext context) override {
    documents->there();
    auto done = orRefuse(co_await handle->redo());
    context.getResults().setDone(done);
    context.getResults().setVersion(version());
  }

  kj::Promise<void> changes(ChangesContext context) override {
    auto all = document().changes();
    auto count = kj::min(all.size(), size_t{kj::min(context.getParams().getMost(), CHANGES_MAX)});
    auto out = context.getResults().initChanges(static_cast<kj::uint>(count));
    for (kj::uint i = 0; i < count; ++i) {
      auto& change = all[all.size() - 1 - i];
      out[i].setVersion(versionText(document().graph(), {change.events.end - 1}).c_str());
      sign(change.author, change.timeMs, out[i]);
      out[i].setOperations(change.events.size());
    }
    return kj::READY_NOW;
  }

  kj::Promise<void> authors(AuthorsContext context) override {
    auto path = orRefuse(pathOf(context.getParams().getPath()));
    auto pieces = orRefuse(storage::piecesAt(document(), path));
    auto out = context.getResults().initPieces(static_cast<kj::uint>(pieces.size()));
    for (kj::uint i = 0; i < pieces.size(); ++i) {
      out[i].setJson(jsonOf(pieces[i].content, false).c_str());
      sign(pieces[i].author, pieces[i].timeMs, out[i]);
    }
    return kj::READY_NOW;
  }

  kj::Promise<void> diff(DiffContext context) override {
    auto params = context.getParams();
    auto from = at(params.getFrom()), to = at(params.getTo());
    context.getResults().setJson(patchBetween(storage::treeOf(from), storage::treeOf(to)).c_str());
    return kj::READY_NOW;
  }

  kj::Promise<void> watch(WatchContext context) override {
    auto path = orRefuse(pathOf(context.getParams().getPath()));
    auto watcher = context.getParams().getWatcher();
    kj::Maybe<std::string> told;
    for (;;) {
      co_await whenLoaded();
      auto change = handle->changed();
      auto tree = storage::treeAt(document(), path);
      auto json = tree ? jsonOf(*tree, false) : std::string();
      bool isNews = true;
      KJ_IF_MAYBE(last, told) isNews = *last != json;
      if (isNews) {
        told = json;
        auto request = watcher.changedRequest();
        request.setJson(json.c_str());
        request.setVersion(version());
        co_await request.send().ignoreResult();
      }
      co_await change;
    }
  }

  kj::Promise<void> bundles(BundlesContext context) override {
    auto all = document().since({});
    auto out = context.getResults().initBundles(static_cast<kj::uint>(all.size()));
    for (kj::uint i = 0; i < all.size(); ++i)
      out.set(i, storage::encode(all[i], storage::Packing::SMALL));
    return kj::READY_NOW;
  }

 private:
  kj::Own<NodeWhileThere> documents;
  storage::Documents::Handle handle;

  // It is read anew when the disk has refused a change.
  kj::Promise<void> whenLoaded() {
    documents->there();
    return handle->ready();
  }
  storage::Document& document() {
    documents->there();
    return handle->document();
  }
  kj::String version() {
    return kj::str(versionText(document().graph(), document().graph().version()).c_str());
  }
  storage::Document at(kj::StringPtr text) {
    auto& now = document();
    return now.at(
        text.size() == 0 ? now.graph().version() : orRefuse(parseVersion(now.graph(), text)));
  }

  kj::Promise<void> change(kj::Function<Result<void>(Draft&)> make) {
    documents->there();
    auto done = co_await handle->change(kj::mv(make));
    if (!done) refuse(done.error());
  }

  void answer(ReadResults::Builder out, const Tree& tree, const Version& version, bool typed) {
    out.setJson(jsonOf(tree, typed).c_str());
    out.setVersion(versionText(document().graph(), version).c_str());
  }

  template <typename Out>
  void sign(const DeviceId& author, int64_t timeMs, Out out) {
    out.setDevice(documents->there().nameOf(author).c_str());
    out.setDeviceId(crypto::display(author));
    out.setTimeMs(timeMs);
  }
};

class DocumentsServer final: public Documents::Server {
 public:
  explicit DocumentsServer(kj::Own<NodeWhileThere> documents): documents(kj::mv(documents)) {}

  kj::Promise<void> list(ListContext context) override {
    co_await documents->there().data().ready();
    auto names = co_await documents->there().data().documents().names();
    auto out = context.getResults().initNames(static_cast<kj::uint>(names.size()));
    for (kj::uint i = 0; i < names.size(); ++i) out.set(i, names[i].c_str());
  }

  kj::Promise<void> open(OpenContext context) override {
    co_await documents->there().data().ready();
    auto name = context.getParams().getName();
    auto opened =
        co_await documents->there().data().documents().open(std::string(name.begin(), name.size()));
    if (!opened) refuse(opened.error());
    context.getResults().setDocument(
        kj::heap<DocumentServer>(kj::addRef(*documents), kj::mv(*opened)));
  }

  kj::Promise<void> presence(PresenceContext context) override {
    co_await documents->there().data().ready();
    auto name = context.getParams().getName();
    context.getResults().setPresence(
        newPresence(kj::addRef(*documents), std::string(name.begin(), name.size())));
  }

 private:
  kj::Own<NodeWhileThere> documents;
};

}  // namespace

std::string versionText(const EventGraph& graph, const Version& version) {
  if (version.empty()) return "0";
  std::string text;
  for (auto event: version) {
    auto name = graph.nameOf(event);
    text += text.empty() ? "" : ",";
    text += std::to_string(name.number + 1) + "@" + crypto::displayShort(name.author).cStr();
  }
  return text;
}

Result<Version> parseVersion(const EventGraph& graph, kj::StringPtr text) {
  constexpr Error NONE{
      Errc::BAD_FORMAT, "no version is called so: hearth doc history lists them"_kj};
  Version version;
  if (text == "0") return version;
  for (size_t begin = 0; begin < text.size();) {
    auto rest = text.slice(begin);
    auto size = rest.findFirst(',').orDefault(rest.size());
    auto part = std::string(rest.begin(), size);
    begin += size + 1;
    uint32_t count = 0;
    auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), count);
    if (error != std::errc() || *end != '@' || count == 0) return no(NONE);
    std::string author(end + 1);
    kj::Maybe<storage::Event> found;
    for (auto& id: graph.everyAuthor()) {
      if (!author.empty() && crypto::display(id).startsWith(author.c_str())) {
        if (found != nullptr) return no(NONE);
        found = graph.find({id, count - 1});
      }
    }
    KJ_IF_MAYBE(event, found) {
      version.push_back(*event);
    } else {
      return no(NONE);
    }
  }
  std::ranges::sort(version);
  if (version.empty() || !graph.isVersion(version)) return no(NONE);
  return version;
}

Documents::Client newDocuments(kj::Own<NodeWhileThere> documents) {
  return kj::heap<DocumentsServer>(kj::mv(documents));
}

}  // namespace hearth::local
