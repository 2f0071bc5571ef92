// How long a QR code may be used, on a clock that the test moves.

#include "core/loop/executor.h"
#include "core/loop/uv-event-port.h"
#include "devices/node/pairing.h"
#include "tests/crypto/pairing-on-wire.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>
#include <deque>

namespace hearth::devices {
namespace {

// Gives out connections that the test has made.
class Door final: public kj::ConnectionReceiver {
 public:
  kj::Promise<kj::Own<kj::AsyncIoStream>> accept() override {
    auto paf = kj::newPromiseAndFulfiller<kj::Own<kj::AsyncIoStream>>();
    waiting = kj::mv(paf.fulfiller);
    return kj::mv(paf.promise);
  }
  kj::uint getPort() override { return 0; }

  kj::Own<kj::AsyncIoStream> knock() {
    auto pipe = kj::newTwoWayPipe();
    waiting->fulfill(kj::mv(pipe.ends[0]));
    return kj::mv(pipe.ends[1]);
  }

 private:
  kj::Own<kj::PromiseFulfiller<kj::Own<kj::AsyncIoStream>>> waiting;
};

// A new device that shows a fresh QR code for each attempt.
struct Showing final: public JoiningPerson {
  UvLoop uv;
  kj::TimerImpl timer{kj::origin<kj::TimePoint>()};
  crypto::Pairing parties{crypto::SasComparison{}, crypto::SasComparison{}};
  storage::Home home;
  InlineExecutor executor;
  storage::Store store{executor, home.open()};
  StoredLock lock = StoredLock::read(store, timer).wait(uv.waitScope);
  Door door;
  std::deque<crypto::PairingMeans> codes;  // the one that is shown comes last
  int guesses = 0;
  kj::Promise<Result<crypto::PairingJoiner::Joined>> joining = waitForAdmin(timer, door,
      parties.joinerKeys, parties.joinerBundle, parties.entropy, parties.guard, *this, lock)
                                                                   .eagerlyEvaluate(nullptr);

  const crypto::PairingMeans& show() override {
    codes.push_back(crypto::QrProof::draw(parties.joinerBundle, parties.entropy));
    return codes.back();
  }
  kj::Promise<bool> compare(const crypto::Sas&) override { return false; }
  void guessed() override { ++guesses; }
  void waits() override { KJ_UNREACHABLE; }

  // What an admin has read off the screen when `code` was shown.
  crypto::QrProof scanned(size_t code) {
    auto& proof = std::get<crypto::QrProof>(codes.at(code));
    return {proof.commitment, crypto::QrSecret::from(proof.secret.reveal()).value()};
  }
  void pass(kj::Duration span) {
    timer.advanceTo(timer.now() + span);
    settle();
  }
  void settle() {
    for (int i = 0; i < 50; ++i) uv.waitScope.poll();
  }

  // An admin that means the device of that code; whether it was proved right.
  bool calls(size_t code) {
    crypto::PairingAdmin admin(
        {parties.adminKeys, parties.adminBundle, parties.circle,
            kj::heapArray<kj::byte>(parties.genesis.asPtr()), crypto::Role::MEMBER, scanned(code)},
        parties.entropy, parties.guard);
    transport::Carrier carrier(door.knock());
    bool isProved = false;
    try {
      carrier.write(admin.hello()).wait(uv.waitScope);
      while (!isProved) {
        auto record = carrier.read(crypto::DATA_BYTES_MAX).wait(uv.waitScope);
        if (!record) break;
        auto effects = admin.take(record->type, record->body);
        if (!effects) break;
        for (auto& out: effects->send) carrier.write(kj::mv(out)).wait(uv.waitScope);
        isProved = effects->candidate != nullptr;
      }
    } catch (const kj::Exception&) {}
    settle();
    return isProved;
  }
};

TEST_CASE("T7: a QR code that was used, or tried in vain, is refused when it is used again") {
  Showing showing;
  showing.settle();
  REQUIRE(showing.codes.size() == 1);
  REQUIRE(showing.calls(0));  // proved; then the admin goes away
  showing.settle();
  REQUIRE(showing.codes.size() == 2);
  REQUIRE_FALSE(showing.calls(0));
  REQUIRE(showing.guesses == 1);
  REQUIRE(showing.codes.size() == 3);
  REQUIRE_FALSE(showing.calls(1));  // a wrong guess has used up the second one, too
  REQUIRE(showing.calls(3));
}

TEST_CASE("T7: after two minutes a QR code is no door any more") {
  Showing showing;
  showing.settle();
  showing.pass(PAIRING_WINDOW - 1 * kj::SECONDS);
  REQUIRE_FALSE(showing.joining.poll(showing.uv.waitScope));
  showing.pass(1 * kj::SECONDS);
  REQUIRE(showing.joining.poll(showing.uv.waitScope));
  auto outcome = showing.joining.wait(showing.uv.waitScope);
  REQUIRE(outcome.error().code == Errc::PAIRING_CLOSED);
}

}  // namespace
}  // namespace hearth::devices
