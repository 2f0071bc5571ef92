#include "storage/tables/chunk-changes.h"

#include "storage/tables/blobs.h"

#include <algorithm>

namespace hearth::storage::chunk_places {

namespace {

// Rows are named by hashes. In the order of their names, those that share a page of the table are written together.
constexpr size_t ROWS_TOGETHER = 32'768;

// The parts of a tree from left to right, each at first whole.
class Parts final {
 public:
  Parts(Database& db, const kj::Maybe<BlobRef>& ref): db(db) {
    KJ_IF_MAYBE(top, ref) above.push_back({expectedTop(*top), {}, 0});
  }

  bool isOver() const { return above.empty(); }
  // Requires that there is a part.
  const Expected& part() const { return above.back().part; }
  uint64_t offset() const { return at; }
  bool isSameAs(const Parts& other) const {
    return at == other.at && part().level == other.part().level &&
        part().part.hash == other.part().part.hash;
  }

  void pass() {
    at += part().part.length;
    above.pop_back();
    climb();
  }

  // Of a node, its children instead; without them it is passed.
  void open() {
    KJ_IF_MAYBE(encoded, blobs::node(db, part().part.hash)) {
      if (auto node = verifyNode(part(), *encoded)) {
        auto first = expectedChild(*node, 0, part().last);
        above.back().node = kj::mv(*node);
        above.push_back({first, {}, 0});
        return;
      }
    }
    pass();
  }

 private:
  struct Step {
    Expected part;
    BlobNode node;  // once it is opened
    size_t child;   // of it that is next or under way
  };

  Database& db;
  uint64_t at = 0;
  std::vector<Step> above;

  void climb() {
    while (!above.empty()) {
      auto& parent = above.back();
      if (++parent.child < parent.node.children.size()) {
        above.push_back({expectedChild(parent.node, parent.child, parent.part.last), {}, 0});
        return;
      }
      above.pop_back();
    }
  }
};

// In the order of their names. Those that go first: the same may come at another place.
class Rows final {
 public:
  Rows(Database& db, int64_t source): db(db), source(source) {}

  void goes(const Parts& parts) { note(gone, parts); }
  void comes(const Parts& parts) { note(come, parts); }
  void write() {
    for (auto* some: {&gone, &come}) {
      std::ranges::sort(*some, {}, [](auto& cut) { return shortOf(cut.chunk.hash); });
    }
    for (auto& cut: gone) drop(db, source, cut.offset, cut.chunk.hash);
    for (auto& cut: come) add(db, source, cut);
    gone.clear();
    come.clear();
  }

 private:
  Database& db;
  int64_t source;
  std::vector<Cut> gone, come;

  void note(std::vector<Cut>& some, const Parts& parts) {
    some.push_back({parts.offset(), parts.part().part});
    if (gone.size() + come.size() >= ROWS_TOGETHER) write();
  }
};

}  // namespace

void change(Database& db, int64_t source, const kj::Maybe<BlobRef>& before, const BlobRef& after) {
  Parts old(db, before), now(db, after);
  Rows rows(db, source);
  auto passOld = [&]() {
    if (old.part().level > 0) return old.open();
    rows.goes(old);
    old.pass();
  };
  auto passNow = [&]() {
    if (now.part().level > 0) return now.open();
    rows.comes(now);
    now.pass();
  };
  while (!old.isOver() || !now.isOver()) {
    if (now.isOver() || (!old.isOver() && old.offset() < now.offset())) {
      passOld();
    } else if (old.isOver() || now.offset() < old.offset()) {
      passNow();
    } else if (old.isSameAs(now)) {
      old.pass();
      now.pass();
    } else if (old.part().level >= now.part().level) {
      passOld();
    } else {
      passNow();
    }
  }
  rows.write();
}

}  // namespace hearth::storage::chunk_places
