#include "apps/hearth-vectors/history.h"

#include "core/entropy/entropy.h"
#include "crypto/identity/join.h"
#include "crypto/primitives/digest.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::vectors {

namespace {

using namespace hearth::crypto;

std::vector<kj::byte> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

bool isRecovery(const std::string& name) { return name.starts_with("rec"); }

// The names of §5.3, in the order of the kinds.
OpKind kindNamed(const std::string& name) {
  constexpr const char* NAMES[] = {"Genesis", "Add", "Remove", "SetRole", "RotateKeys",
      "BundleUpdate", "Epoch", "PolicySet", "PluginRevoke", "DeviceMeta", "AttestEnroll",
      "Reinstate", "Checkpoint", "RecoveryReset", "MinSuite", "Leave"};
  for (uint8_t kind = 0; kind < std::size(NAMES); ++kind) {
    if (name == NAMES[kind]) return static_cast<OpKind>(kind + 1);
  }
  throw std::invalid_argument("an op of a kind that is not known");
}

// A sealed field that is well formed; nobody opens it here.
std::vector<kj::byte> anySealed() { return std::vector<kj::byte>(32 + 24 + 16 + 8); }

Digest numbered(uint64_t value) {
  Digest digest;
  for (size_t i = 0; i < 8; ++i) digest.bytes[i] = static_cast<kj::byte>(value >> (8 * i));
  return digest;
}

EpochSecret secretNamed(const std::string& name) {
  auto text = "epoch " + name;
  return EpochSecret::make([&](kj::ArrayPtr<kj::byte> out) {
    auto digest = digestOf(kj::StringPtr(text.c_str(), text.size()).asBytes());
    memcpy(out.begin(), digest.bytes, out.size());
  });
}

}  // namespace

History::History(const Json& ops) {
  for (auto& entry: ops) build(entry);
}

std::string History::opName(const OpHash& hash) const {
  for (auto& op: built) {
    if (op.sealed.hash == hash) return op.name;
  }
  throw std::invalid_argument("an op that is not of this history");
}

void History::build(const Json& entry) {
  Draft draft{.entry = entry, .payload = entry.at("payload"), .past = pastOf(entry)};
  if (entry.contains("bad")) draft.bad = entry.at("bad").get<std::string>();
  auto& op = draft.op;
  op.kind = kindNamed(entry.at("kind").get<std::string>());
  if (op.kind != OpKind::GENESIS) op.circle = circleId;
  if (draft.bad == "circle") op.circle.bytes[0] ^= 1;
  op.author = idOf(entry.at("author").get<std::string>());
  op.seq = entry.at("seq").get<uint64_t>();
  op.prevOwn = hashOf(entry.at("prev"));
  for (auto& parent: entry.at("parents")) op.parents.push_back(hashOf(parent));
  std::ranges::sort(op.parents);
  for (auto& cosigner: entry.at("cosigners"))
    op.cosigners.push_back(idOf(cosigner.get<std::string>()));
  std::ranges::sort(op.cosigners);
  for (auto& before: built) {
    bool isParent = std::ranges::find(op.parents, before.sealed.hash) != op.parents.end() ||
        before.sealed.hash == op.prevOwn;
    if (isParent) op.lamport = std::max(op.lamport, before.sealed.op.lamport + 1);
  }
  op.payload = encode(payloadOf(draft));
  auto sealed = seal(draft);
  if (op.kind == OpKind::GENESIS) circleId = circleIdOf(sealed.op.body());
  if (op.kind == OpKind::EPOCH)
    secrets.emplace(sealed.hash, secretNamed(entry.at("id").get<std::string>()));
  places[entry.at("id").get<std::string>()] = built.size();
  built.push_back({entry.at("id").get<std::string>(), kj::mv(sealed)});
}

// Content alone does not tell two branches of a fork apart, and ties go by the hash: wall_ms is
// chosen accordingly.
SealedOp History::seal(Draft& draft) {
  auto& op = draft.op;
  if (draft.entry.contains("rank")) {
    while (opHash(op.body()).bytes[0] >> 2 != draft.entry.at("rank").get<int>()) ++op.wallMs;
  } else {
    op.wallMs = static_cast<int64_t>(built.size());
  }
  std::map<DeviceId, const SignSecret*> secretOf;
  for (auto& cosigner: draft.entry.at("cosigners")) {
    auto name = cosigner.get<std::string>();
    secretOf[idOf(name)] = &signerOf(name);
  }
  std::vector<const SignSecret*> signers = {&signerOf(draft.entry.at("author").get<std::string>())};
  for (auto& cosigner: op.cosigners) signers.push_back(secretOf.at(cosigner));
  auto sealed = sealOp(op, kj::arrayPtr(signers.data(), signers.size()));
  if (draft.bad == "sig") sealed.envelope[sealed.envelope.size() - 1] ^= 1;
  return sealed;
}

History::Person& History::person(const std::string& name) {
  auto& person = persons[name];
  if (person.get() == nullptr) {
    auto text = "hearth/test/membership/" + name;
    auto seed = digestOf(kj::StringPtr(text.c_str(), text.size()).asBytes());
    person = kj::heap<Person>(DeviceKeys::fromRootSeed(RootSeed::from(seed.asBytes()).value()),
        RecoveryKeys::fromSeed(RecoverySeed::from(seed.asBytes()).value()));
    names[isRecovery(name) ? person->recovery.id : person->device.id] = name;
  }
  return *person;
}

DeviceId History::idOf(const std::string& name) {
  return isRecovery(name) ? person(name).recovery.id : person(name).device.id;
}

DeviceId History::deviceOf(const Json& name) { return idOf(name.get<std::string>()); }

const SignSecret& History::signerOf(const std::string& name) {
  return isRecovery(name) ? person(name).recovery.ed : person(name).device.ed;
}

OpHash History::hashOf(const Json& opName) const {
  if (opName.is_null()) return OpHash();
  return built[places.at(opName.get<std::string>())].sealed.hash;
}

// The log as the author of an op knew it.
kj::Own<MembershipLog> History::pastOf(const Json& entry) const {
  std::set<size_t> past;
  std::vector<Json> open(entry.at("parents").begin(), entry.at("parents").end());
  if (!entry.at("prev").is_null()) open.push_back(entry.at("prev"));
  while (!open.empty()) {
    auto place = places.at(open.back().get<std::string>());
    open.pop_back();
    if (!past.insert(place).second) continue;
    for (auto& before: built[place].sealed.before()) open.push_back(opName(before));
  }
  auto log = kj::heap<MembershipLog>(circleId);
  for (auto place: past) {
    auto& envelope = built[place].sealed.envelope;
    (void)log->add(kj::arrayPtr(envelope.data(), envelope.size()));
  }
  return log;
}

Payload History::payloadOf(Draft& draft) {
  auto& in = draft.payload;
  switch (draft.op.kind) {
    case OpKind::GENESIS: {
      auto& recovery = person(in.at("recovery").get<std::string>()).recovery;
      return GenesisPayload{.recoveryEd = recovery.edPk,
          .recoveryXw = recovery.xwPk,
          .bundleEnvelope = bundleEnvelopeOf(in.at("id").get<std::string>()),
          .minSuite = in.at("suite").get<uint8_t>()};
    }
    case OpKind::ADD:
      return addOf(draft);
    case OpKind::REMOVE:
      return removeOf(draft);
    case OpKind::SET_ROLE:
      return SetRolePayload{deviceOf(in.at("target")), static_cast<Role>(in.at("role").get<int>())};
    case OpKind::ROTATE_KEYS:
      return rotationOf(draft);
    case OpKind::BUNDLE_UPDATE: {
      auto name = draft.entry.at("author").get<std::string>();
      uint32_t known = 1;
      KJ_IF_MAYBE(member, draft.past->state().find(draft.op.author)) {
        known = member->bundle().version;
      }
      person(name).bundleVersion = known + 1;
      auto envelope = bundleEnvelopeOf(name);
      person(name).bundleVersion = 1;
      return BundleUpdatePayload{envelope};
    }
    case OpKind::EPOCH:
      return epochOf(draft);
    case OpKind::POLICY_SET:
      return PolicySetPayload{in.at("version").get<uint64_t>(), anySealed()};
    case OpKind::PLUGIN_REVOKE:
      return PluginRevokePayload{
          static_cast<Revoked>(in.at("what").get<int>()), numbered(in.at("value").get<uint64_t>())};
    case OpKind::DEVICE_META:
      return DeviceMetaPayload{anySealed()};
    case OpKind::ATTEST_ENROLL:
      return AttestEnrollPayload{.target = deviceOf(in.at("target")), .tier = 1};
    case OpKind::REINSTATE:
      return ReinstatePayload{deviceOf(in.at("target"))};
    case OpKind::CHECKPOINT:
      return CheckpointPayload{
          draft.past->state().hash(), static_cast<uint32_t>(draft.past->size())};
    case OpKind::RECOVERY_RESET:
      return resetOf(draft);
    case OpKind::MIN_SUITE:
      return MinSuitePayload{in.at("suite").get<uint8_t>()};
    case OpKind::LEAVE:
      return LeavePayload{};
  }
  KJ_UNREACHABLE;
}

Bundle History::bundleOf(const std::string& name) {
  return {Platform::LINUX, 0, person(name).bundleVersion, person(name).device.publics};
}

std::vector<kj::byte> History::bundleEnvelopeOf(const std::string& name) {
  return copy(bundleOf(name).seal(person(name).device));
}

std::vector<kj::byte> History::joinOf(Draft& draft, const std::string& joiner, Role role) {
  Join join{draft.op.circle, bundleOf(joiner).hash(), draft.op.author, role};
  if (draft.bad == "join_missing") return {};
  if (draft.bad == "join_circle") join.circle.bytes[0] ^= 1;
  if (draft.bad == "join_admin") join.admin.bytes[0] ^= 1;
  if (draft.bad == "join_role") join.role = role == Role::ADMIN ? Role::MEMBER : Role::ADMIN;
  return copy(join.seal(person(joiner).device));
}

Payload History::addOf(Draft& draft) {
  auto name = draft.payload.at("id").get<std::string>();
  auto role = static_cast<Role>(draft.payload.at("role").get<int>());
  return AddPayload{.bundleEnvelope = bundleEnvelopeOf(name),
      .role = role,
      .joinEnvelope = joinOf(draft, name, role)};
}

Payload History::removeOf(Draft& draft) {
  RemovePayload payload{.target = deviceOf(draft.payload.at("target"))};
  auto newest = draft.past->newestByAuthor();
  if (auto found = newest.find(payload.target); found != newest.end()) {
    payload.lastSeq = found->second.first;
    payload.lastHash = found->second.second;
  }
  return payload;
}

Payload History::rotationOf(Draft& draft) {
  auto name = draft.payload.at("id").get<std::string>();
  auto role = Role::MEMBER;
  KJ_IF_MAYBE(member, draft.past->state().find(draft.op.author)) role = member->role;
  return RotateKeysPayload{
      .bundleEnvelope = bundleEnvelopeOf(name), .joinEnvelope = joinOf(draft, name, role)};
}

Payload History::resetOf(Draft& draft) {
  auto& recovery = person(draft.payload.at("recovery").get<std::string>()).recovery;
  RecoveryResetPayload payload{.recoveryEd = recovery.edPk,
      .recoveryXw = recovery.xwPk,
      .bundleEnvelope = bundleEnvelopeOf(draft.payload.at("id").get<std::string>())};
  KJ_IF_MAYBE(epoch, draft.past->state().epoch) payload.newestEpoch = epoch->id;
  return payload;
}

Payload History::epochOf(Draft& draft) {
  auto secret = secretNamed(draft.entry.at("id").get<std::string>());
  EpochPayload payload{.n = draft.payload.at("n").get<uint64_t>(),
      .previous = hashOf(draft.payload.at("prev_epoch"))};
  payload.commit = epochCommit(circleId, payload.n, secret);
  for (auto& recipient: draft.payload.at("recipients")) {
    auto name = recipient.at(0).get<std::string>();
    auto what = static_cast<Sealed>(recipient.at(1).get<int>());
    auto id = KJ_ASSERT_NONNULL(draft.past->state().recovery).id;
    auto key = KJ_ASSERT_NONNULL(draft.past->state().recovery).xw;
    if (name != "RECOVERY") id = idOf(name), key = person(name).device.publics.xw;
    SystemEntropy entropy;
    SealContext context{
        draft.op.circle, draft.op.author, draft.op.seq, draft.op.prevOwn, payload.commit};
    payload.seals.push_back(
        makeSeal(context, id, key, what, secret.reveal(), XWing::EncapsSeed::draw(entropy))
            .value());
  }
  std::ranges::sort(payload.seals, {}, &Seal::recipient);
  return payload;
}

}  // namespace hearth::vectors
