#include "devices/node/proposals.h"

#include "core/base/flat.h"
#include "crypto/membership/authority.h"

#include <kj/encoding.h>

#include <algorithm>
#include <utility>

namespace hearth::devices {

using crypto::Proposal;
using crypto::ProposalId;

namespace {

constexpr uint8_t VERSION = 1;

bool isActiveAdmin(const crypto::CircleState& state, const DeviceId& id) {
  return state.find(id)
      .map([](auto& m) { return m.isActive() && m.role == crypto::Role::ADMIN; })
      .orDefault(false);
}

void writeTerm(FlatWriter& out, const Proposal& proposal, kj::TimePoint until, kj::TimePoint now) {
  out.var16(proposal.encode());
  out.u32(static_cast<uint32_t>(kj::max(until - now, 0 * kj::SECONDS) / kj::SECONDS));
}

struct Term {
  Proposal proposal;
  kj::TimePoint until;
};

Result<Term> readTerm(FlatReader& in, kj::TimePoint now) {
  auto proposal = Proposal::decode(in.var16());
  auto left = static_cast<int64_t>(in.u32()) * kj::SECONDS;
  if (!proposal) return no(proposal.error());
  return Term{kj::mv(*proposal), now + kj::min(left, Proposals::LIVES)};
}

}  // namespace

std::vector<DeviceId> otherAdmins(const crypto::CircleState& state, const DeviceId& self) {
  std::vector<DeviceId> admins;
  for (auto& [id, member]: state.devices) {
    if (id != self && isActiveAdmin(state, id)) admins.push_back(id);
  }
  return admins;
}

Result<ProposalId> meant(const std::vector<ProposalId>& waiting, const std::string& wanted) {
  constexpr size_t DIGITS_MIN = 4;
  if (wanted.size() < DIGITS_MIN)
    return no(Errc::BAD_FORMAT, "give at least four digits of the id: hearth pending lists them");
  std::vector<ProposalId> found;
  for (auto& id: waiting) {
    if (kj::encodeHex(id.asBytes()).startsWith(wanted.c_str())) found.push_back(id);
  }
  if (found.empty())
    return no(Errc::UNKNOWN_PEER, "nothing of that id waits: hearth pending lists what does");
  if (found.size() > 1)
    return no(Errc::BAD_FORMAT, "two ids begin so: give more digits of the one that you mean");
  return found.front();
}

DeviceId targetOf(const crypto::Payload& payload) {
  if (auto* remove = std::get_if<crypto::RemovePayload>(&payload)) return remove->target;
  if (auto* set = std::get_if<crypto::SetRolePayload>(&payload)) return set->target;
  if (auto* back = std::get_if<crypto::ReinstatePayload>(&payload)) return back->target;
  KJ_IF_MAYBE(envelope, crypto::bundleEnvelopeIn(payload)) {
    if (auto bundle = crypto::Bundle::open(*envelope)) return bundle->id();
  }
  return DeviceId();
}

bool isDone(const crypto::CircleState& state, const crypto::Payload& payload) {
  if (auto* set = std::get_if<crypto::PolicySetPayload>(&payload))
    return state.policy.map([&](auto& p) { return p.version >= set->version; }).orDefault(false);
  if (auto* suite = std::get_if<crypto::MinSuitePayload>(&payload))
    return state.minSuite >= suite->suite;
  auto found = state.find(targetOf(payload));
  KJ_IF_MAYBE(member, found) {
    if (auto* set = std::get_if<crypto::SetRolePayload>(&payload)) return member->role == set->role;
    if (std::get_if<crypto::RemovePayload>(&payload))
      return member->status == crypto::MemberStatus::REMOVED;
    return member->isActive();
  }
  return false;
}

crypto::Buffer Proposals::encode(kj::TimePoint now) const {
  FlatWriter out;
  out.u8(VERSION).u8(static_cast<uint8_t>(own.size()));
  for (auto& [id, asked]: own) {
    writeTerm(out, asked.proposal, asked.until, now);
    out.u8(static_cast<uint8_t>(asked.answers.size()));
    for (auto& [admin, agrees]: asked.answers) out.bytes(admin.asBytes()).u8(agrees);
  }
  out.u8(static_cast<uint8_t>(others.size()));
  for (auto& [id, asked]: others) {
    writeTerm(out, asked.proposal, asked.until, now);
    out.u8(static_cast<uint8_t>(asked.answer)).u8(asked.signatures);
  }
  return out.finish();
}

Result<Proposals> Proposals::decode(const DeviceId& self, crypto::Bytes bytes, kj::TimePoint now) {
  FlatReader in(bytes);
  Proposals all(self);
  if (in.u8() != VERSION) in.refuse();
  auto ownCount = in.count8(OWN_MAX, 1);
  for (size_t i = 0; i < ownCount; ++i) {
    auto term = readTerm(in, now);
    if (!term) return no(term.error());
    Own asked{kj::mv(term->proposal), term->until, {}};
    auto answers = in.count8(crypto::ADMINS_MAX, DeviceId::SIZE + 1);
    for (size_t j = 0; j < answers; ++j) {
      auto admin = in.id<DeviceId>();
      asked.answers[admin] = in.u8() != 0;
    }
    if (asked.proposal.author == self) all.own.insert({asked.proposal.id(), kj::mv(asked)});
  }
  auto otherCount = in.count8(OF_OTHERS_MAX, 1);
  for (size_t i = 0; i < otherCount; ++i) {
    auto term = readTerm(in, now);
    if (!term) return no(term.error());
    OfOther asked{kj::mv(term->proposal), term->until};
    auto answer = in.u8();
    if (answer > static_cast<uint8_t>(Answer::REFUSES)) in.refuse();
    asked.answer = static_cast<Answer>(answer);
    asked.signatures = in.u8();
    if (asked.signatures > SIGNATURES_MAX || all.countOf(asked.proposal.author) >= OF_ADMIN_MAX)
      in.refuse();
    all.others.insert({asked.proposal.id(), kj::mv(asked)});
  }
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return all;
}

Result<ProposalId> Proposals::ask(const crypto::MembershipLog& log, crypto::Payload payload,
    const crypto::ProposalNonce& nonce, kj::TimePoint now) {
  Proposal proposal{log.circle(), self, nonce, Proposal::agreedForm(kj::mv(payload))};
  auto bytes = crypto::encode(proposal.payload);
  for (auto& [id, asked]: own) {
    bool isSame = asked.proposal.payload.index() == proposal.payload.index() &&
        crypto::encode(asked.proposal.payload) == bytes;
    if (isSame) return id;
  }
  auto admins = otherAdmins(log.state(), self);
  if (admins.empty()) return no(Errc::NOT_AUTHORISED, "there is no other admin to ask");
  if (auto good = proposal.checkIn(log, admins.front()); !good) return no(good.error());
  if (own.size() >= OWN_MAX)
    return no(Errc::LIMIT_EXCEEDED, "four questions wait already: hearth pending lists them");
  auto id = proposal.id();
  own.insert({id, Own{kj::mv(proposal), now + LIVES, {}}});
  return id;
}

std::vector<crypto::Buffer> Proposals::open() const {
  std::vector<crypto::Buffer> all;
  for (auto& [id, asked]: own) all.push_back(asked.proposal.encode());
  return all;
}

Result<bool> Proposals::answered(const DeviceId& admin, const ProposalId& id, bool agrees) {
  auto found = own.find(id);
  if (found == own.end()) return no(Errc::UNKNOWN_PEER, "an answer to what nobody has asked");
  auto& answers = found->second.answers;
  auto before = answers.find(admin);
  if (before != answers.end()) return std::exchange(before->second, agrees) != agrees;
  if (answers.size() >= crypto::ADMINS_MAX) return no(Errc::LIMIT_EXCEEDED, "too many answers");
  answers[admin] = agrees;
  return true;
}

bool Proposals::asked(
    const DeviceId& admin, const std::vector<crypto::Bytes>& open, kj::TimePoint now) {
  if (admin == self) return false;
  std::map<ProposalId, Proposal> current;
  for (auto bytes: open) {
    auto proposal = Proposal::decode(bytes);
    if (proposal && proposal->author == admin) current.insert({proposal->id(), kj::mv(*proposal)});
  }
  bool changed = std::erase_if(others, [&](auto& entry) {
    return entry.second.proposal.author == admin && !current.contains(entry.first);
  }) > 0;
  for (auto& [id, proposal]: current) {
    if (others.contains(id)) continue;
    if (countOf(admin) >= OF_ADMIN_MAX || others.size() >= OF_OTHERS_MAX) break;
    others.insert({id, OfOther{kj::mv(proposal), now + LIVES}});
    changed = true;
  }
  return changed;
}

size_t Proposals::countOf(const DeviceId& admin) const {
  return static_cast<size_t>(std::ranges::count_if(
      others, [&](auto& entry) { return entry.second.proposal.author == admin; }));
}

Result<void> Proposals::answer(
    const crypto::MembershipLog& log, const ProposalId& id, bool agrees) {
  auto found = others.find(id);
  if (found == others.end())
    return no(Errc::UNKNOWN_PEER, "nothing of that id waits: hearth pending lists what does");
  if (agrees) {
    if (auto good = found->second.proposal.checkIn(log, self); !good) return good;
  }
  found->second.answer = agrees ? Answer::AGREES : Answer::REFUSES;
  return {};
}

Result<void> Proposals::mayCosign(const crypto::MembershipLog& log, const crypto::EpochKeys& epochs,
    const DeviceId& admin, const ProposalId& id, const crypto::Op& op) {
  auto found = others.find(id);
  bool agreed = found != others.end() && found->second.proposal.author == admin &&
      found->second.answer == Answer::AGREES && found->second.proposal.isSaidBy(op, self, epochs);
  if (!agreed) return no(Errc::NOT_AUTHORISED, "that is not what the user has agreed to");
  auto& asked = found->second;
  if (asked.signatures >= SIGNATURES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "it was signed often enough: ask again");
  if (auto good = asked.proposal.checkIn(log, self); !good) return good;
  if (auto good = log.wouldApply(op); !good) return good;
  ++asked.signatures;
  return {};
}

bool Proposals::isOver(
    const crypto::MembershipLog& log, const Own& asked, kj::TimePoint now) const {
  auto admins = otherAdmins(log.state(), self);
  if (now >= asked.until || admins.empty()) return true;
  auto refuses = [&](const DeviceId& admin) {
    auto found = asked.answers.find(admin);
    return found != asked.answers.end() && !found->second;
  };
  return std::ranges::all_of(admins, refuses) || !asked.proposal.checkIn(log, admins.front());
}

std::vector<ProposalId> Proposals::settle(const crypto::MembershipLog& log, kj::TimePoint now) {
  std::vector<ProposalId> over;
  for (auto& [id, asked]: own) {
    if (isOver(log, asked, now)) over.push_back(id);
  }
  for (auto& id: over) own.erase(id);
  std::erase_if(others, [&](auto& entry) {
    auto& asked = entry.second;
    return now >= asked.until || !isActiveAdmin(log.state(), asked.proposal.author) ||
        isDone(log.state(), asked.proposal.payload);
  });
  return over;
}

}  // namespace hearth::devices
