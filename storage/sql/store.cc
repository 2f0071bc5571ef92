#include "storage/sql/store.h"

#include <kj/debug.h>

namespace hearth::storage {

Store::Store(Executor& executor, kj::Own<Database> db)
    : executor(executor),
      db(kj::mv(db)),
      tasks(*this) {}

Store::~Store() noexcept(false) {
  tasks.clear();  // waits for a batch that is running, and takes back one that has not begun
  if (!current.works.empty()) {
    if (!current.ran) runBatch();
    deliverBatch();
  }
  while (!queue.empty()) {
    takeBatch();
    runBatch();
    deliverBatch();
  }
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { db->checkpoint(); })) {
    KJ_LOG(ERROR, "the write-ahead log stays behind until the next start", *e);
  }
}

kj::Promise<void> Store::checkpoint() {
  return enqueue<Kind::ALONE>([](Database& db) { db.checkpoint(); });
}

void Store::add(kj::Own<Work> work) {
  queue.push_back(kj::mv(work));
  if (pumping) return;
  pumping = true;
  // Later, so that whatever is asked for in this turn of the loop comes along.
  tasks.add(kj::evalLater([this]() { return pump(); }));
}

// One batch at a time; what comes in meanwhile makes up the next.
kj::Promise<void> Store::pump() {
  while (!queue.empty()) {
    takeBatch();
    co_await executor.execute([this]() { runBatch(); });
    deliverBatch();
  }
  pumping = false;
}

void Store::takeBatch() {
  auto& works = current.works;
  do {
    works.push_back(kj::mv(queue.front()));
    queue.pop_front();
  } while (!queue.empty() && works.size() < BATCH_MAX && works.back()->kind != Kind::ALONE &&
      queue.front()->kind != Kind::ALONE);
  current.ran = false;
}

void Store::deliverBatch() {
  for (auto& work: current.works) work->deliver();
  current.works.clear();
  if (commitCount == commitsTold) return;
  commitsTold = commitCount;
  auto told = kj::mv(next.fulfiller);
  next = kj::newPromiseAndFulfiller<void>();
  change = next.promise.fork();
  told->fulfill();
}

// On the executor, as all below.
void Store::runBatch() {
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { commitTogether(); })) {
    for (auto& work: current.works) work->fail(kj::cp(*e));
  }
  current.ran = true;
}

void Store::commitTogether() {
  // Inside a transaction that was left open nothing would reach the disk.
  KJ_ASSERT(!db->inTransaction());
  if (current.works.front()->kind == Kind::ALONE) return current.works.front()->attempt(*db);
  auto changesBefore = db->changes();
  Transaction all(*db);
  for (auto& work: current.works) {
    work->attempt(*db);
    KJ_ASSERT(db->inTransaction(), "the disk failed, and the whole transaction was undone");
  }
  all.commit();
  if (db->changes() != changesBefore) ++commitCount;
}

void Store::Work::attempt(Database& db) {
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() {
                if (kind == Kind::ALONE) {
                  run(db);
                  return;
                }
                Transaction part(db);
                auto changesBefore = db.changes();
                bool stands = run(db);
                KJ_ASSERT(kind == Kind::WRITE || db.changes() == changesBefore,
                    "a read has changed rows");
                if (stands) part.commit();
              })) {
    fail(kj::mv(*e));
  }
}

void Store::taskFailed(kj::Exception&& e) { KJ_LOG(ERROR, "the storage executor is gone", e); }

}  // namespace hearth::storage
