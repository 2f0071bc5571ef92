#include "devices/node/inviter.h"

#include "crypto/identity/display.h"

#include <kj/debug.h>

namespace hearth::devices {

// What people and the circle decide while a device is brought in.
class Inviter::Host final: public PairingHost {
 public:
  Host(Inviter& inviter, PairingPerson& person, StoredLock& lock)
      : inviter(inviter),
        person(person),
        lock(lock) {}

  kj::Promise<bool> compare(const crypto::Sas& sas) override { return person.compare(sas); }
  kj::Promise<Result<Welcome>> consider(const crypto::PairingAdmin::Candidate& candidate) override {
    return inviter.welcome(candidate, person, waits);
  }
  bool waitsForOthers() const override { return waits; }
  kj::Promise<void> guessed() override { return lock.fail().ignoreResult(); }

 private:
  Inviter& inviter;
  PairingPerson& person;
  StoredLock& lock;
  bool waits = false;
};

kj::Promise<Result<DeviceId>> Inviter::bringIn(crypto::PairingMeans means,
    std::vector<std::string> addresses, crypto::Role role, PairingPerson& person) {
  if (around.keeper.ownRole() != crypto::Role::ADMIN)
    co_return no(Errc::NOT_AUTHORISED, "this device is no admin: pair from one that is");
  co_await readLock();
  auto& lock = *KJ_ASSERT_NONNULL(storedLock);
  if (auto admitted = lock.admit(); !admitted) co_return no(admitted.error());
  auto connected = co_await connectAny(kj::mv(addresses));
  if (connected == nullptr)
    co_return no(Errc::PAIRING_CLOSED, "nobody waits there: run hearth join on the new device");
  auto genesis = around.keeper.log().envelopes().front();
  crypto::PairingAdmin::Setup setup{.keys = around.identity.keys,
      .bundle = around.identity.bundle,
      .circle = around.keeper.log().circle(),
      .genesis = kj::heapArray<kj::byte>(genesis),
      .role = role,
      .means = kj::mv(means)};
  Host host(*this, person, lock);
  auto paired = co_await pairAsAdmin(around.timer, kj::mv(KJ_ASSERT_NONNULL(connected)),
      kj::mv(setup), around.entropy, around.guard, host);
  if (!paired) co_return no(paired.error());
  co_await lock.succeed();
  co_return paired->id();
}

// Two may be brought in at once; both count on one lock.
kj::Promise<void> Inviter::readLock() {
  if (storedLock != nullptr) co_return;
  auto read = co_await StoredLock::read(around.store, around.timer);
  if (storedLock == nullptr) storedLock = kj::heap(kj::mv(read));
}

kj::Promise<kj::Maybe<kj::Own<kj::AsyncIoStream>>> Inviter::connectAny(
    std::vector<std::string> addresses) {
  for (auto& text: addresses) {
    auto address = co_await around.network.parseAddress(text.c_str());
    try {
      co_return co_await around.timer.timeoutAfter(CONNECT_WITHIN, address->connect());
    } catch (const kj::Exception& e) {
      bool goesOn = e.getType() == kj::Exception::Type::DISCONNECTED ||
          e.getType() == kj::Exception::Type::OVERLOADED;  // took too long
      if (!goesOn) throw;
    }
  }
  co_return nullptr;
}

// Whoever went away before the other admin had agreed comes back as what it is by now.
bool Inviter::isMember(const crypto::PairingAdmin::Candidate& candidate) const {
  return around.keeper.state()
      .find(candidate.bundle.id())
      .map([&](auto& member) { return member.isActive() && member.role == candidate.role; })
      .orDefault(false);
}

kj::Promise<Result<void>> Inviter::add(
    const crypto::PairingAdmin::Candidate& candidate, PairingPerson& person, bool& waits) {
  auto copy = [](crypto::Bytes bytes) { return std::vector<kj::byte>(bytes.begin(), bytes.end()); };
  auto change = co_await around.desk.bringIn({.bundleEnvelope = copy(candidate.bundleEnvelope),
      .role = candidate.role,
      .joinEnvelope = copy(candidate.joinEnvelope)});
  if (!change) co_return no(change.error());
  KJ_IF_MAYBE(pending, *change) {
    waits = true;
    person.waits(*pending);
    co_return co_await around.desk.settled(*pending);
  }
  co_return Result<void>();
}

kj::Promise<Result<Welcome>> Inviter::welcome(
    const crypto::PairingAdmin::Candidate& candidate, PairingPerson& person, bool& waits) {
  DeviceView view{.id = candidate.bundle.id(),
      .name = crypto::displayShort(candidate.bundle.id()).cStr(),
      .role = candidate.role};
  if (!co_await person.confirm(view))
    co_return no(Errc::POLICY_DENIED, "the new device was not confirmed");
  if (!isMember(candidate)) {
    auto added = co_await add(candidate, person, waits);
    if (!added) co_return no(added.error());
  }
  Welcome welcome{.log = crypto::encodeLog(around.keeper.log())};
  auto hint = [&](const DeviceId& id, const std::vector<std::string>& addresses) {
    for (auto& address: addresses) {
      if (welcome.hints.size() < crypto::PAIRING_HINTS_MAX)
        welcome.hints.add(crypto::PairHint{id, kj::str(address.c_str())});
    }
  };
  hint(around.keeper.selfId(), around.places.configured());
  for (auto& row: around.fleet.everyone()) {
    if (around.keeper.isActive(row.device)) hint(row.device, row.addresses);
  }
  co_return kj::mv(welcome);
}

}  // namespace hearth::devices
