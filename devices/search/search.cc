#include "devices/search/search.h"

#include "devices/search/texts.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

namespace search = storage::search;

using storage::Database;

constexpr uint64_t OWED_WHILE_GOING = 1;

}  // namespace

kj::Promise<Search::Answer> Search::find(
    std::string typed, std::optional<search::Kind> kind, size_t most) {
  KJ_REQUIRE(most <= FOUND_MAX);
  struct Read {
    search::Query query;
    Answer answer;
    std::vector<search::Name> names;
  };
  if (words == nullptr) {
    words = std::make_shared<storage::Words>();
    wordsOfFiles = std::make_shared<storage::Words>();
  }
  auto read =
      co_await around.store.read([typed = kj::mv(typed), words = words, kind, most](Database& db) {
        Read read{search::parseQuery(typed, *words), {}, {}};
        auto totals = storage::search_state::totals(db);
        read.answer.owed = totals.paths + totals.entries + (totals.isGoing ? OWED_WHILE_GOING : 0);
        auto findings = search::find(db, read.query, kind, most);
        read.answer.matches = findings.matches;
        read.answer.areMore = findings.areMore;
        for (auto& found: findings.best) {
          Found one{.kind = found.name.kind, .name = found.name.key, .score = found.score};
          if (found.text) one.snippet = search::snippetOf(*found.text, read.query, *words);
          read.answer.found.push_back(kj::mv(one));
          read.names.push_back(found.name);
        }
        return read;
      });
  co_await readFiles(read.query, read.names, read.answer.found);
  co_return kj::mv(read.answer);
}

// Where files lie, and what of them shows why they were found: their texts are nowhere else.
kj::Promise<void> Search::readFiles(
    const search::Query& query, const std::vector<search::Name>& names, std::vector<Found>& found) {
  std::vector<Folders::Files> folders;
  KJ_IF_MAYBE(all, around.folders) folders = all->files();
  for (auto& files: folders) {
    std::vector<std::pair<storage::FolderPath, Found*>> wanted;
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].collection != files.folder.collection) continue;
      found[i].folder = files.folder.name;
      found[i].path = files.folder.path + "/" + names[i].key;
      if (names[i].kind != search::Kind::FILE) continue;
      if (auto path = storage::FolderPath::parse(names[i].key))
        wanted.emplace_back(kj::mv(*path), &found[i]);
    }
    if (wanted.empty()) continue;
    co_await files.tree->run([&, words = wordsOfFiles](storage::FileTree& tree) {
      for (auto& [path, one]: wanted) {
        if (auto text = textOf(tree, path)) one->snippet = search::snippetOf(*text, query, *words);
      }
      return true;
    });
  }
}

}  // namespace hearth::devices
