// What has to hold when everybody has heard of everything.

#include "storage/crdt/paths.h"
#include "tests/storage/crdt/histories/world.h"

#include <algorithm>

namespace hearth::storage {

void World::end() {
  side.assign(side.size(), false);
  deliverAll();
  sameEverywhere();
  for (auto& replica: replicas) {
    replica.check();
    timesAndAuthors(replica);
    journeysBack(replica);
  }
  runsTogether(replicas[0]);
}

// Messages alone suffice, in whatever order they come, the newest first here.
void World::deliverAll() {
  for (auto& replica: replicas) {
    auto& inbox = inboxes[static_cast<size_t>(replica.author)];
    while (!inbox.empty()) {
      auto before = inbox.size();
      for (size_t i = inbox.size(); i-- > 0;) {
        bool taken = std::ranges::all_of(
            messages[inbox[i]].bundles, [&](auto& bundle) { return replica.take(bundle); });
        if (taken) inbox.erase(inbox.begin() + static_cast<ptrdiff_t>(i));
      }
      must(inbox.size() < before, "what was said is not enough to go on");
    }
    must(replica.document.graph().size() == history.size(), "not all that was said has been taken");
  }
}

void World::sameEverywhere() {
  auto first = treeOf(replicas[0].document);
  auto pieces = [](Replica& replica, const std::string& key) {
    std::string line;
    for (auto& piece: piecesAt(replica.document, {key}).value())
      line += said(piece.content) + " by " + std::to_string(authorOf(piece.author)) + " at " +
          std::to_string(piece.timeMs) + "; ";
    return line;
  };
  for (auto& replica: replicas) {
    auto tree = treeOf(replica.document);
    must(tree == first && said(tree) == said(first),
        "devices differ: " + said(first) + " and " + said(tree));
    for (auto& [key, value]: std::get<Tree::Map>(first.value))
      must(pieces(replica, key) == pieces(replicas[0], key), "devices differ in who wrote " + key);
    // A file of it is a document that says the same, in the same bytes from then on: deletions that were noted as
    // different runs may become one when they are read.
    Replica read(replica.author, history), readAgain(replica.author, history);
    for (auto& bundle: replica.since({})) must(read.take(bundle), "a file is not enough");
    must(treeOf(read.document) == first, "a file says something else");
    auto file = read.since({});
    for (auto& bundle: file) must(readAgain.take(bundle), "a file is not enough");
    bool isSame = std::ranges::equal(file, readAgain.since({}),
        [](auto& one, auto& other) { return one->asPtr() == other->asPtr(); });
    must(isSame, "what was read from a file is written otherwise");
  }
}

void World::timesAndAuthors(Replica& replica) {
  constexpr int64_t MINUTE_MS = 60'000;  // times are told to the minute
  Event next = 0;
  for (auto& change: replica.document.changes()) {
    must(change.events.begin == next, "an event is left out of what was done, or told twice");
    next = change.events.end;
    for (auto event = change.events.begin; event < next; ++event) {
      auto& did = history.at(history.indexOf(replica.idOf(event)));
      must(did.id.author == authorOf(change.author), "a change is said to be somebody else's");
      must(change.timeMs == replica.document.timeMsOf(event), "one event has two times");
      must(change.timeMs <= did.timeMs && did.timeMs - change.timeMs < MINUTE_MS,
          "an event is said to be of another time");
      auto name = replica.document.graph().nameOf(event);
      auto there = KJ_ASSERT_NONNULL(replicas[0].document.graph().find(name));
      must(replicas[0].document.timeMsOf(there) == change.timeMs, "devices differ about a time");
    }
  }
  must(next == replica.document.graph().size(), "an event is left out of what was done");
}

// Each of what anybody had noted, by the names of the newest events that it saw.
void World::journeysBack(Replica& replica) {
  for (auto& note: notes) {
    Version version;
    for (auto& name: note.version)
      version.push_back(KJ_ASSERT_NONNULL(replica.document.graph().find(name)));
    std::ranges::sort(version);
    auto past = replica.document.at(version);
    must(treeOf(past) == note.tree,
        "the past is another: " + said(treeOf(past)) + ", not " + said(note.tree));
  }
}

// Between two letters that somebody typed in one go stands nothing by who had seen none of them.
void World::runsTogether(Replica& replica) {
  auto& document = replica.document;
  for (auto text: containersOf(document, Container::TEXT)) {
    std::vector<const SlowHistory::Did*> letters;
    for (auto& range: std::get<Text>(document.object(text).state).authorship(document.graph()))
      for (auto event = range.begin; event < range.end; ++event)
        letters.push_back(&history.at(history.indexOf(replica.idOf(event))));
    std::map<uint32_t, std::vector<size_t>> places;
    for (size_t i = 0; i < letters.size(); ++i)
      if (letters[i]->run > 0) places[letters[i]->run].push_back(i);
    for (auto& [run, at]: places) {
      for (auto i = at.front(); i < at.back(); ++i) {
        bool knew = letters[i]->run == run || std::ranges::any_of(at, [&](size_t other) {
          return letters[i]->hasSeen(history.indexOf(letters[other]->id));
        });
        must(knew, "somebody's letter stands within a word of which nothing was known");
      }
    }
  }
}

}  // namespace hearth::storage
