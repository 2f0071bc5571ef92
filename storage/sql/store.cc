#include "storage/sql/store.h"

#include <kj/debug.h>
#include <kj/mutex.h>
#include <kj/thread.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace hearth::storage {

namespace {

// Does one write inside the open transaction, and undoes it alone when it throws.
kj::Maybe<kj::Exception> writeOne(Database& database, Store::Work& work) {
  database.execute("SAVEPOINT one");
  auto failure = kj::runCatchingExceptions([&]() { work(database); });
  database.execute(failure == nullptr ? "RELEASE one" : "ROLLBACK TO one; RELEASE one");
  return failure;
}

class InlineStore final: public Store {
 public:
  explicit InlineStore(kj::Own<Database> database): database(kj::mv(database)) {}
  ~InlineStore() noexcept(false) { database->checkpoint(); }

  uint64_t commits() const override { return committed; }

 protected:
  kj::Promise<void> submit(Work work, bool writes) override {
    auto failure = writes ? commit(work) : kj::runCatchingExceptions([&]() { work(*database); });
    KJ_IF_MAYBE(e, failure) return kj::mv(*e);
    return kj::READY_NOW;
  }

 private:
  kj::Own<Database> database;
  uint64_t committed = 0;

  kj::Maybe<kj::Exception> commit(Work& work) {
    database->execute("BEGIN IMMEDIATE");
    auto failure = writeOne(*database, work);
    database->execute("COMMIT");
    ++committed;
    return failure;
  }
};

class ThreadStore final: public Store {
 public:
  explicit ThreadStore(kj::Own<Database> database)
      : database(kj::mv(database)),
        thread([this]() { serve(); }) {}

  ~ThreadStore() noexcept(false) {
    queue.lockExclusive()->closing = true;  // the thread joins when it has done what waits
  }

  uint64_t commits() const override { return queue.lockShared()->commits; }

 protected:
  kj::Promise<void> submit(Work work, bool writes) override {
    auto paf = kj::newPromiseAndCrossThreadFulfiller<void>();
    queue.lockExclusive()->items.push_back({kj::mv(work), writes, kj::mv(paf.fulfiller)});
    return kj::mv(paf.promise);
  }

 private:
  struct Item {
    Work work;
    bool writes;
    kj::Own<kj::CrossThreadPromiseFulfiller<void>> fulfiller;
  };
  struct Queue {
    std::deque<Item> items;
    bool closing = false;
    uint64_t commits = 0;
  };

  kj::Own<Database> database;
  kj::MutexGuarded<Queue> queue;
  kj::Thread thread;  // last, so that it joins before the rest goes

  void serve() {
    for (;;) {
      auto batch = takeAll();
      if (batch.empty()) break;
      runBatch(batch);
    }
    database->checkpoint();
    database = nullptr;
  }

  std::deque<Item> takeAll() {
    return queue.when([](const Queue& q) { return q.closing || !q.items.empty(); },
        [](Queue& q) { return std::exchange(q.items, {}); });
  }

  // Everything that has queued up by now, in one transaction.
  void runBatch(std::deque<Item>& batch) {
    std::vector<kj::Maybe<kj::Exception>> failures(batch.size());
    auto broken = kj::runCatchingExceptions([&]() {
      bool writes = std::ranges::any_of(batch, &Item::writes);
      if (writes) database->execute("BEGIN IMMEDIATE");
      for (size_t i = 0; i < batch.size(); ++i) {
        failures[i] = batch[i].writes
            ? writeOne(*database, batch[i].work)
            : kj::runCatchingExceptions([&]() { batch[i].work(*database); });
      }
      if (writes) database->execute("COMMIT");
      if (writes) ++queue.lockExclusive()->commits;
    });
    KJ_IF_MAYBE(e, broken) {
      // The commit itself failed (a full disk, say): nothing of the batch is there.
      auto undone = kj::runCatchingExceptions([&]() { database->execute("ROLLBACK"); });
      if (undone != nullptr) KJ_LOG(ERROR, "a transaction could not be undone");
      for (auto& failure: failures) failure = kj::Exception(*e);
    }
    for (size_t i = 0; i < batch.size(); ++i) {
      KJ_IF_MAYBE(e, failures[i]) {
        batch[i].fulfiller->reject(kj::mv(*e));
      } else {
        batch[i].fulfiller->fulfill();
      }
    }
  }
};

}  // namespace

kj::Own<Store> newThreadStore(kj::Own<Database> database) {
  return kj::heap<ThreadStore>(kj::mv(database));
}

kj::Own<Store> newInlineStore(kj::Own<Database> database) {
  return kj::heap<InlineStore>(kj::mv(database));
}

}  // namespace hearth::storage
