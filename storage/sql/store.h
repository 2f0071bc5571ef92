#pragma once
// Work on the database, away from the loop thread. Writes that queue up while a commit is under way
// share the next one (group commit); the promise of a write resolves when its commit is on disk.

#include "storage/sql/database.h"

#include <kj/async.h>
#include <kj/debug.h>
#include <kj/function.h>

namespace hearth::storage {

class Store {
 public:
  using Work = kj::Function<void(Database&)>;

  // Runs `work` and gives what it returns. Exceptions of it pass through; those of a write undo
  // what it did, and nobody else's.
  template <typename Func>
  auto read(Func&& work) -> kj::Promise<decltype(work(kj::instance<Database&>()))> {
    return run(kj::fwd<Func>(work), false);
  }
  template <typename Func>
  auto write(Func&& work) -> kj::Promise<decltype(work(kj::instance<Database&>()))> {
    return run(kj::fwd<Func>(work), true);
  }

  // Commits so far: what group commit saves shows here.
  virtual uint64_t commits() const = 0;

  virtual ~Store() noexcept(false) = default;

 protected:
  // Resolves on the caller's loop when the work is done and, if it writes, committed.
  virtual kj::Promise<void> submit(Work work, bool writes) = 0;

 private:
  template <typename Func>
  auto run(Func&& work, bool writes) -> kj::Promise<decltype(work(kj::instance<Database&>()))> {
    using T = decltype(work(kj::instance<Database&>()));
    if constexpr (std::is_void_v<T>) {
      return submit(kj::fwd<Func>(work), writes);
    } else {
      auto result = kj::heap<kj::Maybe<T>>();
      auto& slot = *result;
      auto done = submit([&slot, work = kj::fwd<Func>(work)](
                             Database& database) mutable { slot = work(database); },
          writes);
      return done.then(
          [result = kj::mv(result)]() mutable -> T { return kj::mv(KJ_ASSERT_NONNULL(*result)); });
    }
  }
};

// On a thread of its own. Destroying it finishes what was submitted and closes the database.
kj::Own<Store> newThreadStore(kj::Own<Database> database);

// On the caller's thread, each write its own commit: for a simulated world of one thread.
kj::Own<Store> newInlineStore(kj::Own<Database> database);

}  // namespace hearth::storage
