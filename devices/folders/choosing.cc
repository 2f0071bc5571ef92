#include "devices/folders/choosing.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

namespace {

namespace folders = storage::folders;
namespace unsaid = storage::folder_unsaid;
namespace versions = storage::folder_versions;

using storage::Database;
using storage::FolderPath;
using Kind = storage::PathState::Kind;

constexpr size_t COPIES_MAX = 4;  // of a file that are looked at

FolderStep stepFor(Database& db, unsaid::Of of, const FolderPath& path) {
  auto folder = of.number;
  FolderStep step{path, versions::shown(db, folder, path), unsaid::seen(db, of, path), nullptr};
  // A file that is away takes the place of what else is there, as nothing.
  KJ_IF_MAYBE(version, step.version) {
    bool isFile =
        step.local.map([](auto& local) { return local.state.kind == Kind::FILE; }).orDefault(false);
    if (!isFile && versions::shallBeAway(db, folder, path, *version)) step.version = nullptr;
  }
  return step;
}

bool isFileOf(const kj::Maybe<folders::Local>& local, const BlobRef& ref) {
  KJ_IF_MAYBE(there, local) return there->state.kind == Kind::FILE && there->state.content == ref;
  return false;
}

bool isFresh(const kj::Maybe<folders::Local>& local) {
  KJ_IF_MAYBE(there, local) return there->isFresh;
  return false;
}

// What was changed here came in the place of the very version that shall be there: nobody has changed it since.
bool isOurs(Database& db, unsaid::Of of, const FolderStep& step) {
  if (!of.onlyReceives()) return false;
  auto changed = unsaid::find(db, of.number, step.path);
  KJ_IF_MAYBE(here, changed) {
    KJ_IF_MAYBE(version, step.version) return here->version == version->name;
  }
  return false;
}

// What lies there shall be beside it, and may be nowhere else. What was told of before it was changed here may be
// nowhere at all: that it is no more is said with the change, which is not dropped for another one before.
bool isStillNeeded(Database& db, unsaid::Of of, const FolderStep& step) {
  auto isNeeded = [&](const kj::Maybe<folders::Local>& local) {
    KJ_IF_MAYBE(there, local) {
      return there->state.kind == Kind::FILE &&
          versions::isYetToBeBeside(db, of.number, step.path, there->state);
    }
    return false;
  };
  return isNeeded(step.local) ||
      (of.onlyReceives() && isNeeded(folders::find(db, of.number, step.path)));
}

// A file with the bytes that shall be at the path, and which shall not stay where it is.
kj::Maybe<folders::Local> leavingCopy(Database& db, unsaid::Of of, const FolderStep& step) {
  auto folder = of.number;
  if (!step.shallBe(Kind::FILE) || step.local != nullptr) return nullptr;
  auto content = KJ_ASSERT_NONNULL(step.version).state.content.contentId();
  for (auto& copy: folders::copiesOf(db, content, COPIES_MAX)) {
    if (copy.folder != folder || copy.local.isFresh) continue;
    if (of.onlyReceives() && unsaid::find(db, folder, copy.local.path) != nullptr) continue;
    bool leaves = true;
    KJ_IF_MAYBE(version, versions::shown(db, folder, copy.local.path)) {
      leaves = version->state.kind != Kind::FILE;
    }
    if (leaves) return copy.local;
  }
  return nullptr;
}

// One file can go to one place.
std::set<FolderPath> giveToOneEach(std::vector<FolderStep>& steps) {
  std::set<FolderPath> taken;
  for (auto& step: steps) {
    KJ_IF_MAYBE(from, step.from) {
      if (!taken.insert(from->path).second) step.from = nullptr;
    }
  }
  return taken;
}

}  // namespace

bool isReady(const FolderStep& step) {
  if (step.arrived || step.from != nullptr || !step.shallBe(Kind::FILE)) return true;
  return isFileOf(step.local, KJ_ASSERT_NONNULL(step.version).state.content);
}

FolderChoice chooseSteps(Database& db, unsaid::Of of, const FolderPath& after,
    const std::set<FolderPath>& busy, size_t most) {
  auto folder = of.number;
  FolderChoice choice;
  std::set<ContentId> wanted;
  for (auto& path: versions::pending(db, folder, versions::Order::FORWARDS, after, most)) {
    choice.last = path;
    auto step = stepFor(db, of, path);
    if (!isReady(step)) wanted.insert(KJ_ASSERT_NONNULL(step.version).state.content.contentId());
    if (busy.contains(path) || isStillNeeded(db, of, step) || isOurs(db, of, step)) continue;
    if (isFresh(step.local)) {
      choice.uncertain.push_back(path);
      continue;
    }
    step.from = leavingCopy(db, of, step);
    choice.steps.push_back(kj::mv(step));
  }
  auto taken = giveToOneEach(choice.steps);
  // Whose bytes another path shall have stays until they are there: perhaps no other device has them any more.
  auto isWanted = [&](const FolderStep& step) {
    KJ_IF_MAYBE(local, step.local) {
      return local->state.kind == Kind::FILE && !step.shallBe(Kind::FILE) &&
          wanted.contains(local->state.content.contentId());
    }
    return false;
  };
  std::erase_if(
      choice.steps, [&](auto& step) { return taken.contains(step.path) || isWanted(step); });
  return choice;
}

FolderArrivals stillWanted(Database& db, unsaid::Of of, std::vector<FolderStep> steps) {
  FolderArrivals arrivals;
  for (auto& before: steps) {
    auto step = stepFor(db, of, before.path);
    step.arrived = kj::mv(before.arrived);
    bool isSame = step.shallBe(Kind::FILE) &&
        KJ_ASSERT_NONNULL(step.version).state.content == step.arrived->ref;
    if (!isSame || isOurs(db, of, step)) continue;
    if (isStillNeeded(db, of, step)) {
      arrivals.tooEarly.push_back(step.path);
    } else if (isFresh(step.local)) {
      arrivals.uncertain.push_back(step.path);
    } else {
      arrivals.wanted.push_back(kj::mv(step));
    }
  }
  return arrivals;
}

}  // namespace hearth::devices
