#include "crypto/membership/proposal.h"

#include "crypto/membership/author.h"
#include "crypto/membership/authority.h"
#include "crypto/primitives/hash.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

constexpr uint8_t VERSION = 1;
constexpr uint32_t TWO_ADMINS = 2;

bool isCosigned(const Payload& payload) {
  return std::get_if<AddPayload>(&payload) || std::get_if<RemovePayload>(&payload) ||
      std::get_if<SetRolePayload>(&payload) || std::get_if<ReinstatePayload>(&payload) ||
      std::get_if<PolicySetPayload>(&payload) || std::get_if<MinSuitePayload>(&payload);
}

bool isReadable(const Payload& payload) {
  auto* policy = std::get_if<PolicySetPayload>(&payload);
  if (policy == nullptr) return true;
  auto plain = clearTextOf(*policy);
  return plain && Policy::decode(*plain).has_value();
}

// What the circle would follow, and would have no use for.
Result<void> checkUse(const CircleState& state, const Payload& payload) {
  auto versionNow = state.policy.map([](auto& p) { return p.version; }).orDefault(0);
  if (auto* policy = std::get_if<PolicySetPayload>(&payload)) {
    if (policy->version != versionNow + 1)
      return no(Errc::NOT_AUTHORISED, "another policy has come into force meanwhile");
  }
  if (auto* suite = std::get_if<MinSuitePayload>(&payload)) {
    if (suite->suite <= state.minSuite)
      return no(Errc::NOT_AUTHORISED, "the circle asks for that suite already");
    if (suite->suite > SUITE_NEWEST)
      return no(Errc::NOT_AUTHORISED,
          "this version of Hearth does not speak that suite: update it first");
  }
  return {};
}

// Whom the op brings in may be given secrets, and nobody else.
bool grantsOnlyToNewcomer(const AddPayload& add) {
  auto bundle = Bundle::open(kj::arrayPtr(add.bundleEnvelope.data(), add.bundleEnvelope.size()));
  return bundle && std::ranges::all_of(add.grants, [&](auto& grant) {
    return grant.seal.recipient == bundle->id();
  });
}

}  // namespace

Buffer Proposal::encode() const {
  FlatWriter out;
  auto bytes = crypto::encode(payload);
  out.u8(VERSION).bytes(circle.asBytes()).bytes(author.asBytes()).bytes(nonce.asBytes());
  out.u8(static_cast<uint8_t>(kindOf(payload)));
  out.var16(kj::arrayPtr(bytes.data(), bytes.size()));
  return out.finish();
}

ProposalId Proposal::id() const {
  auto digest = hash("hearth/proposal/v1", {encode()});
  return ProposalId::from(digest.asBytes().slice(0, ProposalId::SIZE)).value();
}

Result<Proposal> Proposal::decode(Bytes bytes) {
  if (bytes.size() > BYTES_MAX) return no(Errc::BAD_LENGTH, "a proposal that is too long");
  FlatReader in(bytes);
  bool current = in.u8() == VERSION;
  Proposal proposal{.circle = in.id<CircleId>(), .author = in.id<DeviceId>()};
  proposal.nonce = in.id<ProposalNonce>();
  auto kind = in.u8();
  auto body = in.var16();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (!current) return no(Errc::BAD_VERSION, "a proposal of another version");
  auto payload = decodePayload(static_cast<OpKind>(kind), body);
  if (!payload) return no(payload.error());
  if (!isCosigned(*payload)) return no(Errc::BAD_FORMAT, "a proposal of what nobody cosigns");
  if (!isReadable(*payload))
    return no(Errc::BAD_FORMAT, "a proposal of a policy that says nothing");
  proposal.payload = kj::mv(*payload);
  if (crypto::encode(agreedForm(proposal.payload)) != crypto::encode(proposal.payload))
    return no(Errc::BAD_FORMAT, "a proposal that says more than is agreed to");
  return proposal;
}

Payload Proposal::agreedForm(Payload payload) {
  if (auto* add = std::get_if<AddPayload>(&payload)) add->grants.clear();
  if (auto* remove = std::get_if<RemovePayload>(&payload))
    *remove = RemovePayload{.target = remove->target, .reason = remove->reason};
  return payload;
}

Result<void> Proposal::checkIn(const MembershipLog& log, const DeviceId& cosigner) const {
  if (circle != log.circle()) return no(Errc::BAD_FORMAT, "a proposal to another circle");
  if (author == cosigner) return no(Errc::NOT_AUTHORISED, "who asks does not agree for itself");
  auto draft = draftChange(log, author, {cosigner}, payload, 0);
  if (auto good = log.wouldApply(draft); !good) return good;
  if (weightNeeded(log.state(), payload) != TWO_ADMINS)
    return no(Errc::NOT_AUTHORISED, "that does not take two admins");
  return checkUse(log.state(), payload);
}

bool Proposal::isSaidBy(const Op& op, const DeviceId& cosigner, const EpochKeys& epochs) const {
  if (op.circle != circle || op.author != author || op.cosigners != std::vector{cosigner})
    return false;
  auto said = decodePayload(op.kind, kj::arrayPtr(op.payload.data(), op.payload.size()));
  if (!said || said->index() != payload.index()) return false;
  if (auto* add = std::get_if<AddPayload>(&*said); add != nullptr && !grantsOnlyToNewcomer(*add))
    return false;
  if (auto* policy = std::get_if<PolicySetPayload>(&*said)) {
    auto sealed = kj::arrayPtr(policy->sealed.data(), policy->sealed.size());
    auto plain = openForMembers(op, epochs, sealed);
    if (!plain) return false;
    *policy = inTheClear(policy->version, *plain);
  }
  return crypto::encode(agreedForm(kj::mv(*said))) == crypto::encode(payload);
}

}  // namespace hearth::crypto
