#pragma once
// What waits for the signature of a second admin, on the device that asks and on those that are asked: a
// machine without disk or wire (cosigning.h carries it). Everything in it is bounded, and ends by itself.
//
//   asking:  ask() ──▶ answered() by each other admin ──▶ settle() once the circle says so, or never will
//   asked:   asked(all that an admin asks now) ──▶ answer() by the user ──▶ mayCosign(the op)
//
// Kept over restarts in the setting "proposals":
//   u8 1 | list8<var16 proposal, u32 left_s, list8<b[32] admin, u8 agrees>>       asked by this device
//        | list8<var16 proposal, u32 left_s, u8 answer, u8 signatures>            by others

#include "crypto/membership/proposal.h"

#include <kj/time.h>

namespace hearth::devices {

class Proposals final {
 public:
  static constexpr size_t OWN_MAX = 4;
  static constexpr size_t OF_ADMIN_MAX = 4;
  static constexpr size_t OF_OTHERS_MAX = 16;
  // A body is signed anew when the log has grown since, but not for ever.
  static constexpr uint8_t SIGNATURES_MAX = 8;
  static constexpr kj::Duration LIVES = 7 * kj::DAYS;  // of the time that this device runs

  enum class Answer : uint8_t { NONE, AGREES, REFUSES };

  struct Own {
    crypto::Proposal proposal;
    kj::TimePoint until;
    std::map<DeviceId, bool> answers;  // whether that admin agrees
  };
  struct OfOther {
    crypto::Proposal proposal;
    kj::TimePoint until;
    Answer answer = Answer::NONE;
    uint8_t signatures = 0;
  };

  explicit Proposals(const DeviceId& self): self(self) {}

  crypto::Buffer encode(kj::TimePoint now) const;
  // What a device of other keys had asked before counts no more. Errors: BAD_FORMAT.
  static Result<Proposals> decode(const DeviceId& self, crypto::Bytes bytes, kj::TimePoint now);

  // The same question twice is one.
  // Errors: LIMIT_EXCEEDED; those of Proposal::checkIn.
  Result<crypto::ProposalId> ask(const crypto::MembershipLog& log, crypto::Payload payload,
      const crypto::ProposalNonce& nonce, kj::TimePoint now);
  // What this device asks, to be told to each other admin.
  std::vector<crypto::Buffer> open() const;
  // Of an admin whom this device asks. Errors: UNKNOWN_PEER when there is nothing to answer. Whether it is
  // otherwise than before.
  Result<bool> answered(const DeviceId& admin, const crypto::ProposalId& id, bool agrees);
  void takeBack(const crypto::ProposalId& id) { own.erase(id); }

  // All that an admin asks now. What is no proposal of its own, and what is too much, is left out. Whether
  // anything is otherwise than before.
  bool asked(const DeviceId& admin, const std::vector<crypto::Bytes>& open, kj::TimePoint now);
  // By the user of this device. Errors: UNKNOWN_PEER; those of Proposal::checkIn.
  Result<void> answer(const crypto::MembershipLog& log, const crypto::ProposalId& id, bool agrees);
  // Whether this device signs the op for that admin, which counts as one signature.
  // Errors: NOT_AUTHORISED when the user has not agreed to it; LIMIT_EXCEEDED; those of wouldApply.
  Result<void> mayCosign(const crypto::MembershipLog& log, const crypto::EpochKeys& epochs,
      const DeviceId& admin, const crypto::ProposalId& id, const crypto::Op& op);

  // Lets go of what is over: its time, its admin's part in the circle, or what could still come of it.
  // Gives the own ones among them.
  std::vector<crypto::ProposalId> settle(const crypto::MembershipLog& log, kj::TimePoint now);

  const std::map<crypto::ProposalId, Own>& ofSelf() const { return own; }
  const std::map<crypto::ProposalId, OfOther>& ofOthers() const { return others; }
  bool empty() const { return own.empty() && others.empty(); }

 private:
  DeviceId self;
  std::map<crypto::ProposalId, Own> own;
  std::map<crypto::ProposalId, OfOther> others;

  size_t countOf(const DeviceId& admin) const;
  bool isOver(const crypto::MembershipLog& log, const Own& asked, kj::TimePoint now) const;
};

// What a user means by an id, or the beginning of one. One that fits two means neither: an admin may choose
// what it asks so that its id begins like another one's.
// Errors: BAD_FORMAT for less than four digits, and for what fits several; UNKNOWN_PEER.
Result<crypto::ProposalId> meant(
    const std::vector<crypto::ProposalId>& waiting, const std::string& wanted);

// The other admins that have a part in the circle now.
std::vector<DeviceId> otherAdmins(const crypto::CircleState& state, const DeviceId& self);

// Whether what the payload says is so now; of a policy, whether one of its version is in force.
bool isDone(const crypto::CircleState& state, const crypto::Payload& payload);
// Whom it is about; nobody for what is about all.
DeviceId targetOf(const crypto::Payload& payload);

}  // namespace hearth::devices
