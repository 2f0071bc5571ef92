#include "devices/folders/saying.h"

#include "devices/folders/incoming.h"
#include "storage/tables/blobs.h"
#include "storage/tables/entries.h"
#include "storage/tables/folder-choices.h"
#include "storage/tables/folder-merges.h"
#include "storage/tables/folder-unsaid.h"

#include <kj/debug.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace hearth::devices {

namespace {

namespace folders = storage::folders;
namespace merges = storage::folder_merges;
namespace unsaid = storage::folder_unsaid;
namespace versions = storage::folder_versions;

using storage::Database;
using storage::FolderRecord;
using storage::PathState;
using storage::RecordName;
using Kind = PathState::Kind;

// What becomes of findings: some are what somebody has said already.
struct Sorted {
  std::vector<FolderRecord> records;
  std::vector<Finding> said;  // one for each record
  size_t known = 0;
  bool hasPlacesToMake = false;
};

// Of a file that is as it was, or as others have said: written down, and nothing is said. What nobody has said is said.
bool isKnown(Database& db, int64_t folder, const Finding& finding,
    const kj::Maybe<folders::Local>& local, const kj::Maybe<versions::Version>& shown) {
  auto lies = [&](const versions::Version& version) {
    folders::Local now{finding.path, finding.stamp, finding.state, version.name, finding.isFresh};
    placeChunks(db, folder, now);
    folders::put(db, folder, now);
    versions::consider(db, folder, finding.path);
    return true;
  };
  KJ_IF_MAYBE(before, local) {
    if (before->state.isSameAs(finding.state)) {
      folders::restamp(db, folder, finding.path, finding.stamp, finding.isFresh);
      return true;
    }
  }
  // What has to be beside it first is not replaced by this device: somebody else has done that.
  bool mayBeOurs = true;
  KJ_IF_MAYBE(before, local) {
    mayBeOurs = before->state.kind != Kind::FILE ||
        !versions::isYetToBeBeside(db, folder, finding.path, before->state);
  }
  bool isThere = finding.state.kind != Kind::GONE;
  KJ_IF_MAYBE(version, shown) {
    bool isShown = !version->isImplied() && version->state.isSameAs(finding.state);
    if (isShown && isThere && local == nullptr) return lies(*version);
  }
  if (isThere && mayBeOurs) {
    auto ours = versions::placed(db, folder, finding.path, finding.state);
    KJ_IF_MAYBE(version, ours) return lies(*version);
  }
  return !isThere && local == nullptr;
}

// A directory whose files are away stands for them: whoever removes it has not removed them. It is made again.
bool isPlaceOfWhatIsAway(
    Database& db, int64_t folder, const Finding& finding, const kj::Maybe<folders::Local>& local) {
  KJ_IF_MAYBE(before, local) {
    if (finding.state.kind != Kind::GONE || before->state.kind != Kind::DIRECTORY ||
        !storage::folder_choices::hasAwayIn(db, folder, finding.path))
      return false;
    folders::drop(db, folder, finding.path);
    versions::consider(db, folder, finding.path);
    return true;
  }
  return false;
}

// It replaces what lay there, whoever has said it; and where nothing did, that it was removed, or the file that is away.
// Another file that was said to be there is one that nobody knew of here.
FolderRecord recordOf(const Finding& finding, const kj::Maybe<folders::Local>& local,
    const kj::Maybe<versions::Version>& away, const std::vector<versions::Version>& live) {
  FolderRecord record{finding.path, finding.state, {}};
  PathState nothing;
  const PathState* before = &nothing;
  KJ_IF_MAYBE(there, local) {
    record.replaced.push_back(there->version);
    before = &there->state;
  } else {
    KJ_IF_MAYBE(version, away) {
      record.replaced.push_back(version->name);
      before = &version->state;
    }
  }
  for (auto& version: live) {
    bool isNamed = std::ranges::find(record.replaced, version.name) != record.replaced.end();
    if (isNamed || !version.state.isSameAs(*before)) continue;
    if (record.replaced.size() == FolderRecord::REPLACED_MAX) break;
    record.replaced.push_back(version.name);
  }
  return record;
}

// Whether it is the merged text that this device was about to place.
bool isPlanned(const Finding& finding, const kj::Maybe<merges::Plan>& plan) {
  KJ_IF_MAYBE(merged, plan) {
    return finding.state.kind == Kind::FILE && finding.state.content.contentId() == merged->content;
  }
  return false;
}

void replace(FolderRecord& record, const std::vector<RecordName>& names) {
  for (auto& name: names) {
    bool isNamed = std::ranges::find(record.replaced, name) != record.replaced.end();
    if (!isNamed && record.replaced.size() < FolderRecord::REPLACED_MAX)
      record.replaced.push_back(name);
  }
}

void putTree(Database& db, const crypto::CollectionId& collection, const Finding& finding) {
  auto& ref = finding.state.content;
  if (finding.state.kind != Kind::FILE || ref.level == 0) return;
  auto content = ref.contentId();
  if (storage::blobs::find(db, content) == nullptr) {
    storage::blobs::put(
        db, {.collection = collection, .ref = ref, .home = storage::blobs::Home::OWNERS});
    storage::blobs::refer(db, content, 1);
  }
  for (auto& node: finding.nodes) storage::blobs::putNode(db, content, node.hash, node.encoded);
}

// Instead of being said: with the version that it would have replaced, which is not to replace it.
void keepUnsaid(Database& db, int64_t folder, const Finding& finding,
    const kj::Maybe<folders::Local>& local, const kj::Maybe<versions::Version>& away) {
  folders::Local now{finding.path, finding.stamp, finding.state, {}, finding.isFresh};
  KJ_IF_MAYBE(before, unsaid::find(db, folder, finding.path)) now.version = before->version;
  KJ_IF_MAYBE(version, away) now.version = version->name;
  KJ_IF_MAYBE(there, local) now.version = there->version;
  unsaid::put(db, folder, now);
}

// What was held back is said at last, in place of what it came in the place of.
void replaceUnsaid(Database& db, int64_t folder, FolderRecord& record) {
  KJ_IF_MAYBE(held, unsaid::find(db, folder, record.path)) {
    if (held->version != RecordName()) replace(record, {held->version});
    unsaid::drop(db, folder, record.path);
  }
}

Sorted sort(Database& db, const folders::Folder& folder, std::vector<Finding> findings) {
  Sorted sorted;
  bool onlyReceives = folder.direction == folders::Direction::RECEIVE;
  bool mayBeUnsaid = onlyReceives || !unsaid::all(db, folder.number, 1).empty();
  for (auto& finding: findings) {
    auto local = folders::find(db, folder.number, finding.path);
    auto shown = versions::shown(db, folder.number, finding.path);
    putTree(db, folder.collection, finding);
    if (finding.text)
      merges::remember(db, folder.number, finding.state.content.contentId(), *finding.text);
    auto plan = merges::planned(db, folder.number, finding.path);
    bool isMerged = isPlanned(finding, plan);
    bool isPlace = isPlaceOfWhatIsAway(db, folder.number, finding, local);
    sorted.hasPlacesToMake |= isPlace;
    if (isPlace || (!isMerged && isKnown(db, folder.number, finding, local, shown))) {
      if (mayBeUnsaid) unsaid::drop(db, folder.number, finding.path);
      ++sorted.known;
      continue;
    }
    if (!versions::isAway(db, folder.number, finding.path)) shown = nullptr;
    if (onlyReceives) {
      keepUnsaid(db, folder.number, finding, local, shown);
      continue;
    }
    auto record = recordOf(finding, local, shown, versions::live(db, folder.number, finding.path));
    if (isMerged) replace(record, KJ_ASSERT_NONNULL(plan).made);
    if (mayBeUnsaid) replaceUnsaid(db, folder.number, record);
    sorted.records.push_back(kj::mv(record));
    sorted.said.push_back(kj::mv(finding));
  }
  return sorted;
}

// What this device had said when it ended, and not written down: it lay there, and may be another by now.
std::vector<Finding> findingsOf(const std::vector<FolderRecord>& records) {
  std::vector<Finding> findings;
  for (auto& record: records) findings.push_back({record.path, record.state, {}, {}, true});
  return findings;
}

// What this device has said lies where it was found.
void writeDown(Database& db, int64_t folder, const RecordName& first, uint64_t time,
    const std::vector<FolderRecord>& records, const std::vector<Finding>& findings) {
  for (size_t i = 0; i < findings.size(); ++i) {
    auto& finding = findings[i];
    merges::done(db, folder, finding.path);
    if (finding.state.kind == Kind::GONE) {
      forgetChunks(db, folder, finding.path);
      folders::drop(db, folder, finding.path);
      continue;
    }
    folders::Local now{finding.path, finding.stamp, finding.state,
        {first.author, first.seq, static_cast<uint32_t>(i)}, finding.isFresh};
    placeChunks(db, folder, now);
    folders::put(db, folder, now);
  }
  versions::apply(db, folder, first, time, records);
}

std::string_view viewOf(crypto::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

}  // namespace

kj::Promise<Result<void>> FolderSaying::say(std::vector<Finding> findings) {
  for (size_t at = 0; at < findings.size(); at += BATCH) {
    auto end = kj::min(at + BATCH, findings.size());
    std::vector<Finding> some(
        std::make_move_iterator(findings.begin() + static_cast<ptrdiff_t>(at)),
        std::make_move_iterator(findings.begin() + static_cast<ptrdiff_t>(end)));
    std::vector<ContentId> here;
    for (auto& finding: some) {
      if (finding.state.kind == Kind::FILE) here.push_back(finding.state.content.contentId());
    }
    if (auto done = co_await sayBatch(kj::mv(some)); !done) co_return no(done.error());
    for (auto& content: here) around.exchange.isHere(folder.collection, content);
  }
  co_return Result<void>();
}

kj::Promise<Result<void>> FolderSaying::sayBatch(std::vector<Finding> findings) {
  auto sorted = co_await around.store.write(
      [folder = folder, findings = kj::mv(findings)](
          Database& db) mutable { return sort(db, folder, kj::mv(findings)); });
  hasPlacesToMake |= sorted.hasPlacesToMake;
  if (sorted.records.empty()) co_return Result<void>();
  auto bytes = storage::encodeRecords(sorted.records);
  storage::Content content{{FOLDER_RECORDS_KIND, 0, FOLDER_TOPIC.cStr()},
      kj::heapArray(kj::arrayPtr(bytes.data(), bytes.size()).asBytes())};
  said = nullptr;
  auto done = co_await around.log.append(folder.collection, kj::mv(content));
  if (!done) co_return no(done.error());
  auto& head = KJ_ASSERT_NONNULL(said, "what was said is told of before it counts");
  co_await around.store.write([folder = folder.number, first = RecordName{head.author, head.seq, 0},
                                  time = head.time, sorted = kj::mv(sorted)](Database& db) {
    writeDown(db, folder, first, time, sorted.records, sorted.said);
  });
  co_return Result<void>();
}

kj::Promise<void> FolderSaying::arrived(const storage::Log::Stored& entry) {
  auto isOwn = entry.head.author == around.self && entry.from == around.self;
  if (isOwn) {
    said = entry.head;
    return kj::READY_NOW;  // whoever has said it writes it down
  }
  KJ_IF_MAYBE(content, entry.content) {
    if (content->label.kind != FOLDER_RECORDS_KIND || content->label.topic != FOLDER_TOPIC.cStr())
      return kj::READY_NOW;
    auto records = storage::readRecords(viewOf(content->bytes));
    // What does not parse says nothing, on no device.
    if (!records) return kj::READY_NOW;
    for (auto& record: *records) {
      if (record.state.kind == Kind::FILE)
        around.exchange.peerHas(entry.head.author, record.state.content.contentId());
    }
    return around.store.write(
        [folder = folder.number, first = RecordName{entry.head.author, entry.head.seq, 0},
            time = entry.head.time, records = kj::mv(*records)](
            Database& db) { versions::apply(db, folder, first, time, records); });
  }
  return kj::READY_NOW;
}

kj::Promise<void> FolderSaying::catchUp() {
  constexpr size_t AT_ONCE = 16;
  for (;;) {
    struct Missed {
      RecordName name;
      std::optional<crypto::Buffer> envelope;
    };
    auto missed = co_await around.store.read([folder = folder](Database& db) {
      std::vector<Missed> missed;
      for (auto& name:
          versions::unseen(db, folder.number, folder.collection, FOLDER_TOPIC, AT_ONCE)) {
        auto envelope =
            storage::entries::find(db, folder.collection, FOLDER_TOPIC, name.author, name.seq);
        missed.push_back({name, {}});
        KJ_IF_MAYBE(bytes, envelope) missed.back().envelope = kj::mv(*bytes);
      }
      return missed;
    });
    if (missed.empty()) co_return;
    for (auto& one: missed) {
      std::vector<FolderRecord> records;
      uint64_t time = 0;
      if (one.envelope) {
        auto entry = storage::Entry::read(kj::mv(*one.envelope));
        KJ_REQUIRE(entry.has_value(), "a stored entry is none", entry.error().because);
        time = entry->head.time;
        auto content = around.log.contentOf(*entry);
        KJ_REQUIRE(content != nullptr, "an entry that was read cannot be read any more");
        KJ_IF_MAYBE(there, content) {
          auto read = storage::readRecords(viewOf(there->bytes));
          if (read && there->label.kind == FOLDER_RECORDS_KIND) records = kj::mv(*read);
        }
      }
      bool lay = one.name.author == around.self && one.name.seq >= folder.ownBefore;
      co_await around.store.write([folder = folder.number, lay, name = one.name, time,
                                      records = kj::mv(records)](Database& db) {
        if (lay) return writeDown(db, folder, name, time, records, findingsOf(records));
        versions::apply(db, folder, name, time, records);
      });
    }
  }
}

}  // namespace hearth::devices
