#include "devices/node/pairing.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

using transport::Carrier;
using transport::Record;

// A handshake's records are small, t2 and t4 are DATA records.
kj::Promise<Result<Record>> nextRecord(Carrier& carrier) {
  return carrier.read(crypto::DATA_BYTES_MAX);
}

kj::Promise<void> sendAll(Carrier& carrier, kj::Vector<crypto::Buffer> records) {
  for (auto& record: records) co_await carrier.write(kj::mv(record));
}

struct Attempt {
  Result<crypto::PairingJoiner::Joined> outcome;
  bool countsAsTry = false;
};

kj::Promise<Attempt> attemptAsJoiner(kj::Own<kj::AsyncIoStream> stream,
    const crypto::PairingJoiner::Setup& setup, Entropy& entropy, crypto::EphemeralGuard& guard) {
  Carrier carrier(kj::mv(stream));
  crypto::PairingJoiner machine(
      {.keys = setup.keys, .bundle = setup.bundle, .code = setup.code}, entropy, guard);
  kj::Maybe<kj::Exception> cut;
  try {
    for (;;) {
      auto record = co_await nextRecord(carrier);
      if (!record) co_return Attempt{no(record.error()), machine.countsAsTry()};
      auto effects = machine.take(record->type, record->body);
      if (!effects) co_return Attempt{no(effects.error()), machine.countsAsTry()};
      co_await sendAll(carrier, kj::mv(effects->send));
      KJ_IF_MAYBE(joined, effects->joined) co_return Attempt{kj::mv(*joined), false};
    }
  } catch (const kj::Exception& e) {
    KJ_LOG(INFO, "a pairing was cut off", e.getDescription());
  }
  co_return Attempt{no(Errc::PAIRING_CLOSED, "the admin went away"), machine.countsAsTry()};
}

kj::Promise<Result<crypto::PairingJoiner::Joined>> waitForAdminAnyTime(kj::Timer& timer,
    kj::ConnectionReceiver& receiver, const crypto::PairingJoiner::Setup& setup, Entropy& entropy,
    crypto::EphemeralGuard& guard, kj::Function<kj::Promise<bool>()> onTry) {
  constexpr kj::Duration ONE_ATTEMPT = 30 * kj::SECONDS;
  for (;;) {
    auto stream = co_await receiver.accept();
    auto attempt = co_await attemptAsJoiner(kj::mv(stream), setup, entropy, guard)
                       .exclusiveJoin(timer.afterDelay(ONE_ATTEMPT).then([]() {
                         return Attempt{no(Errc::PAIRING_CLOSED, "the admin was too slow"), false};
                       }));
    if (attempt.outcome) co_return kj::mv(attempt.outcome);
    if (attempt.countsAsTry && !co_await onTry())
      co_return no(Errc::PAIRING_LOCKED, "three wrong codes: pairing is locked for ten minutes");
  }
}

kj::Promise<Result<crypto::Bundle>> pairUnhurried(kj::Own<kj::AsyncIoStream> stream,
    crypto::PairingAdmin::Setup setup, Entropy& entropy, crypto::EphemeralGuard& guard,
    Consider consider) {
  Carrier carrier(kj::mv(stream));
  crypto::PairingAdmin machine(kj::mv(setup), entropy, guard);
  co_await carrier.write(machine.hello());
  for (;;) {
    Result<Record> record = no(Errc::DECRYPT_FAILED, "the code was wrong, or the device went away");
    try {
      record = co_await nextRecord(carrier);
    } catch (const kj::Exception& e) {
      // The other side closes without a word when the code does not fit.
      if (e.getType() != kj::Exception::Type::DISCONNECTED) throw;
    }
    if (!record) co_return no(record.error());
    auto effects = machine.take(record->type, record->body);
    if (!effects) co_return no(effects.error());
    co_await sendAll(carrier, kj::mv(effects->send));
    KJ_IF_MAYBE(candidate, effects->candidate) {
      auto welcome = co_await consider(*candidate);
      if (!welcome) co_return no(welcome.error());
      co_await sendAll(carrier, machine.welcome(welcome->log, welcome->hints));
      co_return candidate->bundle;
    }
  }
}

}  // namespace

kj::Promise<Result<crypto::PairingJoiner::Joined>> waitForAdmin(kj::Timer& timer,
    kj::ConnectionReceiver& receiver, const crypto::PairingJoiner::Setup& setup, Entropy& entropy,
    crypto::EphemeralGuard& guard, kj::Function<kj::Promise<bool>()> onTry) {
  auto closed = timer.afterDelay(PAIRING_WINDOW).then([]() {
    return Result<crypto::PairingJoiner::Joined>(
        no(Errc::PAIRING_CLOSED, "nobody paired within two minutes: run hearth join again"));
  });
  return waitForAdminAnyTime(timer, receiver, setup, entropy, guard, kj::mv(onTry))
      .exclusiveJoin(kj::mv(closed));
}

kj::Promise<Result<crypto::Bundle>> pairAsAdmin(kj::Timer& timer, kj::Own<kj::AsyncIoStream> stream,
    crypto::PairingAdmin::Setup setup, Entropy& entropy, crypto::EphemeralGuard& guard,
    Consider consider) {
  auto closed = timer.afterDelay(PAIRING_WINDOW).then([]() {
    return Result<crypto::Bundle>(no(Errc::PAIRING_CLOSED, "the new device did not answer"));
  });
  return pairUnhurried(kj::mv(stream), kj::mv(setup), entropy, guard, kj::mv(consider))
      .exclusiveJoin(kj::mv(closed));
}

}  // namespace hearth::devices
