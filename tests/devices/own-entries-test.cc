// The operation log's part of the rollback anchor (SECURITY.md §10.4): a database that is put back under the
// anchor of a newer one writes no second entry under one number.

#include "devices/data/log-circle.h"
#include "devices/data/own-entries.h"
#include "tests/devices/anchored-machine.h"

namespace hearth::devices {
namespace {

using crypto::CollectionId;
using Database = std::map<std::string, std::string>;

const auto NOTES = CollectionId::from(kj::StringPtr("notes-and-so-on.").asBytes()).value();
const auto LETTERS = CollectionId::from(kj::StringPtr("letters.........").asBytes()).value();

// With an operation log, from its start to its end.
struct Machine: AnchoredMachine {
  struct Process {
    LogCircle circle;
    storage::Log log;
    OwnEntries own;

    explicit Process(Machine& of)
        : circle(*of.keeper, of.identity),
          log({kj::systemPreciseCalendarClock(), of.entropy, *of.store, circle}),
          own({of.timer, log, *of.keeper}) {
      REQUIRE(log.load().wait(of.uv.waitScope).has_value());
      own.begin();
    }
  };
  kj::Own<Process> process;
  int rotations = 0;

  Machine() { start(); }
  ~Machine() { process = nullptr; }
  void start() {
    process = nullptr;
    begin();
    process = kj::heap<Process>(*this);
  }
  void stop() {
    process = nullptr;
    end();
  }
  // The daemon is killed: nothing is written any more.
  void kill() {
    auto anchored = anchor();
    stop();
    putBackAnchor(anchored);
  }
  Result<void> append(const CollectionId& collection = NOTES) {
    storage::Content content{{1, 0, "topic"}, kj::heapArray<kj::byte>(3)};
    return process->log.append(collection, kj::mv(content)).wait(uv.waitScope);
  }
  void appendAll(int count) {
    for (int i = 0; i < count; ++i) REQUIRE(append().has_value());
  }
  std::vector<crypto::Buffer> entries() {
    auto& items = process->log.items(NOTES);
    std::vector<storage::ItemName> names;
    for (size_t i = 0; i < items.size(); ++i) names.push_back(items.at(i));
    return store
        ->read([&](storage::Database& db) {
          return storage::entries::envelopes(
              db, NOTES, kj::arrayPtr(names.data(), names.size()), 1 << 30);
        })
        .wait(uv.waitScope);
  }
  void takeAll(const std::vector<crypto::Buffer>& entries) {
    for (auto& entry: entries)
      REQUIRE(process->log.take(kj::heapArray<kj::byte>(entry), DeviceId())
              .wait(uv.waitScope)
              .has_value());
  }
  // There is somebody who could be asked.
  void bringIn(crypto::Device& other) {
    crypto::Join join{
        keeper->log().circle(), other.bundle.hash(), identity.keys.id, crypto::Role::MEMBER};
    auto copy = [](auto&& bytes) { return std::vector<kj::byte>(bytes.begin(), bytes.end()); };
    crypto::AddPayload add{.bundleEnvelope = copy(other.bundle.seal(other.keys)),
        .role = crypto::Role::MEMBER,
        .joinEnvelope = copy(join.seal(other.keys))};
    REQUIRE(keeper->say(kj::mv(add)).wait(uv.waitScope).has_value());
  }
  bool warns() { return !process->own.alarms().empty(); }
  void remembered() override { ++rotations; }
};

// A device that somebody else knows, put back to an older database under its newest anchor.
struct PutBack: Machine {
  crypto::Device friendly{9};
  std::vector<crypto::Buffer> written;

  PutBack() {
    bringIn(friendly);
    appendAll(2);
    stop();
    auto older = disk.contents();
    start();
    appendAll(3);
    pass(OwnEntries::ANCHORED_WITHIN);
    written = entries();
    stop();
    disk.restore(older);
    start();
  }
};

TEST_CASE(
    "an older database under the anchor of a newer one writes nothing in the log, and says so") {
  PutBack machine;
  REQUIRE(machine.process->log.ownMissing() == 3);
  REQUIRE(machine.append().error().code == Errc::ROLLBACK);
  REQUIRE(machine.warns());
  REQUIRE_FALSE(machine.keeper->hasForgotten());  // of the circle it knows all
}

TEST_CASE("a device that was put back writes on once others have told what it lacks") {
  PutBack machine;
  machine.process->own.peerUp();
  machine.takeAll(machine.written);
  REQUIRE_FALSE(machine.warns());
  REQUIRE(machine.append().has_value());
  machine.pass(OwnEntries::GIVEN_BACK_WITHIN);
  REQUIRE(machine.rotations == 0);
  auto newest = storage::Entry::read(kj::mv(machine.entries().back())).value();
  REQUIRE(newest.head.seq == 5);
}

TEST_CASE("a device that was put back writes on in collections of which nothing is gone") {
  PutBack machine;
  REQUIRE(machine.append(LETTERS).has_value());
}

TEST_CASE("what is gone stays in the anchor, whatever is written meanwhile") {
  PutBack machine;
  REQUIRE(machine.append(LETTERS).has_value());
  machine.pass(OwnEntries::ANCHORED_WITHIN);
  machine.write(1);
  machine.start();
  REQUIRE(machine.process->log.ownMissing() == 3);
  REQUIRE(machine.append().error().code == Errc::ROLLBACK);
}

TEST_CASE(
    "a device whose entries nobody has goes on under other keys, a minute after it has met others") {
  PutBack machine;
  machine.pass(OwnEntries::GIVEN_BACK_WITHIN);
  REQUIRE(machine.rotations == 0);  // it has met nobody
  machine.process->own.peerUp();
  machine.pass(OwnEntries::GIVEN_BACK_WITHIN - 1 * kj::SECONDS);
  REQUIRE(machine.rotations == 0);
  machine.pass(1 * kj::SECONDS);
  REQUIRE(machine.rotations == 1);
  REQUIRE(machine.keeper->hasForgotten());
}

TEST_CASE(
    "a device that is alone and was put back takes other keys at once: there is nobody to ask") {
  Machine machine;
  machine.appendAll(1);
  machine.stop();
  auto older = machine.disk.contents();
  machine.start();
  machine.appendAll(1);
  machine.stop();
  machine.disk.restore(older);
  machine.start();
  REQUIRE(machine.rotations == 1);
}

TEST_CASE("entries of a second share one anchor, and none of them waits for it") {
  Machine machine;
  auto before = machine.anchor();
  machine.appendAll(20);
  REQUIRE(machine.anchor() == before);
  machine.pass(OwnEntries::ANCHORED_WITHIN);
  auto after = Anchor::read(*machine.keys, machine.identity.storage).value();
  auto& anchor = KJ_REQUIRE_NONNULL(after);
  REQUIRE(anchor.entries.of.at(NOTES).rows == 20);
  machine.putBackAnchor(before);
  auto first = Anchor::read(*machine.keys, machine.identity.storage).value();
  REQUIRE(anchor.counter == KJ_REQUIRE_NONNULL(first).counter + 1);
}

TEST_CASE("a device that was killed before the anchor followed is not taken for an older one") {
  Machine machine;
  machine.appendAll(1);
  machine.pass(OwnEntries::ANCHORED_WITHIN);
  machine.appendAll(2);
  machine.kill();
  machine.start();
  REQUIRE(machine.process->log.ownMissing() == 0);
  REQUIRE(machine.append().has_value());
}

TEST_CASE("a device that ends in good order leaves the anchor as new as the database") {
  Machine machine;
  machine.appendAll(2);
  machine.stop();
  auto read = Anchor::read(*machine.keys, machine.identity.storage).value();
  REQUIRE(KJ_REQUIRE_NONNULL(read).entries.of.at(NOTES).rows == 2);
}

TEST_CASE("what a device wrote under former keys is not asked of it under others") {
  Machine machine;
  machine.appendAll(2);
  machine.stop();
  auto read = Anchor::read(*machine.keys, machine.identity.storage).value();
  auto& anchor = KJ_REQUIRE_NONNULL(read);
  anchor.entries.author = crypto::Device(3).keys.id;
  anchor.entries.of[NOTES].rows = 9;
  anchor.write(*machine.keys, machine.identity.storage);
  machine.start();
  REQUIRE(machine.process->log.ownMissing() == 0);
  REQUIRE(machine.append().has_value());
  machine.stop();
  read = Anchor::read(*machine.keys, machine.identity.storage).value();
  REQUIRE(KJ_REQUIRE_NONNULL(read).entries.of.at(NOTES).rows == 3);
}

TEST_CASE(
    "of more collections than an anchor has room for it holds those in which the device wrote last") {
  Machine machine;
  auto collection = [](size_t number) {
    kj::byte bytes[16] = {static_cast<kj::byte>(number >> 8), static_cast<kj::byte>(number)};
    return CollectionId::from(bytes).value();
  };
  for (size_t i = 0; i < Anchor::COLLECTIONS_MAX + 2; ++i)
    REQUIRE(machine.append(collection(i)).has_value());
  REQUIRE(machine.append(collection(0)).has_value());
  machine.stop();
  auto read = Anchor::read(*machine.keys, machine.identity.storage).value();
  auto& of = KJ_REQUIRE_NONNULL(read).entries.of;
  REQUIRE(of.size() == Anchor::COLLECTIONS_MAX);
  REQUIRE(of.contains(collection(0)));
  REQUIRE_FALSE(of.contains(collection(1)));
  REQUIRE_FALSE(of.contains(collection(2)));
}

TEST_CASE("a loss of power at any moment leaves no anchor that is ahead of the database") {
  for (int cut = 0; cut < 12; ++cut) {
    Machine machine;
    machine.appendAll(cut % 4 + 1);
    machine.pass(OwnEntries::ANCHORED_WITHIN);
    machine.appendAll(cut / 4);
    auto anchored = machine.anchor();
    auto left = machine.disk.afterPowerCut();
    machine.stop();
    machine.disk.restore(left);
    machine.putBackAnchor(anchored);
    machine.start();
    REQUIRE(machine.process->log.ownMissing() == 0);
  }
}

}  // namespace
}  // namespace hearth::devices
