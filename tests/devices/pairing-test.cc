#include "core/loop/uv-event-port.h"
#include "devices/node/pairing.h"
#include "tests/crypto/pairing-on-wire.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

// Nobody is ever brought in here.
class Nobody final: public PairingHost {
 public:
  int guesses = 0;

  kj::Promise<bool> compare(const crypto::Sas&) override { return false; }
  kj::Promise<Result<Welcome>> consider(const crypto::PairingAdmin::Candidate&) override {
    return Result<Welcome>(no(Errc::POLICY_DENIED, "nobody comes in"));
  }
  bool waitsForOthers() const override { return false; }
  kj::Promise<void> guessed() override {
    ++guesses;
    return kj::READY_NOW;
  }
};

// The new device's end of a pipe, whose reader goes away when it is told to.
struct Meeting {
  UvLoop uv;
  crypto::Pairing parties;
  Nobody host;
  kj::TwoWayPipe pipe = kj::newTwoWayPipe();
  kj::Promise<Result<crypto::Bundle>> pairing = pairAsAdmin(uv.timer(), kj::mv(pipe.ends[0]),
      {parties.adminKeys, parties.adminBundle, parties.circle,
          kj::heapArray<kj::byte>(parties.genesis), crypto::Role::MEMBER,
          crypto::codeOf("zoo zoo zoo zoo zoo zoo")},
      parties.entropy, parties.guard, host)
                                                    .eagerlyEvaluate(nullptr);

  // Answers so many of the admin's records.
  void answer(size_t records) {
    transport::Carrier carrier(kj::mv(pipe.ends[1]));
    for (size_t i = 0; i < records; ++i) {
      auto record = carrier.read(crypto::DATA_BYTES_MAX).wait(uv.waitScope).value();
      auto effects = parties.b().take(record.type, record.body).value();
      for (auto& reply: effects.send) carrier.write(kj::mv(reply)).wait(uv.waitScope);
    }
  }
};

TEST_CASE("a device that goes away before it could test a guess is an answer, and no try") {
  Meeting meeting;
  meeting.answer(0);
  auto paired = meeting.pairing.wait(meeting.uv.waitScope);
  REQUIRE(paired.error().code == Errc::DECRYPT_FAILED);
  REQUIRE(meeting.host.guesses == 0);
}

TEST_CASE("T6: a device that goes away while the admin still writes has had its guess") {
  Meeting meeting;
  meeting.answer(2);  // PAIR_HELLO and PAKE_A: the admin writes message 1 into a closed pipe
  auto paired = meeting.pairing.wait(meeting.uv.waitScope);
  REQUIRE(paired.error().code == Errc::DECRYPT_FAILED);
  REQUIRE(meeting.host.guesses == 1);
}

}  // namespace
}  // namespace hearth::devices
