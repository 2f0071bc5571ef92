#include "core/loop/uv-event-port.h"
#include "storage/sql/schema.h"
#include "storage/sql/store.h"
#include "storage/tables/counters.h"
#include "storage/tables/jobs.h"
#include "storage/tables/ops.h"
#include "storage/tables/peers.h"
#include "storage/tables/settings.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <csignal>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::storage {
namespace {

crypto::DatabaseKey keyOf(kj::byte value) {
  return crypto::DatabaseKey::make([&](auto out) { memset(out.begin(), value, out.size()); });
}

crypto::Bytes bytesOf(kj::StringPtr text) { return text.asBytes(); }

// A directory in memory, or on the disk until the end of the test.
struct Disk {
  SystemEntropy entropy;
  kj::Own<kj::Filesystem> filesystem = kj::newDiskFilesystem();
  kj::Path path = kj::Path({"tmp", kj::str("hearth-store-", getpid(), "-", rand())});
  kj::Own<const kj::Directory> directory;
  kj::Own<DirectoryVfs> vfs;

  explicit Disk(bool inMemory = true) {
    directory = inMemory ? kj::Own<const kj::Directory>(kj::newInMemoryDirectory(kj::nullClock()))
                         : filesystem->getRoot().openSubdir(path, kj::WriteMode::CREATE);
    vfs = kj::heap<DirectoryVfs>(*directory, entropy, kj::nullClock());
  }
  ~Disk() noexcept(false) {
    vfs = nullptr;
    filesystem->getRoot().tryRemove(path);
  }
  Result<kj::Own<Database>> open(kj::byte key = 1) {
    return Database::open(*vfs, "hearth.db", keyOf(key));
  }
  kj::Array<kj::byte> file() const {
    return directory->openFile(kj::Path("hearth.db"))->readAllBytes();
  }
};

TEST_CASE("what was written is there after reopening, in memory and on disk") {
  auto inMemory = GENERATE(true, false);
  Disk disk(inMemory);
  { settings::set(*disk.open().value(), "name", bytesOf("watch")); }
  auto database = disk.open().value();
  REQUIRE(KJ_ASSERT_NONNULL(settings::get(*database, "name")) == bytesOf("watch"));
  REQUIRE(settings::get(*database, "other") == nullptr);
}

TEST_CASE("a wrong key is refused and nothing is overwritten") {
  Disk disk;
  { settings::set(*disk.open().value(), "name", bytesOf("watch")); }
  auto before = disk.file();
  REQUIRE(disk.open(2).error().code == Errc::DECRYPT_FAILED);
  REQUIRE(disk.file() == before);
  REQUIRE(disk.open().has_value());
}

TEST_CASE("a file that is no database is refused and nothing is overwritten") {
  Disk disk;
  auto garbage = kj::heapArray<kj::byte>(8192);
  memset(garbage.begin(), 'x', garbage.size());
  disk.directory->openFile(kj::Path("hearth.db"), kj::WriteMode::CREATE)->writeAll(garbage);
  REQUIRE(disk.open().error().code == Errc::DECRYPT_FAILED);
  REQUIRE(disk.file() == garbage);
}

TEST_CASE("a database of a newer Hearth is refused") {
  Disk disk;
  { disk.open().value()->execute("PRAGMA user_version = 99"); }
  REQUIRE(disk.open().error().code == Errc::BAD_VERSION);
}

TEST_CASE("nothing that was written can be read from the files") {
  Disk disk;
  constexpr kj::StringPtr PLANTED = "planted plaintext that nobody else writes"_kj;
  auto database = disk.open().value();
  settings::set(*database, PLANTED, PLANTED.asBytes());
  for (auto& name: disk.directory->listNames()) {
    auto content = disk.directory->openFile(kj::Path(name))->readAllBytes();
    std::string_view seen(content.asChars().begin(), content.size());
    REQUIRE(seen.find(PLANTED.cStr()) == std::string_view::npos);
  }
}

TEST_CASE("a changed row of the membership log is noticed") {
  Disk disk;
  auto database = disk.open().value();
  ops::append(*database, bytesOf("one"));
  ops::append(*database, bytesOf("two"));
  REQUIRE(ops::all(*database).value().size() == 2);
  database->execute("UPDATE ops SET envelope = x'00' WHERE i = 0");
  REQUIRE(ops::all(*database).error().code == Errc::INTEGRITY_FAILED);
}

TEST_CASE("a row that is missing from the middle of the log is noticed") {
  Disk disk;
  auto database = disk.open().value();
  for (auto text: {"one", "two", "three"}) ops::append(*database, bytesOf(text));
  database->execute("DELETE FROM ops WHERE i = 1");
  REQUIRE(ops::all(*database).error().code == Errc::INTEGRITY_FAILED);
}

TEST_CASE("handshake counters are reserved in blocks that never overlap") {
  Disk disk;
  uint64_t first, second;
  { first = counters::reserveInitCounters(*disk.open().value()); }
  { second = counters::reserveInitCounters(*disk.open().value()); }
  REQUIRE(first == 1);
  REQUIRE(second == first + counters::INIT_COUNTER_BLOCK);
}

TEST_CASE("accepted counters, peers and jobs are remembered") {
  Disk disk;
  auto database = disk.open().value();
  DeviceId device;
  device.bytes[0] = 7;
  counters::setAccepted(*database, device, 42);
  REQUIRE(counters::allAccepted(*database).at(device) == 42);
  peers::put(*database, {device, "watch", "watch", {"10.0.0.1:7000", "[::1]:7000"}, 9});
  auto peer = peers::all(*database).at(0);
  REQUIRE(peer.name == "watch");
  REQUIRE(peer.addresses == std::vector<std::string>{"10.0.0.1:7000", "[::1]:7000"});
  for (auto id: {"aa11", "ab22", "cc33"})
    jobs::put(*database, {id, id[0], kj::heapArray(bytesOf("record"))});
  REQUIRE(jobs::newest(*database, 2).size() == 2);
  REQUIRE(jobs::newest(*database, 1).at(0).id == "cc33");
  REQUIRE(jobs::find(*database, "a").size() == 2);
  REQUIRE(jobs::find(*database, "ab").at(0).id == "ab22");
}

TEST_CASE("writes that queue up share a commit") {
  Disk disk(false);
  UvLoop uv;
  auto store = newThreadStore(disk.open().value());
  kj::Vector<kj::Promise<void>> writes;
  for (int i = 0; i < 500; ++i) {
    writes.add(store->write([i](Database& db) { settings::set(db, kj::str(i), bytesOf("x")); }));
  }
  kj::joinPromises(writes.releaseAsArray()).wait(uv.waitScope);
  REQUIRE(store->commits() < 250);
}

TEST_CASE("a write that fails undoes itself alone") {
  Disk disk;
  UvLoop uv;
  auto store = newThreadStore(disk.open().value());
  auto good = store->write([](Database& db) { settings::set(db, "good", bytesOf("x")); });
  auto bad = store->write([](Database& db) {
    settings::set(db, "bad", bytesOf("x"));
    KJ_FAIL_REQUIRE("on purpose");
  });
  REQUIRE_THROWS_AS(bad.wait(uv.waitScope), kj::Exception);
  good.wait(uv.waitScope);
  auto found = store
                   ->read([](Database& db) {
                     return std::pair(
                         settings::get(db, "good") != nullptr, settings::get(db, "bad") != nullptr);
                   })
                   .wait(uv.waitScope);
  REQUIRE(found == std::pair(true, false));
}

TEST_CASE("the inline store keeps the same promises without a thread") {
  Disk disk;
  UvLoop uv;
  auto store = newInlineStore(disk.open().value());
  auto bad = store->write([](Database& db) {
    settings::set(db, "bad", bytesOf("x"));
    KJ_FAIL_REQUIRE("on purpose");
  });
  REQUIRE_THROWS_AS(bad.wait(uv.waitScope), kj::Exception);
  store->write([](Database& db) { settings::set(db, "good", bytesOf("x")); }).wait(uv.waitScope);
  REQUIRE(store->read([](Database& db) { return settings::get(db, "bad") == nullptr; })
          .wait(uv.waitScope));
}

// Writes rows for ever and says of each that it is acknowledged, until it is killed.
[[noreturn]] void writeUntilKilled(Disk& disk, int report) {
  UvLoop uv;
  auto store = newThreadStore(disk.open().value());
  for (uint32_t n = 0;; ++n) {
    store->write([n](Database& db) { settings::set(db, kj::str("row-", n), bytesOf("x")); })
        .wait(uv.waitScope);
    if (write(report, &n, sizeof(n)) != sizeof(n)) _exit(1);
  }
}

TEST_CASE("kill -9 at any moment loses nothing that was acknowledged") {
  auto round = GENERATE(range(0, 20));
  Disk disk(false);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  auto child = fork();
  if (child == 0) writeUntilKilled(disk, ends[1]);
  close(ends[1]);
  usleep(static_cast<useconds_t>(20'000 + round * 7'300));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  uint32_t acknowledged = 0, n = 0;
  while (read(ends[0], &n, sizeof(n)) == sizeof(n)) acknowledged = n + 1;
  close(ends[0]);
  auto database = disk.open().value();
  for (uint32_t i = 0; i < acknowledged; ++i)
    REQUIRE(settings::get(*database, kj::str("row-", i)) != nullptr);
  if (round > 5) REQUIRE(acknowledged > 0);  // the child did get to work before it was killed
}

}  // namespace
}  // namespace hearth::storage
