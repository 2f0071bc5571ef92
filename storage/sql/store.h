#pragma once
// The database as the loop sees it: work goes to the storage thread as functions over Database, and
// its results come back as promises.
//
// Group commit: everything that was asked for while a commit was under way shares the next one. A
// write's promise resolves only when its commit is on disk (synchronous=FULL). A write that throws, or
// returns a Result without a value, is undone alone and fails alone.

#include "core/loop/executor.h"
#include "storage/sql/database.h"

#include <kj/async.h>
#include <kj/vector.h>

#include <deque>
#include <optional>
#include <type_traits>

namespace hearth::storage {

class Store final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t QUEUE_MAX = 4'096;  // work that waits; more is refused as OVERLOADED
  static constexpr size_t BATCH_MAX = 256;    // of it in one commit

  // The executor outlives the store. Destroying it finishes the work that was asked for, empties the
  // write-ahead log and closes the database.
  Store(Executor& executor, kj::Own<Database> db);
  ~Store() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(Store);

  // Runs `f(Database&)` after all work that was asked for before, whose writes it sees. Whatever `f`
  // holds is made and dropped on the loop, but used on the executor. Dropping the promise does not
  // take the work back.
  //
  // `f` changes nothing; where it does, it is undone and fails.
  template <typename F>
  auto read(F&& f) {
    return enqueue<Kind::READ>(kj::fwd<F>(f));
  }
  template <typename F>
  auto write(F&& f) {
    return enqueue<Kind::WRITE>(kj::fwd<F>(f));
  }

  // Empties the write-ahead log into the database file. To be called every CHECKPOINT_EVERY.
  static constexpr kj::Duration CHECKPOINT_EVERY = 1 * kj::HOURS;
  kj::Promise<void> checkpoint();

  // Resolves after the next commit that changes something.
  kj::Promise<void> changed() { return change.addBranch(); }

  // Whether all work that was asked for is done.
  bool isIdle() const { return !pumping; }

  // Commits that have changed something, since the store was opened.
  uint64_t commits() const { return commitCount; }

 private:
  enum class Kind : uint8_t { READ, WRITE, ALONE };

  class Work {
   public:
    explicit Work(Kind kind): kind(kind) {}
    virtual ~Work() noexcept(false) = default;
    void attempt(Database& db);  // on the executor; does not throw
    virtual void fail(kj::Exception exception) = 0;
    virtual void deliver() = 0;  // on the loop

    const Kind kind;

   private:
    virtual bool run(Database& db) = 0;  // whether what was changed shall stand
  };

  template <typename F>
  class WorkOf;

  // What shares a commit.
  struct Batch {
    std::deque<kj::Own<Work>> works;
    bool ran = false;  // written by the executor
  };

  Executor& executor;
  kj::Own<Database> db;
  std::deque<kj::Own<Work>> queue;
  Batch current;
  bool pumping = false;
  uint64_t commitCount = 0, commitsTold = 0;
  kj::PromiseFulfillerPair<void> next = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> change = next.promise.fork();
  kj::TaskSet tasks;

  template <Kind KIND, typename F>
  kj::Promise<std::invoke_result_t<F&, Database&>> enqueue(F&& f);
  void add(kj::Own<Work> work);
  kj::Promise<void> pump();
  void takeBatch();
  void runBatch();
  void commitTogether();
  void deliverBatch();
  void taskFailed(kj::Exception&& e) override;
};

template <typename F>
class Store::WorkOf final: public Work {
 public:
  using T = std::invoke_result_t<F&, Database&>;

  WorkOf(Kind kind, F&& f, kj::Own<kj::PromiseFulfiller<T>> fulfiller)
      : Work(kind),
        f(kj::mv(f)),
        fulfiller(kj::mv(fulfiller)) {}

  void fail(kj::Exception exception) override {
    result.reset();
    failure = kj::mv(exception);
  }

  void deliver() override {
    KJ_IF_MAYBE(e, failure) {
      fulfiller->reject(kj::mv(*e));
    } else if constexpr (std::is_void_v<T>) {
      fulfiller->fulfill();
    } else {
      fulfiller->fulfill(kj::mv(*result));
    }
  }

 private:
  struct Nothing {};

  F f;
  kj::Own<kj::PromiseFulfiller<T>> fulfiller;
  std::optional<std::conditional_t<std::is_void_v<T>, Nothing, T>> result;
  kj::Maybe<kj::Exception> failure;

  bool run(Database& db) override {
    if constexpr (std::is_void_v<T>) {
      f(db);
      return true;
    } else {
      result.emplace(f(db));
      if constexpr (requires {
                      result->has_value();
                      result->error();
                    })
        return result->has_value();
      return true;
    }
  }
};

template <Store::Kind KIND, typename F>
kj::Promise<std::invoke_result_t<F&, Database&>> Store::enqueue(F&& f) {
  using Held = std::decay_t<F>;
  if (queue.size() >= QUEUE_MAX) return KJ_EXCEPTION(OVERLOADED, "the storage queue is full");
  auto paf = kj::newPromiseAndFulfiller<std::invoke_result_t<F&, Database&>>();
  add(kj::heap<WorkOf<Held>>(KIND, Held(kj::fwd<F>(f)), kj::mv(paf.fulfiller)));
  return kj::mv(paf.promise);
}

}  // namespace hearth::storage
