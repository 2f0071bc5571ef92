#pragma once
// Questions of one admin to another that are good in the circle of circle.h as its base knows it: the laptop
// asks, and the phone is asked.

#include "devices/node/proposals.h"
#include "tests/fuzz/circle.h"

namespace hearth::fuzz {

struct Questions {
  static constexpr size_t ASKED = 0, ASKING = 1, WATCH = 2, VAULT = 3, STRANGER = 4;

  std::vector<Payload> payloads;

  Questions() {
    auto& circle = Circle::get();
    payloads.push_back(SetRolePayload{circle.devices[WATCH].id, Role::ADMIN});
    payloads.push_back(SetRolePayload{circle.devices[VAULT].id, Role::ADMIN});
    auto& keys = circle.devices[STRANGER];
    auto& bundle = circle.bundles[STRANGER];
    Join join{circle.log().circle(), bundle.hash(), circle.devices[ASKING].id, Role::ADMIN};
    payloads.push_back(AddPayload{.bundleEnvelope = copyOf(bundle.seal(keys)),
        .role = Role::ADMIN,
        .joinEnvelope = copyOf(join.seal(keys))});
    Policy policy{.staleDays = 14, .plugins = {Digest()}};
    payloads.push_back(inTheClear(1, policy.encode()));
    payloads.push_back(MinSuitePayload{1});
  }

  static std::vector<kj::byte> copyOf(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

  const Payload& payload(size_t which) const { return payloads[which % payloads.size()]; }
  Proposal proposal(size_t which, const DeviceId& author) const {
    ProposalNonce nonce;
    nonce.bytes[0] = static_cast<kj::byte>(which);
    return {Circle::get().log().circle(), author, nonce, payload(which)};
  }

  static const Questions& get() {
    static const Questions questions;
    return questions;
  }
};

}  // namespace hearth::fuzz
