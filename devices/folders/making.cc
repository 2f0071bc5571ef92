#include "devices/folders/making.h"

#include "storage/tables/folder-merges.h"

#include <kj/debug.h>

#include <algorithm>
#include <set>
#include <utility>

namespace hearth::devices {

namespace {

namespace folders = storage::folders;
namespace merges = storage::folder_merges;
namespace unsaid = storage::folder_unsaid;
namespace versions = storage::folder_versions;

using storage::Database;
using storage::FileTree;
using storage::FolderPath;
using storage::TreeError;
using Kind = storage::PathState::Kind;

// Small files first: by how many 64 KiB they have.
constexpr int NEED_SHIFT = 16;
constexpr uint32_t NEED_MAX = 1'000'000;

}  // namespace

FolderMaking::FolderMaking(FolderSurroundings& around, const folders::Folder& folder,
    TreeWork& tree, FolderTroubles& troubles, Tells tells)
    : around(around),
      folder(folder),
      tree(tree),
      troubles(troubles),
      tells(kj::mv(tells)),
      placing(around.clock, around.entropy),
      incoming(around.store, around.exchange, tree, folder.number, folder.collection),
      tasks(*this) {}

FolderMaking::~FolderMaking() noexcept(false) = default;

kj::Maybe<kj::TimePoint> FolderMaking::next() const {
  kj::Maybe<kj::TimePoint> first;
  for (auto& [path, retry]: retries) {
    if (!retry.isDue) first = kj::min(retry.at, first.orDefault(retry.at));
  }
  return first;
}

std::vector<FolderPath> FolderMaking::waiting(size_t most) const {
  std::vector<FolderPath> found;
  for (auto& [path, fetch]: fetching) {
    if (found.size() == most) break;
    if (around.exchange.isStuck(fetch.ref.contentId())) found.push_back(path);
  }
  return found;
}

// The bytes of one file are fetched once at a time, and staged under their own name until they are placed.
bool FolderMaking::isUnderWay(const BlobRef& ref) const {
  return incoming.isFetching(ref.contentId()) ||
      std::ranges::any_of(arrived, [&](auto& step) { return step.arrived->ref == ref; });
}

bool FolderMaking::mayBegin(const BlobRef& ref) const {
  if (fetching.size() >= FETCHES_MAX) return false;
  return ref.level > 0 ? large < LARGE_FETCHES_MAX
                       : smallBytes + ref.top.length <= FETCHED_BYTES_MAX;
}

kj::Promise<bool> FolderMaking::some() {
  auto now = around.timer.now();
  for (auto& [path, retry]: retries) {
    if (retry.isDue || retry.at > now) continue;
    retry.isDue = true;
    isDone = false;
  }
  if (std::exchange(hasNews, false)) co_await dropSuperseded();
  if (arrived.empty() && isDone) co_return false;
  auto steps = arrived.empty() ? co_await pendingSteps() : co_await arrivedSteps();
  std::vector<FolderStep> ready;
  for (auto& step: steps) {
    if (isReady(step)) {
      ready.push_back(kj::mv(step));
    } else {
      anyInPass |= beginToFetch(kj::mv(step));
    }
  }
  if (ready.empty()) co_return true;
  anyInPass = true;
  co_await place(kj::mv(ready));
  co_return true;
}

std::vector<FolderStep> FolderMaking::takeArrived() {
  auto end = arrived.begin() + static_cast<ptrdiff_t>(kj::min(arrived.size(), BATCH));
  std::vector<FolderStep> some(
      std::make_move_iterator(arrived.begin()), std::make_move_iterator(end));
  arrived.erase(arrived.begin(), end);
  for (auto& step: some) {
    auto& ref = step.arrived->ref;
    if (ref.level == 0) smallBytes -= ref.top.length;
  }
  isDone = false;  // there is room for others
  return some;
}

// The next pending paths, which nothing is done about yet.
kj::Promise<std::vector<FolderStep>> FolderMaking::pendingSteps() {
  std::set<Path> busy;
  for (auto& [path, fetch]: fetching) busy.insert(path);
  for (auto& step: arrived) busy.insert(step.path);
  auto now = around.timer.now();
  for (auto& [path, retry]: retries) {
    if (!retry.isDue && retry.at > now) busy.insert(path);
  }
  auto choice = co_await around.store.read(
      [folder = unsaid::Of(folder), after = cursor, busy = kj::mv(busy)](
          Database& db) { return chooseSteps(db, folder, after, busy, BATCH); });
  lookFirst(choice.uncertain);
  KJ_IF_MAYBE(last, choice.last) {
    cursor = *last;
  } else {
    endPass();
    if (isDone && fetching.empty() && arrived.empty() && retries.empty()) co_await dropLeftovers();
  }
  co_return kj::mv(choice.steps);
}

void FolderMaking::endPass() {
  // What is due and did not fail again has been settled in another way.
  std::erase_if(retries, [this](auto& entry) {
    if (entry.second.isDue) troubles.clear(entry.first.str());
    return entry.second.isDue;
  });
  // What could not be done before what follows it is tried once more.
  isDone = !anyInPass;
  anyInPass = false;
  cursor = {};
}

// What was staged and is not wanted any more, by this run or one before.
kj::Promise<void> FolderMaking::dropLeftovers() {
  if (!std::exchange(mayHaveLeftovers, false)) co_return;
  co_await tree.run([](FileTree& files) {
    auto staged = files.staged();
    if (!staged) return false;
    for (auto& name: *staged) (void)files.dropStaged(name);
    return true;
  });
}

// Of what has been fetched that which shall still be there.
kj::Promise<std::vector<FolderStep>> FolderMaking::arrivedSteps() {
  auto arrivals = co_await around.store.read(
      [folder = unsaid::Of(folder), steps = takeArrived()](
          Database& db) mutable { return stillWanted(db, folder, kj::mv(steps)); });
  lookFirst(arrivals.uncertain);
  for (auto& path: arrivals.tooEarly) retryLater(path, AGAIN_AFTER);
  co_return kj::mv(arrivals.wanted);
}

void FolderMaking::lookFirst(const std::vector<Path>& paths) {
  for (auto& path: paths) {
    tells.lookAt(path);
    retryLater(path, LOOKED_WITHIN);
  }
}

// Whether it could begin.
bool FolderMaking::beginToFetch(FolderStep step) {
  auto& ref = KJ_ASSERT_NONNULL(step.version).state.content;
  if (fetching.contains(step.path) || isUnderWay(ref) || !mayBegin(ref)) return false;
  mayHaveLeftovers |= ref.level > 0;
  (ref.level > 0 ? large : smallBytes) += ref.level > 0 ? 1 : ref.top.length;
  auto path = step.path;
  auto& begun = fetching.emplace(path, Fetch{ref}).first->second;
  begun.promise =
      fetch(kj::mv(step)).eagerlyEvaluate([](kj::Exception&& e) { KJ_LOG(ERROR, "fetching", e); });
  return true;
}

// What is fetched, and shall not be there any more: perhaps no device has it, and it would be waited for for ever.
kj::Promise<void> FolderMaking::dropSuperseded() {
  std::vector<Path> paths;
  for (auto& [path, fetch]: fetching) paths.push_back(path);
  if (paths.empty()) co_return;
  auto wanted = co_await around.store.read([folder = folder.number, paths](Database& db) {
    std::vector<kj::Maybe<versions::Version>> wanted;
    for (auto& path: paths) {
      wanted.push_back(versions::shown(db, folder, path));
      if (versions::isAway(db, folder, path)) wanted.back() = nullptr;
    }
    return wanted;
  });
  std::vector<std::string> staged;
  for (size_t i = 0; i < paths.size(); ++i) {
    auto found = fetching.find(paths[i]);
    if (found == fetching.end() || found->second.isOver) continue;
    auto ref = found->second.ref;
    KJ_IF_MAYBE(version, wanted[i]) {
      if (version->state.kind == Kind::FILE && version->state.content == ref) continue;
    }
    (ref.level > 0 ? large : smallBytes) -= ref.level > 0 ? 1 : ref.top.length;
    fetching.erase(found);
    isDone = false;
    if (ref.level > 0) staged.push_back(FolderIncoming::stagedName(ref));
  }
  if (staged.empty()) co_return;
  co_await tree.run([&staged](FileTree& files) {
    for (auto& name: staged) (void)files.dropStaged(name);
    return true;
  });
}

kj::Promise<void> FolderMaking::fetch(FolderStep step) {
  auto ref = KJ_ASSERT_NONNULL(step.version).state.content;
  auto path = step.path;
  bool isHere = false;
  std::string why;
  try {
    auto need = kj::min(ref.top.length >> NEED_SHIFT, uint64_t{NEED_MAX});
    auto done = co_await incoming.fetch(ref, static_cast<uint32_t>(need));
    isHere = done.has_value();
    if (done) {
      step.arrived = kj::mv(*done);
    } else {
      why = done.error().because.cStr();
    }
  } catch (const kj::Exception& e) {
    why = e.getDescription().cStr();
  }
  if (!isHere) {
    troubles.set(path.str(), why.c_str());
    retryLater(path, AGAIN_AFTER_MAX);
  }
  if (ref.level > 0) --large;
  if (!isHere && ref.level == 0) smallBytes -= ref.top.length;
  if (isHere) arrived.push_back(kj::mv(step));
  fetching.at(path).isOver = true;
  // Not from within: this promise is among them.
  tasks.add(kj::evalLater([this, path]() {
    fetching.erase(path);
    isDone = false;
    tells.ready();
  }));
}

kj::Promise<void> FolderMaking::place(std::vector<FolderStep> steps) {
  auto done =
      co_await tree.run([&](FileTree& files) { return placing.place(files, kj::mv(steps)); });
  for (auto& one: done) {
    if (!one.how) {
      failed(one.step.path, one.how.error());
      continue;
    }
    retries.erase(one.step.path);
    troubles.clear(one.step.path.str());
  }
  std::vector<ContentId> here;
  for (auto& one: done) {
    KJ_IF_MAYBE(version, one.step.version) {
      if (one.how && version->state.kind == Kind::FILE)
        here.push_back(version->state.content.contentId());
    }
  }
  bool onlyReceives = folder.direction == folders::Direction::RECEIVE;
  co_await around.store.write(
      [folder = folder.number, onlyReceives, done = kj::mv(done)](Database& db) {
        for (auto& one: done) {
          if (!one.how) continue;
          auto& step = one.step;
          // What was changed here lies aside now.
          if (onlyReceives) unsaid::drop(db, folder, step.path);
          KJ_IF_MAYBE(from, step.from) {
            forgetChunks(db, folder, from->path);
            folders::drop(db, folder, from->path);
            versions::consider(db, folder, from->path);
          }
          KJ_IF_MAYBE(state, *one.how) {
            auto& version = KJ_ASSERT_NONNULL(step.version);
            Local now{step.path, state->stamp, version.state, version.name};
            if (version.state.kind == Kind::FILE) now.state.attributes = one.has;
            if (version.state.kind == Kind::DIRECTORY) now.state.attributes.mode = state->mode;
            if (version.isImplied()) {
              forgetChunks(db, folder, step.path);
              folders::drop(db, folder, step.path);  // whoever looks at it says that it is there
            } else {
              placeChunks(db, folder, now);
              folders::put(db, folder, now);
              if (one.text)
                merges::remember(db, folder, version.state.content.contentId(), *one.text);
            }
          } else {
            forgetChunks(db, folder, step.path);
            folders::drop(db, folder, step.path);
          }
          // Something newer may have come meanwhile.
          versions::consider(db, folder, step.path);
        }
      });
  for (auto& content: here) around.exchange.isHere(folder.collection, content);
}

void FolderMaking::failed(const Path& path, TreeError error) {
  if (error == TreeError::CHANGED) {
    tells.lookAt(path);
  } else {
    troubles.set(path.str(), storage::describe(error));
  }
  retryLater(path, AGAIN_AFTER);
}

void FolderMaking::retryLater(const Path& path, kj::Duration first) {
  auto [retry, isNew] = retries.try_emplace(path, Retry{around.timer.now(), first});
  if (!isNew) retry->second.pause = kj::min(retry->second.pause * 2, AGAIN_AFTER_MAX);
  retry->second.at = around.timer.now() + retry->second.pause;
  retry->second.isDue = false;
}

void FolderMaking::taskFailed(kj::Exception&& e) { KJ_LOG(ERROR, "a folder", e); }

}  // namespace hearth::devices
