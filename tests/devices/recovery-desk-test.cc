// What a device does with the ops by which whoever holds the recovery key begins its circle anew.

#include "devices/node/recovering.h"
#include "tests/devices/device-on-disk.h"

namespace hearth::devices {
namespace {

// The only admin of a circle, with its database on a disk that may be full, and the desk's caller, a
// fresh device with the right recovery key.
struct Desk final: DeviceOnDisk, CircleKeeper::Observer {
  crypto::RecoveryKeys next = crypto::RecoveryKeys::fromSeed(crypto::RecoverySeed::draw(entropy));
  kj::Own<const kj::Directory> freshKeys = kj::newInMemoryDirectory(kj::nullClock());
  Identity fresh = Identity::create(*freshKeys, root, entropy, 0);
  crypto::EphemeralGuard guard{[]() {}};

  storage::Store store{executor, home.open()};
  kj::Own<CircleKeeper> keeper = keeperOf(stored(store), store, *this);
  int changes = 0;

  size_t opsOnDisk() { return stored(store).ops.size(); }

  // The new beginning, upon the keeper's log.
  std::vector<crypto::SealedOp> newBeginning() {
    crypto::MembershipLog log(keeper->log().circle());
    for (auto envelope: keeper->log().envelopes()) REQUIRE(log.add(envelope).has_value());
    return beginAnew(log, {recovery, next}, fresh, 1, entropy).value();
  }

  // Says `ops` to the desk. Whether the desk has answered that it took them.
  bool push(const std::vector<crypto::SealedOp>& ops) {
    auto pipe = kj::newTwoWayPipe();
    transport::Carrier own(kj::mv(pipe.ends[0]));
    auto answering = answer(kj::mv(pipe.ends[1])).eagerlyEvaluate(nullptr);
    crypto::RecoveryCaller caller({recovery, fresh.keys, fresh.bundle}, entropy, guard);
    own.write(caller.hello()).wait(uv.waitScope);
    for (;;) {
      auto came = own.read(crypto::DATA_BYTES_MAX)
                      .then([](auto read) { return kj::mv(*read); })
                      .then(
                          [](transport::Record read) -> kj::Maybe<transport::Record> {
                            return kj::mv(read);
                          },
                          [](kj::Exception&&) -> kj::Maybe<transport::Record> { return nullptr; })
                      .wait(uv.waitScope);
      if (came == nullptr) return false;
      auto& read = KJ_ASSERT_NONNULL(came);
      auto effects = caller.take(read.type, read.body).value();
      for (auto& out: effects.send) own.write(kj::mv(out)).wait(uv.waitScope);
      if (effects.taken) {
        answering.wait(uv.waitScope);
        return true;
      }
      if (effects.log == nullptr) continue;
      beforeOps();
      kj::Vector<kj::byte> messages;
      for (auto& op: ops) messages.addAll(crypto::writeMessage(3, crypto::view(op.envelope)));
      for (auto& out: caller.push(messages)) own.write(kj::mv(out)).wait(uv.waitScope);
    }
  }
  kj::Function<void()> beforeOps = []() {};

 private:
  kj::Promise<void> answer(kj::Own<kj::AsyncIoStream> stream) {
    transport::Carrier carrier(kj::mv(stream));
    auto record = co_await carrier.read(crypto::DATA_BYTES_MAX);
    co_await keeper->answerRecovery(carrier, kj::mv(record->body), guard);
  }
  void circleChanged() override { ++changes; }
  void remembered() override {}
  void heartbeatCame() override {}
};

TEST_CASE("a new beginning of the circle is on disk when its author hears that it is taken") {
  Desk desk;
  auto before = desk.opsOnDisk();
  REQUIRE(desk.push(desk.newBeginning()));
  REQUIRE(desk.opsOnDisk() == before + 2);
  REQUIRE(desk.changes == 1);
  REQUIRE_FALSE(desk.keeper->isActive(desk.identity.keys.id));
}

TEST_CASE("a new beginning of which one op is refused is stored and told as far as it was taken") {
  Desk desk;
  auto before = desk.opsOnDisk();
  auto ops = desk.newBeginning();
  ops[1].envelope.back() ^= 1;  // its signature
  REQUIRE_FALSE(desk.push(ops));
  REQUIRE(desk.keeper->log().size() == before + 1);
  REQUIRE(desk.opsOnDisk() == before + 1);
  REQUIRE(desk.changes == 1);
}

TEST_CASE(
    "a new beginning that the disk refuses is told to others, stored later and not answered") {
  Desk desk;
  auto before = desk.opsOnDisk();
  auto ops = desk.newBeginning();
  desk.beforeOps = [&]() { desk.disk.full = true; };
  auto refused = desk.disk.refused;
  REQUIRE_FALSE(desk.push(ops));
  REQUIRE(desk.disk.refused > refused);
  REQUIRE(desk.changes == 1);
  desk.disk.full = false;
  REQUIRE(desk.opsOnDisk() == before);
  desk.timer.advanceTo(desk.timer.now() + OpsOnDisk::STORE_AGAIN_AFTER);
  desk.uv.waitScope.poll();
  REQUIRE(desk.opsOnDisk() == before + 2);
}

}  // namespace
}  // namespace hearth::devices
