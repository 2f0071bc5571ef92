#include "devices/folders/looking.h"

#include "storage/tables/folder-unsaid.h"

#include <kj/debug.h>

#include <algorithm>
#include <iterator>

namespace hearth::devices {

namespace {

namespace folders = storage::folders;
namespace unsaid = storage::folder_unsaid;

using storage::Database;
using storage::FileState;
using storage::FileTree;
using storage::FolderPath;
using storage::PathState;
using storage::TreeError;
using storage::TreeResult;
using Kind = PathState::Kind;

constexpr Error GONE = {
    Errc::STALE, "the folder is not there: mount it, or remove it by `hearth folder remove`"_kj};

// A directory, and what it says is left out.
struct Listing {
  FolderPath directory;
  TreeResult<std::vector<FileTree::Listed>> names;
  kj::Maybe<std::string> rules;
};

kj::Maybe<std::string> rulesIn(FileTree& tree, const FolderPath& directory) {
  auto path = directory.isFolder() ? FolderPath::parse(storage::IgnoreRules::FILE_NAME)
                                   : directory.child(storage::IgnoreRules::FILE_NAME);
  if (!path) return nullptr;
  auto file = tree.open(*path);
  if (!file) return nullptr;
  auto buffer = kj::heapArray<kj::byte>(storage::IgnoreRules::FILE_BYTES_MAX + 1);
  auto bytes = (*file)->read(0, buffer);
  if (!bytes) return nullptr;
  return std::string(buffer.asChars().begin(), *bytes);
}

bool isRules(const FolderPath& path) { return path.name() == storage::IgnoreRules::FILE_NAME; }

bool isUnchanged(const FileState& state, const folders::Local& local) {
  auto kind = static_cast<Kind>(state.kind);
  if (state.kind == FileState::Kind::OTHER || kind != local.state.kind) return false;
  // What is in a directory changes its times. Another one in its place is looked at as any other change.
  if (kind == Kind::DIRECTORY)
    return state.mode == local.state.attributes.mode && state.stamp.inode == local.stamp.inode &&
        !local.isFresh;
  return state.stamp == local.stamp && !local.isFresh;
}

}  // namespace

void FolderLooking::lookAtAll() {
  isFirst = true;
  directories = {FolderPath()};
}

void FolderLooking::changed(const storage::TreeWatcher::Changes& changes) {
  if (changes.all) return lookAtAll();
  auto now = around.timer.now();
  for (auto& path: changes.touched) {
    if (path.isFolder()) continue;
    later.erase(path);
    touched.insert(path);
  }
  for (auto& path: changes.beingWritten) {
    auto [entry, isNew] = later.try_emplace(path, Later{now + WRITING_SETTLES, WRITING_SETTLES});
    if (!isNew && entry->second.isDue)
      entry->second = {now + entry->second.pause, entry->second.pause};
  }
}

void FolderLooking::takeWhatIsDue() {
  auto now = around.timer.now();
  if (touched.empty()) std::erase_if(later, [](auto& entry) { return entry.second.isDue; });
  for (auto& [path, entry]: later) {
    if (entry.isDue || entry.at > now) continue;
    entry.isDue = true;
    touched.insert(path);
  }
}

// What goes on changing is read more and more seldom: reading costs as much as the file is large.
void FolderLooking::again(const Path& path) {
  auto pause = AGAIN_AFTER;
  auto found = later.find(path);
  if (found != later.end()) pause = kj::min(found->second.pause * 2, AGAIN_AFTER_MAX);
  later.insert_or_assign(path, Later{around.timer.now() + pause, pause});
}

kj::Maybe<kj::TimePoint> FolderLooking::next() const {
  kj::Maybe<kj::TimePoint> first;
  for (auto& [path, entry]: later) {
    if (!entry.isDue) first = kj::min(entry.at, first.orDefault(entry.at));
  }
  return first;
}

kj::Promise<Result<bool>> FolderLooking::some() {
  takeWhatIsDue();
  bool isTouched = !touched.empty();
  if (!isTouched && directories.empty()) {
    isFirst = false;
    co_return false;
  }
  auto looks = isTouched ? co_await lookAtTouched() : co_await listSome();
  if (!looks) co_return no(looks.error());
  for (size_t at = 0; at < looks->size(); at += COMPARED_AT_ONCE) {
    auto begin = std::make_move_iterator(looks->begin() + static_cast<ptrdiff_t>(at));
    auto count = kj::min(COMPARED_AT_ONCE, looks->size() - at);
    std::vector<Look> some(begin, begin + static_cast<ptrdiff_t>(count));
    if (auto done = co_await compare(kj::mv(some)); !done) co_return no(done.error());
  }
  co_return true;
}

// Whether they can be followed. What they may leave out is not told to others before they can.
bool FolderLooking::learnRules(const Path& directory, kj::Maybe<std::string> text) {
  closed.erase(directory);
  KJ_IF_MAYBE(said, text) {
    auto added = rules.add(directory, *said);
    if (added) return true;
    closed.insert(directory);
    troubles.set(directory.str(),
        kj::str("its .hearthignore is refused, and nothing in it is looked at: ",
            added.error().because));
    return false;
  }
  rules.remove(directory);
  return true;
}

bool FolderLooking::isLeftOut(const Path& path, bool isDirectory) const {
  bool isClosed =
      std::ranges::any_of(closed, [&](auto& directory) { return path.isWithin(directory); });
  return isClosed || rules.ignores(path, isDirectory);
}

// Watched first, so that nothing comes between.
kj::Promise<Result<std::vector<FolderLooking::Look>>> FolderLooking::listSome() {
  std::vector<Path> some;
  while (!directories.empty() && some.size() < DIRECTORIES_AT_ONCE)
    some.push_back(directories.extract(directories.begin()).value());
  for (auto& directory: some) {
    auto watched = watcher.watch(directory);
    if (!watched && watched.error() == TreeError::FULL)
      troubles.set(directory.str(), storage::WATCHES_FULL);
  }
  auto listings = co_await tree.run([&some](FileTree& files) {
    std::vector<Listing> listings;
    for (auto& directory: some)
      listings.push_back({directory, files.list(directory), rulesIn(files, directory)});
    return listings;
  });
  auto locals = co_await around.store.read([folder = unsaid::Of(folder), some](Database& db) {
    std::vector<std::vector<Local>> locals;
    for (auto& directory: some) locals.push_back(unsaid::seenIn(db, folder, directory));
    return locals;
  });
  std::vector<Look> looks;
  for (size_t i = 0; i < listings.size(); ++i) {
    auto& listing = listings[i];
    if (!listing.names) {
      if (listing.names.error() == TreeError::GONE) co_return no(GONE);
      // It is gone, or no directory any more: that is seen where it was.
      if (listing.names.error() == TreeError::MISSING && !listing.directory.isFolder())
        touched.insert(listing.directory);
      if (listing.names.error() == TreeError::DENIED)
        troubles.set(listing.directory.str(), "this user may not read it");
      continue;
    }
    troubles.clear(listing.directory.str());
    if (!learnRules(listing.directory, kj::mv(listing.rules))) continue;
    std::map<std::string, Local> known;
    for (auto& local: locals[i]) known.emplace(local.path.name(), local);
    for (auto& entry: *listing.names) {
      auto path = listing.directory.isFolder() ? FolderPath::parse(entry.name)
                                               : listing.directory.child(entry.name);
      if (!path) {
        troubles.leaveOut(listing.directory.str(),
            "a name in it is none that every device may have: that file stays here alone");
        continue;
      }
      Look look{*path, entry.state, nullptr};
      if (auto found = known.find(entry.name); found != known.end()) {
        look.local = kj::mv(found->second);
        known.erase(found);
      }
      looks.push_back(kj::mv(look));
    }
    for (auto& [name, local]: known) looks.push_back({local.path, nullptr, local});
  }
  co_return kj::mv(looks);
}

kj::Promise<Result<std::vector<FolderLooking::Look>>> FolderLooking::lookAtTouched() {
  std::vector<Path> some;
  while (!touched.empty() && some.size() < BATCH)
    some.push_back(touched.extract(touched.begin()).value());
  std::map<Path, kj::Maybe<std::string>> rulesNow;
  auto states = co_await tree.run([&some, &rulesNow](FileTree& files) {
    std::vector<TreeResult<FileState>> states;
    for (auto& path: some) {
      states.push_back(files.state(path));
      if (isRules(path))
        rulesNow.insert_or_assign(path.directory(), rulesIn(files, path.directory()));
    }
    return states;
  });
  // Before anything else of the batch is judged; and what they let in again is looked for.
  for (auto& [directory, text]: rulesNow) {
    learnRules(directory, kj::mv(text));
    directories.insert(directory);
  }
  auto locals = co_await around.store.read([folder = unsaid::Of(folder), some](Database& db) {
    std::vector<kj::Maybe<Local>> locals;
    for (auto& path: some) locals.push_back(unsaid::seen(db, folder, path));
    return locals;
  });
  std::vector<Look> looks;
  for (size_t i = 0; i < some.size(); ++i) {
    Look look{some[i], nullptr, kj::mv(locals[i])};
    if (states[i]) {
      look.state = *states[i];
    } else if (states[i].error() == TreeError::GONE) {
      co_return no(GONE);
    } else if (states[i].error() != TreeError::MISSING && states[i].error() != TreeError::LINKED) {
      troubles.set(some[i].str(), storage::describe(states[i].error()));
      continue;
    }
    looks.push_back(kj::mv(look));
  }
  co_return kj::mv(looks);
}

kj::Promise<Result<void>> FolderLooking::compare(std::vector<Look> looks) {
  std::vector<Finding> findings;
  std::vector<Look> toRead;
  std::vector<Path> vanished;
  for (auto& look: looks) {
    KJ_IF_MAYBE(state, look.state) {
      bool isDirectory = state->kind == FileState::Kind::DIRECTORY;
      if (isLeftOut(look.path, isDirectory)) continue;
      seen += state->kind == FileState::Kind::FILE;
      // Each may be new, be it made by Hearth itself: from now on it is watched.
      if (isDirectory) directories.insert(look.path);
      KJ_IF_MAYBE(local, look.local) {
        if (local->state.kind == Kind::DIRECTORY && !isDirectory) vanished.push_back(look.path);
        if (isUnchanged(*state, *local)) continue;
      }
      if (state->kind == FileState::Kind::OTHER) {
        troubles.leaveOut(
            look.path.str(), "neither a file nor a directory nor a link: it stays here alone");
        if (look.local != nullptr) findings.push_back({look.path, {}, {}, {}});
      } else if (isDirectory) {
        findings.push_back(
            {look.path, {Kind::DIRECTORY, {.mode = state->mode}, {}, {}}, state->stamp, {}});
      } else {
        toRead.push_back(kj::mv(look));
      }
    } else if (look.local == nullptr) {
      troubles.clear(look.path.str());
    } else if (!isLeftOut(look.path, false)) {
      vanished.push_back(look.path);
      findings.push_back({look.path, {}, {}, {}});
    }
  }
  for (auto& path: vanished) {
    auto below = co_await around.store.read([folder = unsaid::Of(folder), path](Database& db) {
      return unsaid::seenBelow(db, folder, path);
    });
    for (auto& local: below) findings.push_back({local.path, {}, {}, {}});
  }
  co_await read(kj::mv(toRead), findings);
  co_return co_await saying.say(kj::mv(findings));
}

// Files and links. Small files are read together, and a large one step by step, for others use the disk, too.
kj::Promise<void> FolderLooking::read(std::vector<Look> files, std::vector<Finding>& findings) {
  if (files.empty()) co_return;
  if (gear == nullptr) {
    auto key = around.circle.chunkKeyOf(folder.collection);
    KJ_IF_MAYBE(cuts, key) gear.emplace(*cuts);
  }
  auto& with = KJ_REQUIRE_NONNULL(gear, "this device holds no key of the circle yet");
  for (size_t at = 0; at < files.size();) {
    uint64_t bytes = 0;
    std::vector<Path> some;
    for (; at < files.size() && some.size() < FILES_READ_TOGETHER &&
        (some.empty() || bytes < READ_TOGETHER);
        ++at) {
      bytes += KJ_ASSERT_NONNULL(files[at].state).stamp.size;
      some.push_back(files[at].path);
    }
    std::vector<kj::Own<FileHashing>> hashing;
    for (size_t i = 0; i < some.size(); ++i) hashing.push_back(kj::heap<FileHashing>(with));
    std::vector<std::vector<FileHashing::Node>> nodes(some.size());
    std::vector<TreeResult<bool>> ends(some.size(), false);
    std::vector<kj::Maybe<Finding>> links(some.size());
    auto isOpen = [&]() {
      return std::ranges::any_of(ends, [](auto& end) { return end && !*end; });
    };
    while (isOpen()) {
      co_await tree.run([&](FileTree& there) {
        for (size_t i = 0; i < some.size(); ++i) {
          if (!ends[i] || *ends[i]) continue;
          ends[i] = hashing[i]->step(there, some[i]);
          for (auto& node: hashing[i]->takeNodes()) nodes[i].push_back(kj::mv(node));
          if (ends[i] || ends[i].error() != TreeError::LINKED) continue;
          auto state = there.state(some[i]);
          if (!state || state->kind != FileState::Kind::SYMLINK) continue;
          auto target = there.target(some[i]);
          if (target)
            links[i] = Finding{some[i], {Kind::SYMLINK, {}, {}, *target}, state->stamp, {}};
          ends[i] = target ? TreeResult<bool>(true) : std::unexpected(target.error());
        }
        return true;
      });
    }
    for (size_t i = 0; i < some.size(); ++i) {
      KJ_IF_MAYBE(link, links[i]) {
        findings.push_back(kj::mv(*link));
      } else if (ends[i]) {
        troubles.clear(some[i].str());
        auto& read = *hashing[i];
        findings.push_back({some[i], read.state(), read.stamp(), kj::mv(nodes[i]), read.isFresh(),
            read.takeText()});
      } else if (ends[i].error() == TreeError::CHANGED || ends[i].error() == TreeError::MISSING) {
        again(some[i]);
      } else {
        troubles.set(some[i].str(), storage::describe(ends[i].error()));
      }
    }
  }
}

}  // namespace hearth::devices
