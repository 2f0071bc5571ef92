#pragma once
// A circle of two admins, of whom one asks the other.

#include "devices/node/proposals.h"
#include "tests/crypto/small-circle.h"

namespace hearth::devices {

using crypto::Payload;
using crypto::Proposal;
using crypto::ProposalId;
using crypto::Role;

constexpr kj::TimePoint BEGINNING = kj::origin<kj::TimePoint>();

// Two admins and a member; the phone asks the laptop.
struct TwoAdmins: crypto::Circle {
  kj::TimePoint now = BEGINNING;

  explicit TwoAdmins(uint8_t minSuite = 1): Circle(minSuite) {
    phone.add(laptop, Role::ADMIN);
    phone.add(watch, Role::MEMBER);
    laptop.takeAll(phone);
  }

  Proposals asking{phone.keys.id}, asked{laptop.keys.id};

  Payload promotion() { return crypto::SetRolePayload{watch.keys.id, Role::ADMIN}; }
  Result<ProposalId> ask(Payload payload) {
    return asking.ask(
        *phone.log, kj::mv(payload), phone.entropy.draw<crypto::ProposalNonce>(), now);
  }
  ProposalId askAndTell(Payload payload) {
    auto id = ask(kj::mv(payload)).value();
    tell();
    return id;
  }
  void tell() {
    auto open = asking.open();
    asked.asked(phone.keys.id, std::vector<crypto::Bytes>(open.begin(), open.end()), now);
  }
  crypto::Op draft(const Payload& payload) {
    return crypto::draftChange(*phone.log, phone.keys.id, {laptop.keys.id}, payload, 1);
  }
  Result<void> mayCosign(const ProposalId& id, const crypto::Op& op) {
    return asked.mayCosign(*laptop.log, laptop.epochs, phone.keys.id, id, op);
  }
};

}  // namespace hearth::devices
