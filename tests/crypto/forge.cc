#include "tests/crypto/forge.h"

#include "crypto/identity/join.h"
#include "crypto/primitives/digest.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::crypto {

namespace {

std::vector<kj::byte> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

std::vector<kj::byte> consent(
    const Forge::Person& joiner, const CircleId& circle, const DeviceId& by, Role role) {
  return copy(Join{circle, joiner.bundle.hash(), by, role}.seal(joiner.device));
}

}  // namespace

Forge::Person& Forge::person(const std::string& name) {
  auto& person = people[name];
  if (person.get() == nullptr) {
    auto text = "hearth/test/forge/" + name;
    auto seed = digestOf(kj::StringPtr(text.c_str(), text.size()).asBytes());
    auto device = DeviceKeys::fromRootSeed(RootSeed::from(seed.asBytes()).value());
    Bundle bundle{Platform::LINUX, 0, 1, device.publics};
    person = kj::heap<Person>(kj::mv(device),
        RecoveryKeys::fromSeed(RecoverySeed::from(seed.asBytes()).value()), kj::mv(bundle));
  }
  return *person;
}

Forge::Signer Forge::device(const std::string& name) {
  auto& keys = person(name).device;
  return {keys.id, &keys.ed};
}

Forge::Signer Forge::recovery(const std::string& name) {
  auto& keys = person(name).recovery;
  return {keys.id, &keys.ed};
}

MembershipLog Forge::found(const std::string& admin) {
  auto& rec = person("rec").recovery;
  auto& first = person(admin);
  GenesisPayload payload{.recoveryEd = rec.edPk,
      .recoveryXw = rec.xwPk,
      .bundleEnvelope = copy(first.bundle.seal(first.device))};
  payload.random.bytes[0] = static_cast<kj::byte>(++made);
  Op op{.kind = OpKind::GENESIS, .author = rec.id, .seq = 1, .cosigners = {first.device.id}};
  op.payload = encode(Payload(payload));
  const SignSecret* signers[] = {&rec.ed, &first.device.ed};
  auto genesis = sealOp(op, signers);
  MembershipLog log(circleIdOf(op.body()));
  KJ_ASSERT(log.add(view(genesis.envelope)).has_value());
  return log;
}

SealedOp Forge::make(const MembershipLog& past, const Payload& payload, const Signers& signers) {
  return make(past, payload, signers, [](Op&) {});
}

SealedOp Forge::make(const MembershipLog& past, const Payload& payload, const Signers& signers,
    const std::function<void(Op&)>& change) {
  auto op = past.draft(signers.front().id);
  op.kind = kindOf(payload);
  op.payload = encode(payload);
  op.wallMs = ++made;
  auto order = signers;
  std::sort(order.begin() + 1, order.end(), [](auto& a, auto& b) { return a.id < b.id; });
  std::vector<const SignSecret*> secrets;
  for (auto& signer: order) secrets.push_back(signer.secret);
  for (size_t i = 1; i < order.size(); ++i) op.cosigners.push_back(order[i].id);
  change(op);
  return sealOp(op, kj::arrayPtr(secrets.data(), secrets.size()));
}

Payload Forge::add(
    const MembershipLog& past, const std::string& name, Role role, const DeviceId& by) {
  auto& joiner = person(name);
  return AddPayload{.bundleEnvelope = copy(joiner.bundle.seal(joiner.device)),
      .role = role,
      .joinEnvelope = consent(joiner, past.circle(), by, role)};
}

Payload Forge::remove(const MembershipLog& past, const DeviceId& target) {
  RemovePayload payload{.target = target};
  auto newest = past.newestByAuthor();
  if (auto found = newest.find(target); found != newest.end()) {
    payload.lastSeq = found->second.first;
    payload.lastHash = found->second.second;
  }
  return payload;
}

Payload Forge::rotate(const MembershipLog& past, const std::string& name, const DeviceId& by) {
  auto& next = person(name);
  auto role = Role::MEMBER;
  KJ_IF_MAYBE(member, past.state().find(by)) role = member->role;
  return RotateKeysPayload{.bundleEnvelope = copy(next.bundle.seal(next.device)),
      .joinEnvelope = consent(next, past.circle(), by, role)};
}

Payload Forge::reset(
    const MembershipLog& past, const std::string& name, const std::string& recovery) {
  auto& first = person(name);
  auto& keys = person(recovery).recovery;
  RecoveryResetPayload payload{.recoveryEd = keys.edPk,
      .recoveryXw = keys.xwPk,
      .bundleEnvelope = copy(first.bundle.seal(first.device))};
  KJ_IF_MAYBE(epoch, past.state().epoch) payload.newestEpoch = epoch->id;
  return payload;
}

Payload Forge::epoch(const MembershipLog& past) {
  EpochPayload payload;
  KJ_IF_MAYBE(current, past.state().epoch) {
    payload.n = current->n + 1;
    payload.previous = current->id;
  }
  for (auto& [recipient, what]: epochRecipients(past.state())) {
    payload.seals.push_back({.recipient = recipient,
        .what = what,
        .ct = std::vector<kj::byte>(XWing::CIPHERTEXT_BYTES),
        .box = std::vector<kj::byte>(Seal::BOX_BYTES)});
  }
  return payload;
}

}  // namespace hearth::crypto
