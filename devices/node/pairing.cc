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

// A time by which something is to be over, unless it is put off.
class Deadline {
 public:
  Deadline(kj::Timer& timer, kj::Duration from): timer(timer), until(timer.now() + from) {}
  void putOff(kj::Duration from) { until = kj::max(until, timer.now() + from); }
  kj::Promise<void> passed() {
    while (timer.now() < until) co_await timer.atTime(until);
  }

 private:
  kj::Timer& timer;
  kj::TimePoint until;
};

struct Attempt {
  Result<crypto::PairingJoiner::Joined> outcome;
  bool countsAsTry = false;
};

kj::Promise<Attempt> attemptAsJoiner(kj::Own<kj::AsyncIoStream> stream,
    crypto::PairingJoiner::Setup setup, Entropy& entropy, crypto::EphemeralGuard& guard,
    JoiningPerson& person, kj::Function<void()> waits) {
  Carrier carrier(kj::mv(stream));
  crypto::PairingJoiner machine(kj::mv(setup), entropy, guard);
  bool told = false;
  try {
    for (;;) {
      auto record = co_await nextRecord(carrier);
      if (!record) co_return Attempt{no(record.error()), machine.countsAsTry()};
      auto effects = machine.take(record->type, record->body);
      if (!effects) co_return Attempt{no(effects.error()), machine.countsAsTry()};
      co_await sendAll(carrier, kj::mv(effects->send));
      if (effects->waits != nullptr) waits();
      if (effects->waits == crypto::PairWait::OTHER_ADMIN && !told) {
        told = true;
        person.waits();
      }
      KJ_IF_MAYBE(joined, effects->joined) co_return Attempt{kj::mv(*joined), false};
      KJ_IF_MAYBE(sas, effects->sas) {
        auto compared = machine.compare(co_await person.compare(*sas));
        if (!compared) co_return Attempt{no(compared.error()), machine.countsAsTry()};
        co_await sendAll(carrier, kj::mv(compared->send));
      }
    }
  } catch (const kj::Exception& e) {
    KJ_LOG(INFO, "a pairing was cut off", e.getDescription());
  }
  co_return Attempt{no(Errc::PAIRING_CLOSED, "the admin went away"), machine.countsAsTry()};
}

// People need their time to compare pictures, machines do not to prove a secret.
kj::Duration limitOf(const crypto::PairingMeans& means) {
  constexpr kj::Duration ONE_ATTEMPT = 30 * kj::SECONDS;
  bool compares = crypto::methodOf(means) == crypto::PairMethod::SAS;
  return compares ? PAIRING_WINDOW : ONE_ATTEMPT;
}

kj::Promise<Result<crypto::PairingJoiner::Joined>> waitForAdminAnyTime(kj::Timer& timer,
    kj::ConnectionReceiver& receiver, const crypto::DeviceKeys& keys, const crypto::Bundle& bundle,
    Entropy& entropy, crypto::EphemeralGuard& guard, JoiningPerson& person, StoredLock& lock,
    Deadline& window) {
  for (;;) {
    auto& means = person.show();
    auto stream = co_await receiver.accept();
    Deadline limit(timer, limitOf(means));
    auto waits = [&]() {
      limit.putOff(PAIRING_WAITED_FOR);
      window.putOff(PAIRING_WAITED_FOR);
    };
    auto attempt = co_await attemptAsJoiner(
        kj::mv(stream), {keys, bundle, means}, entropy, guard, person, waits)
                       .exclusiveJoin(limit.passed().then([]() {
                         return Attempt{no(Errc::PAIRING_CLOSED, "the admin was too slow"), false};
                       }));
    if (attempt.outcome) co_return kj::mv(attempt.outcome);
    if (!attempt.countsAsTry) continue;
    person.guessed();
    if (co_await lock.fail())
      co_return no(Errc::PAIRING_LOCKED, "three wrong codes: pairing is locked for ten minutes");
  }
}

// The candidate is told to wait while it is considered.
kj::Promise<Result<Welcome>> considered(kj::Timer& timer, Carrier& carrier,
    crypto::PairingAdmin& machine, const crypto::PairingAdmin::Candidate& candidate,
    PairingHost& host, Deadline& limit) {
  kj::Maybe<Result<Welcome>> decided;
  auto deciding = host.consider(candidate)
                      .then([&](Result<Welcome> welcome) { decided = kj::mv(welcome); })
                      .fork();
  while (decided == nullptr) {
    co_await deciding.addBranch().exclusiveJoin(timer.afterDelay(PAIRING_WAIT_EVERY));
    if (decided != nullptr) break;
    limit.putOff(PAIRING_WAITED_FOR);
    auto why = host.waitsForOthers() ? crypto::PairWait::OTHER_ADMIN : crypto::PairWait::USER;
    co_await sendAll(carrier, machine.wait(why));
  }
  co_return kj::mv(KJ_ASSERT_NONNULL(decided));
}

// What the record that came next leads to; the candidate's bundle once it is welcome.
kj::Promise<Result<kj::Maybe<crypto::Bundle>>> answer(kj::Timer& timer, Carrier& carrier,
    crypto::PairingAdmin& machine, crypto::PairingAdmin::Effects effects, PairingHost& host,
    Deadline& limit) {
  co_await sendAll(carrier, kj::mv(effects.send));
  KJ_IF_MAYBE(sas, effects.sas) {
    auto compared = machine.compare(co_await host.compare(*sas));
    if (!compared) co_return no(compared.error());
    co_await sendAll(carrier, kj::mv(compared->send));
  }
  KJ_IF_MAYBE(candidate, effects.candidate) {
    auto welcome = co_await considered(timer, carrier, machine, *candidate, host, limit);
    if (!welcome) co_return no(welcome.error());
    co_await sendAll(carrier, machine.welcome(welcome->log, welcome->hints));
    co_return kj::Maybe<crypto::Bundle>(candidate->bundle);
  }
  co_return kj::Maybe<crypto::Bundle>(nullptr);
}

kj::Promise<Result<crypto::Bundle>> attemptAsAdmin(kj::Timer& timer, Carrier& carrier,
    crypto::PairingAdmin& machine, PairingHost& host, Deadline& limit) {
  co_await carrier.write(machine.hello());
  for (;;) {
    auto record = co_await nextRecord(carrier);
    if (!record) co_return no(record.error());
    auto effects = machine.take(record->type, record->body);
    if (!effects) co_return no(effects.error());
    auto answered = co_await answer(timer, carrier, machine, kj::mv(*effects), host, limit);
    if (!answered) co_return no(answered.error());
    KJ_IF_MAYBE(bundle, *answered) co_return *bundle;
  }
}

kj::Promise<Result<crypto::Bundle>> pairUnhurried(kj::Timer& timer,
    kj::Own<kj::AsyncIoStream> stream, crypto::PairingAdmin::Setup setup, Entropy& entropy,
    crypto::EphemeralGuard& guard, PairingHost& host, Deadline& limit) {
  Carrier carrier(kj::mv(stream));
  crypto::PairingAdmin machine(kj::mv(setup), entropy, guard);
  Result<crypto::Bundle> paired =
      no(Errc::DECRYPT_FAILED, "the code was wrong, or the device went away");
  try {
    paired = co_await attemptAsAdmin(timer, carrier, machine, host, limit);
  } catch (const kj::Exception& e) {
    // The other side closes without a word when the code does not fit, and may have closed while this
    // one writes: a guess all the same.
    if (e.getType() != kj::Exception::Type::DISCONNECTED) throw;
    if (host.waitsForOthers())
      paired = no(Errc::PAIRING_CLOSED,
          "the new device went away: once the other admin has agreed, run hearth join there and "
          "hearth pair here again");
  }
  if (!paired && machine.countsAsTry()) co_await host.guessed();
  co_return paired;
}

}  // namespace

kj::Promise<Result<crypto::PairingJoiner::Joined>> waitForAdmin(kj::Timer& timer,
    kj::ConnectionReceiver& receiver, const crypto::DeviceKeys& keys, const crypto::Bundle& bundle,
    Entropy& entropy, crypto::EphemeralGuard& guard, JoiningPerson& person, StoredLock& lock) {
  Deadline window(timer, PAIRING_WINDOW);
  auto closed = window.passed().then([]() {
    return Result<crypto::PairingJoiner::Joined>(
        no(Errc::PAIRING_CLOSED, "nobody paired within two minutes: run hearth join again"));
  });
  co_return co_await waitForAdminAnyTime(
      timer, receiver, keys, bundle, entropy, guard, person, lock, window)
      .exclusiveJoin(kj::mv(closed));
}

kj::Promise<Result<crypto::Bundle>> pairAsAdmin(kj::Timer& timer, kj::Own<kj::AsyncIoStream> stream,
    crypto::PairingAdmin::Setup setup, Entropy& entropy, crypto::EphemeralGuard& guard,
    PairingHost& host) {
  Deadline limit(timer, PAIRING_WINDOW);
  auto closed = limit.passed().then([]() {
    return Result<crypto::Bundle>(no(Errc::PAIRING_CLOSED, "the new device did not answer"));
  });
  co_return co_await pairUnhurried(
      timer, kj::mv(stream), kj::mv(setup), entropy, guard, host, limit)
      .exclusiveJoin(kj::mv(closed));
}

}  // namespace hearth::devices
