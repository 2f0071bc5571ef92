#pragma once
// One device's copy of a document with the slow account beside it. What does not hold is thrown.

#include "storage/crdt/undo.h"
#include "tests/storage/crdt/histories/editing.h"
#include "tests/storage/crdt/slow-document.h"

#include <memory>

namespace hearth::storage {

struct Broken {
  std::string what;
};
inline void must(bool holds, std::string what) {
  if (!holds) throw Broken{std::move(what)};
}

DeviceId deviceOf(int author);
int authorOf(const DeviceId& id);

class Replica final {
 public:
  using Bytes = std::shared_ptr<kj::Array<kj::byte>>;

  Replica(int author, SlowHistory& history): author(author), slow(history), history(history) {}

  const int author;
  Document document;
  SlowDocument slow;

  // Events of one entry of its author.
  struct Entry {
    uint32_t number, count;
    Tree before;        // what was seen before
    size_t mergesThen;  // how often others' changes had come
  };

  // Gives what others have to be told.
  std::vector<Bytes> change(const std::vector<Op>& ops, int64_t nowMs, uint32_t run = 0);
  // None when there is nothing to take back, or make again.
  kj::Maybe<std::vector<Bytes>> takeBack(int64_t nowMs);
  kj::Maybe<std::vector<Bytes>> makeAgain(int64_t nowMs);

  // Whether it needs not wait for something that comes before.
  bool take(Bytes bytes);
  std::vector<Bytes> since(const Version& known) const;
  Version commonWith(const Replica& other) const;  // heads that both have, as a version of this one

  // Begins anew, with all that it has as one file or with the bundles as they came.
  void restart(bool fromBundles);

  Document clone() const { return document.at(document.graph().version()); }
  SlowHistory::Id idOf(Event event) const;

  // What the document says is what the slow account says.
  void check();

 private:
  SlowHistory& history;
  std::vector<Entry> done, takenBack;
  std::vector<Bytes> bundles;  // as they came
  size_t mergesSoFar = 0;

  Entry commit(const std::vector<Op>& ops, int64_t nowMs, uint32_t run);
  void account(Event event, const Op& op, int64_t nowMs, uint32_t run);
  Entry invert(const Entry& entry, int64_t nowMs);
  kj::Maybe<std::vector<Bytes>> invertNewest(
      std::vector<Entry>& from, std::vector<Entry>& to, int64_t nowMs);
  std::vector<Bytes> toTell(const Version& before);
  void checkText(Event event);
};

}  // namespace hearth::storage
