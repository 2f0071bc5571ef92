#include "devices/folders/lineage.h"

#include "devices/folders/saying.h"
#include "storage/tables/entries.h"

#include <kj/debug.h>

#include <set>

namespace hearth::devices {

namespace {

using storage::PathState;

// Which of the two has come from it.
constexpr uint8_t ONE = 1, OTHER = 2, BOTH = ONE | OTHER;

}  // namespace

// The newest is looked at first: whatever has come from it was before. Times of entries that follow one another ascend.
kj::Promise<kj::Maybe<PathState>> FolderLineage::common(Name one, Name other) {
  struct Seen {
    uint8_t from;
    Said said;
  };
  std::map<Name, Seen> seen;
  std::set<std::pair<uint64_t, Name>> open;
  std::map<ContentId, uint8_t> states;
  std::vector<std::pair<Name, uint8_t>> reached{{one, ONE}, {other, OTHER}};
  for (size_t steps = 0; steps < STEPS_MAX; ++steps) {
    for (auto& [name, from]: reached) {
      auto known = seen.find(name);
      if (known == seen.end()) {
        auto record = co_await said(name);
        if (record == nullptr) continue;
        known = seen.emplace(name, Seen{0, kj::mv(KJ_ASSERT_NONNULL(record))}).first;
        open.emplace(known->second.said.time, name);
      }
      known->second.from |= from;
    }
    reached.clear();
    if (open.empty()) break;
    auto& newest = seen.at(open.extract(std::prev(open.end())).value().second);
    // Two devices that merge the same make the same, each by a record of its own: it is one state.
    auto& state = newest.said.record.state;
    auto from = newest.from;
    if (state.kind == PathState::Kind::FILE) from = states[state.content.contentId()] |= from;
    if (from == BOTH) co_return kj::mv(state);
    for (auto& name: newest.said.record.replaced) reached.emplace_back(name, newest.from);
  }
  co_return nullptr;
}

// None for what is not here, or is not what it should be.
kj::Promise<kj::Maybe<FolderLineage::Said>> FolderLineage::said(const Name& name) {
  auto envelope = co_await around.store.read([folder = folder, name](storage::Database& db) {
    return storage::entries::find(db, folder.collection, FOLDER_TOPIC, name.author, name.seq);
  });
  if (envelope == nullptr) co_return nullptr;
  auto entry = storage::Entry::read(kj::mv(KJ_ASSERT_NONNULL(envelope)));
  if (!entry) co_return nullptr;
  auto content = around.log.contentOf(*entry);
  if (content == nullptr) co_return nullptr;
  auto& bytes = KJ_ASSERT_NONNULL(content).bytes;
  auto records = storage::readRecords({reinterpret_cast<const char*>(bytes.begin()), bytes.size()});
  if (!records || name.index >= records->size()) co_return nullptr;
  co_return Said{entry->head.time, kj::mv((*records)[name.index])};
}

}  // namespace hearth::devices
