#include "devices/folders/placing.h"

#include "storage/folder/keeping.h"
#include "storage/folder/text-merge.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

namespace folders = storage::folders;

using storage::FileState;
using storage::FileTree;
using storage::FolderPath;
using storage::PathState;
using storage::TreeError;
using storage::TreeResult;
using Kind = PathState::Kind;
using Outcome = TreeResult<kj::Maybe<FileState>>;

const storage::FileStamp* stampOf(const kj::Maybe<folders::Local>& local) {
  KJ_IF_MAYBE(there, local) return &there->stamp;
  return nullptr;
}

Outcome outcomeOf(TreeResult<FileState> state) {
  if (!state) return std::unexpected(state.error());
  return kj::Maybe<FileState>(*state);
}

// All that is staged, which is as much as there shall be. MISSING: whoever took it away, it is not made up for by zeros.
TreeResult<std::string> textOf(FileTree::Staged& staged, uint64_t length) {
  std::string text(length, '\0');
  for (size_t at = 0; at < length;) {
    auto read = staged.read(at, kj::arrayPtr(text.data() + at, length - at).asBytes());
    if (!read) return std::unexpected(read.error());
    if (*read == 0) return storage::no(TreeError::MISSING);
    at += *read;
  }
  return text;
}

// The directories that a path is in, which nobody has said to be there.
TreeResult<void> makeParents(FileTree& files, const FolderPath& path) {
  auto directory = path.directory();
  if (directory.isFolder() || files.state(directory)) return {};
  if (auto made = makeParents(files, directory); !made) return made;
  auto made = files.makeDirectory(directory, 0755);
  if (!made) return std::unexpected(made.error());
  return {};
}

}  // namespace

bool FolderStep::shallBe(Kind kind) const {
  KJ_IF_MAYBE(wanted, version) return wanted->state.kind == kind;
  return kind == Kind::GONE;
}

FolderPath keptNameOf(const FolderPath& path, const kj::Clock& clock, Entropy& entropy) {
  auto nowMs = (clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
  return storage::keptPath({path, nowMs, entropy.draw<uint32_t>() & storage::KeptName::TAG_MAX});
}

std::vector<FolderPlaced> FolderPlacing::place(FileTree& files, std::vector<FolderStep> steps) {
  std::vector<FolderPlaced> all;
  for (auto& step: steps) all.push_back({kj::mv(step), kj::Maybe<FileState>(), {}});
  bool hasStaged = false;
  for (auto& one: all) {
    if (!one.step.arrived) continue;
    hasStaged = true;
    if (auto staged = stage(files, one); !staged) one.how = std::unexpected(staged.error());
  }
  if (hasStaged) {
    if (auto synced = files.sync(); !synced) {
      for (auto& one: all) one.how = std::unexpected(synced.error());
      return all;
    }
  }
  for (auto& one: all) {
    if (!one.how || one.step.shallBe(Kind::GONE)) continue;
    if (!one.step.arrived) {
      KJ_IF_MAYBE(version, one.step.version) one.has = version->state.attributes;
    }
    one.how = placeOne(files, one.step);
    if (!one.how && one.how.error() == TreeError::MISSING && makeParents(files, one.step.path))
      one.how = placeOne(files, one.step);
  }
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    if (!one->how || !one->step.shallBe(Kind::GONE)) continue;
    auto cleared = clear(files, one->step);
    if (!cleared) one->how = std::unexpected(cleared.error());
  }
  if (auto synced = files.sync(); !synced) {
    for (auto& one: all) one.how = std::unexpected(synced.error());
  }
  return all;
}

TreeResult<void> FolderPlacing::stage(FileTree& files, FolderPlaced& one) {
  auto& come = *one.step.arrived;
  auto length = come.ref.top.length;
  auto staged = files.stage(FolderIncoming::stagedName(come.ref));
  if (!staged) return std::unexpected(staged.error());
  if (come.ref.level == 0 && come.small.size() > 0) {
    auto written = (*staged)->write(0, come.small);
    if (!written) return std::unexpected(written.error());
  }
  if (length <= storage::MERGED_BYTES_MAX) {
    auto text = textOf(**staged, length);
    if (!text) return std::unexpected(text.error());
    if (storage::isText(*text)) one.text = kj::mv(*text);
  } else {
    // Whoever took it away, it is not made up for by zeros.
    kj::byte last[1];
    auto read = (*staged)->read(length - 1, last);
    if (!read) return std::unexpected(read.error());
    if (*read == 0) return storage::no(TreeError::MISSING);
  }
  auto has = (*staged)->finish(length, KJ_ASSERT_NONNULL(one.step.version).state.attributes);
  if (!has) return std::unexpected(has.error());
  one.has = kj::mv(*has);
  return {};
}

Outcome FolderPlacing::placeOne(FileTree& files, FolderStep& step) {
  auto& state = KJ_ASSERT_NONNULL(step.version).state;
  // Another kind of thing is in its place.
  bool isOther = false;
  KJ_IF_MAYBE(local, step.local) {
    bool isDirectory = local->state.kind == Kind::DIRECTORY,
         shallBe = state.kind == Kind::DIRECTORY;
    isOther = isDirectory != shallBe;
  }
  if (isOther) {
    if (auto cleared = clear(files, step); !cleared) return std::unexpected(cleared.error());
    step.local = nullptr;
  }
  auto kept = keptNameOf(step.path, clock, entropy);
  switch (state.kind) {
    case Kind::FILE:
      KJ_IF_MAYBE(from, step.from) {
        auto moved = files.move(from->path, from->stamp, step.path);
        if (!moved) return std::unexpected(moved.error());
        return outcomeOf(files.setAttributes(step.path, moved->stamp, state.attributes));
      }
      if (!step.arrived) {
        auto& local = KJ_ASSERT_NONNULL(step.local);
        return outcomeOf(files.setAttributes(step.path, local.stamp, state.attributes));
      }
      return outcomeOf(files.place(
          FolderIncoming::stagedName(state.content), step.path, stampOf(step.local), &kept));
    case Kind::SYMLINK:
      return outcomeOf(files.placeLink(state.target, step.path, stampOf(step.local), &kept));
    case Kind::DIRECTORY: {
      KJ_IF_MAYBE(local, step.local)
        return outcomeOf(
            files.setAttributes(step.path, local->stamp, {.mode = state.attributes.mode}));
      return outcomeOf(files.makeDirectory(step.path, state.attributes.mode));
    }
    case Kind::GONE:
      break;
  }
  KJ_UNREACHABLE;
}

TreeResult<void> FolderPlacing::clear(FileTree& files, FolderStep& step) {
  KJ_IF_MAYBE(local, step.local) {
    auto kept = keptNameOf(step.path, clock, entropy);
    auto removed = local->state.kind == Kind::DIRECTORY
        ? files.removeDirectory(step.path)
        : files.remove(step.path, local->stamp, &kept);
    // Whoever has removed it already has done what was to be done.
    if (!removed && removed.error() != TreeError::MISSING) return removed;
  }
  return {};
}

}  // namespace hearth::devices
