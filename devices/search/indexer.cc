#include "devices/search/indexer.h"

#include "devices/search/texts.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

namespace search = storage::search;
namespace state = storage::search_state;

using storage::Database;
using storage::PathState;

search::Name nameOf(const std::string& document) {
  return {search::Kind::DOCUMENT, storage::ownDocuments(), document};
}

// What an item is to be; no text: it goes.
struct Document {
  std::string name;
  std::optional<std::string> text;
};

void write(Database& db, const Document& document) {
  auto name = nameOf(document.name);
  if (!document.text) {
    search::remove(db, name);
    return;
  }
  search::Item item{name, document.name, "", *document.text, true, ""};
  bool isSame = false;
  KJ_IF_MAYBE(before, search::keptTextOf(db, name)) isSame = *before == item.text;
  if (!isSame) search::put(db, item);
}

// A path that is owed: what lies there, and what was read of it.
struct Owed {
  state::Owed path;
  storage::FolderPath at;
  bool isFile = false, isKnown = false;  // known: it is in the index as it is
  std::string stamp;
  std::string text;
};

std::vector<Owed> owedIn(Database& db, const storage::folders::Folder& folder, size_t most) {
  std::vector<Owed> all;
  for (auto& path: state::owed(db, folder.number, most)) {
    Owed owed{.path = path};
    auto text = path.directory.empty() ? path.name : path.directory + "/" + path.name;
    owed.at = storage::FolderPath::parse(text).value();  // rows are authenticated
    KJ_IF_MAYBE(local, storage::folders::find(db, folder.number, owed.at)) {
      if (local->state.kind == PathState::Kind::FILE) {
        owed.isFile = true;
        auto content = local->state.content.contentId();
        owed.stamp = {
            reinterpret_cast<const char*>(content.asBytes().begin()), content.asBytes().size()};
        KJ_IF_MAYBE(before,
            search::stampOf(db, {search::Kind::FILE, folder.collection, owed.at.str()}))
          owed.isKnown = *before == owed.stamp;
      }
    }
    all.push_back(kj::mv(owed));
  }
  return all;
}

// Reads until that is enough for once; gives how many were looked at.
size_t readTexts(storage::FileTree& tree, std::vector<Owed>& all, size_t bytesMost) {
  size_t bytes = 0, count = 0;
  for (auto& owed: all) {
    if (bytes >= bytesMost) break;
    ++count;
    if (!owed.isFile || owed.isKnown) continue;
    auto text = textOf(tree, owed.at);
    if (text) {
      owed.text = kj::mv(*text);
    } else {
      owed.stamp.clear();  // by its name alone, until it changes
    }
    bytes += owed.text.size();
  }
  return count;
}

void write(Database& db, const storage::folders::Folder& folder, const Owed& owed) {
  search::Name name{search::Kind::FILE, folder.collection, owed.at.str()};
  if (owed.isFile && !owed.isKnown) {
    auto place =
        owed.path.directory.empty() ? folder.name : folder.name + "/" + owed.path.directory;
    search::put(db, {name, owed.path.name, place, owed.text, false, owed.stamp});
  } else if (!owed.isFile) {
    search::remove(db, name);
    search::remove(db, {search::Kind::EXTRACTED, folder.collection, owed.at.str()});
  }
  state::done(db, owed.path);
}

}  // namespace

void Indexer::start() {
  running = run().eagerlyEvaluate(
      [](kj::Exception&& e) { KJ_LOG(ERROR, "what changes is not found any more", e); });
}

kj::Promise<void> Indexer::run() {
  for (;;) {
    // Before it is looked what is owed: nothing that comes meanwhile is missed.
    auto change = around.store.changed();
    bool failed = false;
    try {
      for (auto begun = around.timer.now(); co_await some(); begun = around.timer.now()) {
        co_await around.timer.afterDelay(kj::min(around.timer.now() - begun, REST_MAX));
        change = around.store.changed();
      }
    } catch (const kj::Exception& e) {
      KJ_LOG(WARNING, "something cannot be found yet", e.getDescription());
      failed = true;
    }
    if (failed)
      co_await around.timer.afterDelay(AGAIN_AFTER);
    else
      co_await change;
    co_await untilQuiet();
  }
}

kj::Promise<void> Indexer::untilQuiet() {
  auto end = around.timer.now() + QUIET_WITHIN;
  while (around.timer.now() < end) {
    auto quiet = around.timer.afterDelay(QUIET_FOR).then([]() { return true; });
    auto change = around.store.changed().then([]() { return false; });
    if (co_await quiet.exclusiveJoin(kj::mv(change))) co_return;
  }
}

// Whether there was something to do.
kj::Promise<bool> Indexer::some() {
  if (co_await someGone()) co_return true;
  if (co_await someDocuments()) co_return true;
  KJ_IF_MAYBE(folders, around.folders) {
    for (auto& files: folders->files()) {
      if (co_await someOf(files)) co_return true;
    }
  }
  co_return false;
}

kj::Promise<bool> Indexer::someGone() {
  auto isGoing =
      co_await around.store.read([](Database& db) { return state::nextGone(db) != nullptr; });
  if (!isGoing) co_return false;
  co_return co_await around.store.write([](Database& db) {
    KJ_IF_MAYBE(collection, state::nextGone(db)) {
      if (search::removeSome(db, *collection, GONE_MAX) < GONE_MAX)
        state::goneIsDone(db, *collection);
    }
    return true;
  });
}

kj::Promise<bool> Indexer::someDocuments() {
  auto written = co_await around.store.read(
      [](Database& db) { return state::written(db, storage::ownDocuments(), ENTRIES_MAX); });
  if (written.upto == written.from) co_return false;
  co_await lookAt(written.topics);
  co_await around.store.write(
      [written = kj::mv(written)](Database& db) { state::done(db, written); });
  co_return true;
}

kj::Promise<void> Indexer::lookAt(const std::vector<std::string>& names) {
  std::vector<Document> some;
  size_t bytes = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    auto document = co_await around.documents.open(names[i]);
    // A name that none can have was written by somebody else's Hearth.
    if (!document && document.error().code == Errc::BAD_FORMAT) continue;
    if (!document) kj::throwFatalException(KJ_EXCEPTION(OVERLOADED, document.error().because));
    some.push_back({names[i], textOf(storage::treeOf((*document)->document()))});
    bytes += some.back().text.value_or("").size();
    if (bytes < BYTES_MAX && some.size() < ITEMS_MAX && i + 1 < names.size()) continue;
    co_await around.store.write([some = kj::mv(some)](Database& db) {
      for (auto& document: some) write(db, document);
    });
    some.clear();
    bytes = 0;
  }
}

kj::Promise<bool> Indexer::someOf(Folders::Files files) {
  auto owed = co_await around.store.read(
      [folder = files.folder](Database& db) { return owedIn(db, folder, ITEMS_MAX); });
  if (owed.empty()) co_return false;
  auto count = co_await files.tree->run(
      [&owed](storage::FileTree& tree) { return readTexts(tree, owed, BYTES_MAX); });
  owed.resize(count);
  co_await around.store.write([folder = files.folder, owed = kj::mv(owed)](Database& db) {
    // It may have been removed meanwhile.
    bool isThere = false;
    for (auto& known: storage::folders::all(db)) isThere |= known.number == folder.number;
    if (!isThere) return;
    for (auto& each: owed) write(db, folder, each);
  });
  co_return true;
}

}  // namespace hearth::devices
