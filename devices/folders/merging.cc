#include "devices/folders/merging.h"

#include "devices/folders/incoming.h"
#include "devices/folders/placing.h"
#include "storage/blob/cutter.h"
#include "storage/folder/text-merge.h"

#include <kj/debug.h>

#include <utility>

namespace hearth::devices {

namespace {

namespace folders = storage::folders;
namespace merges = storage::folder_merges;

using storage::Database;
using storage::FileTree;
using storage::PathState;
using Kind = PathState::Kind;

// The text of a file that is still what was known of it.
kj::Maybe<std::string> textOf(FileTree& files, const folders::Local& local) {
  if (local.stamp.size > storage::MERGED_BYTES_MAX) return nullptr;
  auto file = files.open(local.path);
  if (!file) return nullptr;
  std::string text(local.stamp.size + 1, '\0');
  size_t bytes = 0;
  while (bytes < text.size()) {
    auto read =
        (*file)->read(bytes, kj::arrayPtr(text.data() + bytes, text.size() - bytes).asBytes());
    if (!read) return nullptr;
    if (*read == 0) break;
    bytes += *read;
  }
  text.resize(bytes);
  auto state = (*file)->state();
  if (!state || state->stamp != local.stamp || !storage::isText(text)) return nullptr;
  return kj::mv(text);
}

}  // namespace

kj::Maybe<kj::TimePoint> FolderMerging::next() const {
  kj::Maybe<kj::TimePoint> first;
  for (auto& [pair, turn]: turns) {
    KJ_IF_MAYBE(at, turn) first = kj::min(*at, first.orDefault(*at));
  }
  return first;
}

kj::Promise<Result<bool>> FolderMerging::some() {
  auto now = around.timer.now();
  KJ_IF_MAYBE(at, next()) hasNews |= *at <= now;
  if (!std::exchange(hasNews, false)) co_return false;
  bool any = false;
  Turns still;
  kj::Maybe<storage::FolderPath> behind = storage::FolderPath();
  while (behind != nullptr) {
    auto page = co_await around.store.read(
        [folder = folder.number, behind = KJ_ASSERT_NONNULL(behind)](
            Database& db) { return merges::conflicts(db, folder, behind, CONFLICTS_AT_ONCE); });
    for (auto& conflict: page.some) {
      auto& turn = turnOf({conflict.file.version, conflict.beside.version}, still);
      if (turn.orDefault(now + OTHERS_AFTER) > now) continue;
      turn = nullptr;
      auto outcome = co_await merge(kj::mv(conflict));
      if (!outcome) co_return no(outcome.error());
      any |= *outcome == Outcome::MERGED;
      if (*outcome == Outcome::NOT_NOW) turn = now + AGAIN_AFTER;
    }
    behind = kj::mv(page.last);
  }
  turns = kj::mv(still);
  co_return any;
}

// As it was; of a pair that is new it begins.
kj::Maybe<kj::TimePoint>& FolderMerging::turnOf(const Pair& pair, Turns& now) {
  auto known = turns.find(pair);
  if (known != turns.end()) return now[pair] = known->second;
  bool isOwn = pair.first.author == around.self;
  return now[pair] = around.timer.now() + (isOwn ? 0 * kj::SECONDS : OTHERS_AFTER);
}

kj::Promise<Result<FolderMerging::Outcome>> FolderMerging::merge(Conflict conflict) {
  auto text = co_await mergedOf(conflict);
  if (text == nullptr) co_return Outcome::NOT_TO_BE;
  auto attributes = conflict.file.state.attributes;
  // The same, whichever device merges them.
  attributes.modifiedNs =
      kj::max(attributes.modifiedNs, conflict.beside.state.attributes.modifiedNs);
  auto finding = co_await place(conflict.file, kj::mv(KJ_ASSERT_NONNULL(text)), kj::mv(attributes),
      {conflict.file.version, conflict.beside.version});
  if (finding == nullptr) co_return Outcome::NOT_NOW;
  std::vector<Finding> findings;
  findings.push_back(kj::mv(KJ_ASSERT_NONNULL(finding)));
  if (auto said = co_await saying.say(kj::mv(findings)); !said) co_return no(said.error());
  ++count;
  co_return Outcome::MERGED;
}

kj::Promise<kj::Maybe<std::string>> FolderMerging::mergedOf(const Conflict& conflict) {
  using Text = kj::Maybe<std::string>;
  auto texts = co_await tree.run([&](FileTree& files) {
    auto file = textOf(files, conflict.file);
    return file == nullptr ? std::pair<Text, Text>()
                           : std::pair(kj::mv(file), textOf(files, conflict.beside));
  });
  KJ_IF_MAYBE(file, texts.first) {
    KJ_IF_MAYBE(beside, texts.second) {
      auto origin = co_await lineage.common(conflict.file.version, conflict.beside.version);
      // Of an older one, whose text is here, both have what was changed since: it would stand there twice.
      auto base = co_await around.store.read(
          [folder = folder.number, origin = kj::mv(origin)](Database& db) -> Text {
            KJ_IF_MAYBE(state, origin) {
              if (state->kind == Kind::FILE)
                return merges::rememberedText(db, folder, state->content.contentId());
            }
            return nullptr;
          });
      KJ_IF_MAYBE(origin, base) {
        bool isFirst = conflict.file.version < conflict.beside.version;
        auto merged =
            storage::mergedText(*origin, isFirst ? *file : *beside, isFirst ? *beside : *file);
        KJ_IF_MAYBE(text, merged) {
          if (storage::isText(*text)) co_return kj::mv(*text);
        }
      }
    }
  }
  co_return nullptr;
}

// None where it cannot be placed: something has changed meanwhile, perhaps.
kj::Promise<kj::Maybe<Finding>> FolderMerging::place(const folders::Local& over, std::string text,
    storage::FileAttributes attributes, std::vector<storage::RecordName> made) {
  if (gear == nullptr) {
    KJ_IF_MAYBE(cuts, around.circle.chunkKeyOf(folder.collection)) gear.emplace(*cuts);
  }
  if (gear == nullptr) co_return nullptr;
  Finding finding{over.path, {}, {}, {}};
  storage::BlobCutter cutter(
      KJ_ASSERT_NONNULL(gear), [](const storage::Cut&) {},
      [&](const Digest& hash, crypto::Bytes encoded) {
        finding.nodes.push_back({hash, kj::heapArray<kj::byte>(encoded)});
      });
  auto bytes = kj::arrayPtr(text.data(), text.size()).asBytes();
  cutter.add(bytes);
  finding.state = {Kind::FILE, kj::mv(attributes), cutter.finish(), {}};
  auto& ref = finding.state.content;
  co_await around.store.write([folder = folder.number, path = over.path,
                                  plan = merges::Plan{ref.contentId(), kj::mv(made)}](
                                  Database& db) { merges::plan(db, folder, path, plan); });
  auto kept = keptNameOf(over.path, around.clock, around.entropy);
  auto placed = co_await tree.run([&, name = FolderIncoming::stagedName(ref)](
                                      FileTree& files) -> storage::TreeResult<storage::FileState> {
    auto staged = files.stage(name);
    if (!staged) return storage::no(staged.error());
    if (auto written = (*staged)->write(0, bytes); !written) return storage::no(written.error());
    auto has = (*staged)->finish(bytes.size(), finding.state.attributes);
    if (!has) return storage::no(has.error());
    finding.state.attributes = kj::mv(*has);
    if (auto synced = files.sync(); !synced) return storage::no(synced.error());
    auto placed = files.place(name, over.path, &over.stamp, &kept);
    if (!placed) return placed;
    if (auto synced = files.sync(); !synced) return storage::no(synced.error());
    return placed;
  });
  if (!placed) co_return nullptr;
  finding.stamp = placed->stamp;
  finding.text = kj::mv(text);
  co_return kj::mv(finding);
}

}  // namespace hearth::devices
