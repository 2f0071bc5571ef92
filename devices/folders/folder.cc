#include "devices/folders/folder.h"

#include "storage/folder/keeping.h"
#include "storage/tables/folder-listing.h"
#include "storage/tables/folder-unsaid.h"

#include <kj/debug.h>

#include <utility>

namespace hearth::devices {

using storage::folders::Direction;

Folder::Folder(FolderSurroundings& around, storage::folders::Folder settings,
    kj::Own<storage::FileTree> treeIn)
    : around(around),
      known(kj::mv(settings)),
      tree(std::make_shared<TreeWork>(around.files, kj::mv(treeIn))),
      watcher(around.system.watch(known.path)),
      making(around, known, *tree, troubles,
          {[this]() { ring(); },
              [this](const storage::FolderPath& path) {
                looking.lookAt(path);
                ring();
              }}),
      freeing(around, known, *tree,
          {[this]() { ring(); },
              [this](const storage::FolderPath& path) {
                looking.lookAt(path);
                ring();
              }}),
      pacing(around.timer),
      tasks(*this) {
  looking.lookAtAll();
  following = follow().eagerlyEvaluate([this](kj::Exception&& e) {
    watchProblem =
        kj::str("changes are not noticed any more: ", e.getDescription(), "; restart hearthd")
            .cStr();
  });
  running =
      run().eagerlyEvaluate([](kj::Exception&& e) { KJ_LOG(ERROR, "a folder stands still", e); });
  thinning = thin().eagerlyEvaluate([](kj::Exception&& e) {
    KJ_LOG(WARNING, "former states of files are not thinned out any more", e.getDescription());
  });
}

Folder::~Folder() noexcept(false) = default;

void Folder::ring() {
  hasNews = true;
  news.ring();
}

void Folder::arrived(const storage::Log::Stored& entry) {
  tasks.add(saying.arrived(entry).then([this]() {
    making.poke();
    ring();
  }));
}

kj::Promise<void> Folder::follow() {
  for (;;) {
    auto changes = co_await watcher->changes();
    looking.changed(changes);
    if (changes.gone) looking.lookAtAll();
    ring();
  }
}

kj::Promise<void> Folder::run() {
  for (;;) {
    bool failed = false;
    try {
      co_await distrustAfterBoot();
      co_await freeing.endWhatWasBegun();
      if (std::exchange(mayHaveMissed, false)) {
        co_await saying.catchUp();
        making.poke();
      }
      while (co_await pacedStep()) {}
    } catch (const kj::Exception& e) {
      problem = e.getDescription().cStr();
      mayHaveMissed = failed = true;
    }
    if (failed || !problem.empty()) {
      co_await around.timer.afterDelay(AGAIN_AFTER);
      looking.lookAtAll();
    } else {
      co_await waitForNews();
    }
  }
}

kj::Promise<void> Folder::distrustAfterBoot() {
  auto boot = around.system.boot();
  if (boot == known.boot) co_return;
  co_await around.store.write([folder = known.number, boot](storage::Database& db) {
    storage::folders::rebooted(db, folder, boot);
  });
  known.boot = kj::mv(boot);
}

kj::Promise<void> Folder::thin() {
  for (;;) {
    co_await around.timer.afterDelay(THINNED_EVERY);
    auto nowMs = (around.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
    co_await tree->run([nowMs](storage::FileTree& files) {
      auto kept = files.kept();
      auto room = files.room();
      if (!kept || !room) return false;
      for (auto& path:
          storage::toDrop(storage::KeepingPolicy(), storage::versionsOf(*kept), nowMs, *room))
        (void)files.dropKept(path);
      return files.sync().has_value();
    });
  }
}

// Whether there was something to do.
kj::Promise<bool> Folder::pacedStep() {
  co_await pacing.begin(looking.ready() + making.ready());
  bool isDone = co_await step();
  pacing.end();
  co_return isDone;
}

kj::Promise<bool> Folder::step() {
  hasNews = false;
  auto looked = co_await looking.some();
  if (!looked) {
    problem = looked.error().because.cStr();
    co_return false;
  }
  // What is merged changes what lies here, and is told.
  Result<bool> merged = false;
  if (known.direction == Direction::BOTH) merged = co_await merging.some();
  if (!merged) {
    problem = merged.error().because.cStr();
    co_return false;
  }
  problem.clear();
  if (saying.takePlacesToMake()) making.poke();
  bool made = known.direction != Direction::SEND && co_await making.some();
  bool freed = co_await freeing.some();
  if (*looked || made) merging.poke();
  co_return *looked || *merged || made || freed;
}

kj::Promise<void> Folder::waitForNews() {
  if (hasNews) co_return;
  auto next = looking.next();
  KJ_IF_MAYBE(at, merging.next()) next = kj::min(*at, next.orDefault(*at));
  KJ_IF_MAYBE(at, making.next()) next = kj::min(*at, next.orDefault(*at));
  auto told = news.wait();
  KJ_IF_MAYBE(at, next) told = told.exclusiveJoin(around.timer.atTime(*at));
  co_await told;
}

kj::Promise<Folder::Status> Folder::look() {
  auto [status, held] = co_await around.store.read([folder = known](storage::Database& db) {
    constexpr auto MOST = FolderTroubles::MAX;
    auto number = folder.number;
    Status status;
    std::vector<storage::FolderPath> held;  // back, as the folder goes in one direction
    status.totals = storage::folders::totals(db, number);
    status.choices = storage::folder_choices::all(db, number);
    if (folder.direction == Direction::SEND) {
      status.notTaken = std::exchange(status.totals.pending, 0);
      held = storage::folder_versions::pending(
          db, number, storage::folder_versions::Order::FORWARDS, {}, MOST);
    } else if (folder.direction == Direction::RECEIVE) {
      status.changedHere = storage::folder_unsaid::count(db, number);
      held = storage::folder_unsaid::all(db, number, MOST);
    }
    return std::pair(kj::mv(status), kj::mv(held));
  });
  status.isLookingAtAll = looking.isLookingAtAll();
  status.lookedAt = looking.files();
  status.receivedBytes = making.receivedBytes();
  status.merged = merging.merged();
  status.problem = problem.empty() ? watchProblem : problem;
  status.troubles = troubles.told();
  auto resting = around.exchange.whyResting();
  KJ_IF_MAYBE(why, resting) {
    status.rests = *why;
  } else {
    for (auto& path: making.waiting(FolderTroubles::MAX))
      status.troubles.try_emplace(path.str(),
          FolderTroubles::Trouble{"it comes when a device that has it can be reached", false});
  }
  auto heldWhy = known.direction == Direction::SEND
      ? "others have changed it, which is not taken: this folder only sends"
      : "changed here, which is not told: this folder only receives";
  for (auto& path: held)
    status.troubles.try_emplace(path.str(), FolderTroubles::Trouble{heldWhy, true});
  co_return kj::mv(status);
}

kj::Promise<Folder::Chosen> Folder::choose(Choice choice, std::vector<storage::FolderPath> paths) {
  if (known.direction == Direction::SEND)
    return Chosen(std::unexpected("what is here of a folder that only sends is not chosen: "
                                  "hearth folder set NAME --direction both"));
  return whileItIsThere(carryOut(choice, kj::mv(paths)));
}

kj::Promise<Folder::Chosen> Folder::carryOut(
    Choice choice, std::vector<storage::FolderPath> paths) {
  // What lies there is known first.
  while (looking.isLookingAtAll()) {
    if (!problem.empty()) co_return std::unexpected(problem);
    co_await around.timer.afterDelay(FolderFreeing::LOOKED_EVERY);
  }
  auto why = co_await around.store.write([folder = known.number, choice, paths](
                                             storage::Database& db) -> std::string {
    namespace choices = storage::folder_choices;
    for (auto& path: paths) {
      if (!path.isFolder() && storage::folder_listing::find(db, folder, path) == nullptr)
        return path.str() +
            " is nothing that this folder has: hearth folder show lists what it has";
    }
    auto chosen = choice == Choice::ONLY ? choices::keepOnly(db, folder, paths) : Result<void>();
    for (auto& path: paths) {
      if (choice != Choice::ONLY && chosen)
        chosen = choices::choose(db, folder, path, choice == Choice::KEEP);
    }
    return chosen ? std::string() : std::string(chosen.error().because.cStr());
  });
  making.poke();
  ring();
  if (!why.empty()) co_return std::unexpected(why);
  if (choice == Choice::KEEP) co_return FolderFreeing::Report();
  if (choice == Choice::ONLY) paths = {storage::FolderPath()};
  co_return co_await freeing.free(kj::mv(paths));
}

kj::Promise<std::vector<bool>> Folder::keeps(std::vector<FolderProving::Asked> files) {
  // What its owner removes here is told to nobody: no one is to rely on it.
  bool isReliable = known.direction != Direction::RECEIVE;
  if (!isReliable || provings >= PROVING_MAX) return std::vector<bool>(files.size(), false);
  ++provings;
  return whileItIsThere(proving.keeps(kj::mv(files)).attach(kj::defer([this]() { --provings; })));
}

// What an entry says could not be written down: the disk is full, perhaps.
void Folder::taskFailed(kj::Exception&& e) {
  mayHaveMissed = true;
  problem = e.getDescription().cStr();
  ring();
  KJ_LOG(WARNING, "a folder", e.getDescription());
}

}  // namespace hearth::devices
