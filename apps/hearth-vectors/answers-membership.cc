#include "apps/hearth-vectors/answers.h"
#include "crypto/identity/join.h"
#include "crypto/membership/epoch-keys.h"
#include "crypto/membership/sealed-field.h"

#include <algorithm>

namespace hearth::vectors {

namespace {

using namespace hearth::crypto;

Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }
std::vector<kj::byte> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

Bundle bundleOf(const Json& device, const DeviceKeys& keys) {
  return {static_cast<Platform>(device.at("platform").get<uint8_t>()),
      device.at("flags").get<uint32_t>(), device.at("bundle_version").get<uint32_t>(),
      keys.publics};
}

DeviceKeys keysOf(const Json& rootSeed) {
  return DeviceKeys::fromRootSeed(typed<RootSeed>(rootSeed));
}

// What all ops have in common, without kind, author and payload.
Op opOf(const Json& in) {
  Op op{.circle = typed<CircleId>(in.at("circle_id")),
      .seq = in.at("seq").get<uint64_t>(),
      .prevOwn = typed<OpHash>(in.at("prev_own")),
      .lamport = in.at("lamport").get<uint64_t>(),
      .wallMs = in.at("wall_ms").get<int64_t>()};
  for (auto& parent: in.at("parents")) op.parents.push_back(typed<OpHash>(parent));
  std::ranges::sort(op.parents);
  return op;
}

Json opAnswer(const SealedOp& sealed) {
  if (!SealedOp::open(view(sealed.envelope))) return nullptr;
  return {{"payload", hex(view(sealed.op.payload))}, {"body", hex(sealed.op.body())},
      {"op_hash", hex(sealed.hash.asBytes())}, {"envelope", hex(view(sealed.envelope))}};
}

Json genesisAnswer(const Json& in) {
  auto recovery = RecoveryKeys::fromSeed(typed<RecoverySeed>(in.at("rec_seed")));
  auto admin = keysOf(in.at("admin").at("root_seed"));
  Op op{.kind = OpKind::GENESIS,
      .author = recovery.id,
      .seq = 1,
      .wallMs = in.at("wall_ms").get<int64_t>(),
      .cosigners = {admin.id}};
  op.payload = encode(GenesisPayload{recovery.edPk, recovery.xwPk,
      copy(bundleOf(in.at("admin"), admin).seal(admin)), typed<Digest>(in.at("random")),
      in.at("min_suite").get<uint8_t>()});
  const SignSecret* signers[] = {&recovery.ed, &admin.ed};
  auto answer = opAnswer(sealOp(op, signers));
  answer["circle_id"] = hex(circleIdOf(op.body()).asBytes());
  return answer;
}

// What a recipient is given of an epoch.
Seal sealTo(const Op& op, const DeviceId& recipient, const XWing::Public& pk, Sealed what,
    const EpochSecret& secret, const Digest& commit, const Json& encaps) {
  SealContext context{op.circle, op.author, op.seq, op.prevOwn, commit};
  auto seed = typed<XWing::EncapsSeed>(encaps);
  if (what == Sealed::EPOCH_SECRET)
    return makeSeal(context, recipient, pk, what, secret.reveal(), seed).value();
  auto psk = vaultPsk(secret, op.circle, commit, recipient);
  return makeSeal(context, recipient, pk, what, psk.reveal(), seed).value();
}

Json epochAnswer(const Json& in) {
  auto admin = keysOf(in.at("admin_root_seed"));
  auto op = opOf(in);
  op.kind = OpKind::EPOCH;
  op.author = admin.id;
  auto secret = typed<EpochSecret>(in.at("epoch_secret"));
  EpochPayload payload{
      .n = in.at("n").get<uint64_t>(), .previous = typed<EpochId>(in.at("prev_epoch_id"))};
  payload.commit = epochCommit(op.circle, payload.n, secret);
  if (in.contains("prev_epoch_secret")) {
    wrapPrevious(payload, op.circle, secret, typed<EpochSecret>(in.at("prev_epoch_secret")));
  }
  for (auto& each: in.at("recipients")) {
    payload.seals.push_back(sealTo(op, typed<DeviceId>(each.at("id")),
        typed<XWing::Public>(each.at("xw_pk")), static_cast<Sealed>(each.at("what").get<int>()),
        secret, payload.commit, each.at("encaps")));
  }
  std::ranges::sort(payload.seals, {}, &Seal::recipient);
  op.payload = encode(payload);
  auto answer = opAnswer(sealOp(op, admin.ed));
  answer["commit"] = hex(payload.commit.asBytes());
  answer["prev_wrapped"] = hex(payload.prevWrapped);
  return answer;
}

Json addAnswer(const Json& in) {
  auto author = keysOf(in.at("author_root_seed"));
  auto device = keysOf(in.at("device").at("root_seed"));
  auto bundle = bundleOf(in.at("device"), device);
  auto role = static_cast<Role>(in.at("role").get<uint8_t>());
  auto op = opOf(in);
  op.kind = OpKind::ADD;
  op.author = author.id;
  std::map<DeviceId, DeviceKeys> cosigners;
  for (auto& seed: in.at("cosigner_root_seeds")) {
    auto keys = keysOf(seed);
    cosigners.emplace(keys.id, kj::mv(keys));
  }
  std::vector<const SignSecret*> signers = {&author.ed};
  for (auto& [id, keys]: cosigners) {
    op.cosigners.push_back(id);
    signers.push_back(&keys.ed);
  }
  Join join{op.circle, bundle.hash(), author.id, role};
  auto& epoch = in.at("epoch");
  auto secret = typed<EpochSecret>(epoch.at("epoch_secret"));
  auto commit = epochCommit(op.circle, epoch.at("n").get<uint64_t>(), secret);
  auto what = role == Role::VAULT ? Sealed::VAULT_PSK : Sealed::EPOCH_SECRET;
  Grant grant{typed<EpochId>(epoch.at("epoch_id")),
      sealTo(op, device.id, device.publics.xw, what, secret, commit, epoch.at("encaps"))};
  FlatWriter granted;
  granted.bytes(grant.epoch.asBytes());
  grant.seal.write(granted);
  op.payload =
      encode(AddPayload{copy(bundle.seal(device)), role, copy(join.seal(device)), {grant}});
  auto answer = opAnswer(sealOp(op, kj::arrayPtr(signers.data(), signers.size())));
  answer["join_body"] = hex(join.body());
  answer["join_envelope"] = hex(join.seal(device));
  answer["grant"] = hex(granted.asBytes());
  return answer;
}

Json sealAnswer(const Json& in) {
  auto own = typed<XWing::Secret>(in.at("xw_sk"));
  auto pk = XWing::publicOf(own);
  auto encaps = typed<XWing::EncapsSeed>(in.at("encaps"));
  SealContext context{typed<CircleId>(in.at("circle_id")), typed<DeviceId>(in.at("author")),
      in.at("seq").get<uint64_t>(), typed<OpHash>(in.at("prev_own")),
      typed<Digest>(in.at("commit"))};
  auto recipient = typed<DeviceId>(in.at("recipient"));
  auto what = static_cast<Sealed>(in.at("what").get<int>());
  auto secret = bytes(in.at("secret"));
  auto seal = makeSeal(context, recipient, pk, what, secret, encaps).value();
  auto opened = openSeal(context, seal, own);
  if (!opened || opened->reveal() != secret.asPtr()) return nullptr;
  auto shared = kj::mv(XWing::encapsulate(pk, encaps)->shared);
  FlatWriter written;
  seal.write(written);
  return {{"xw_pk", hex(pk.asBytes())}, {"ct", hex(view(seal.ct))}, {"ss", hex(shared.reveal())},
      {"key", hex(sealKey(context, recipient, what, shared).reveal())},
      {"box", hex(view(seal.box))}, {"seal", hex(written.asBytes())}};
}

Json sealedFieldAnswer(const Json& in) {
  auto secret = typed<EpochSecret>(in.at("epoch_secret"));
  FieldPlace place{typed<CircleId>(in.at("circle_id")), typed<DeviceId>(in.at("author")),
      in.at("seq").get<uint64_t>()};
  auto epoch = typed<EpochId>(in.at("epoch_id"));
  DeviceNames names{text(in.at("name")), text(in.at("model")), in.at("icon").get<uint8_t>()};
  auto plain = names.encode();
  auto sealed = sealField(place, epoch, secret, typed<XChaChaPoly::Nonce>(in.at("nonce")), plain);
  auto opened = openField(place, secret, sealed);
  if (!opened || *opened != plain) return nullptr;
  FlatWriter field;
  field.var32(sealed);
  return {{"k_log", hex(logKey(secret, {place.circle, epoch}).reveal())}, {"plain", hex(plain)},
      {"sealed", hex(field.asBytes())}};
}

Json stateHashAnswer(const Json& in) {
  std::vector<StateRow> rows;
  for (auto& row: in.at("rows")) {
    rows.push_back({typed<DeviceId>(row.at("id")), static_cast<Role>(row.at("role").get<int>()),
        static_cast<MemberStatus>(row.at("status").get<int>()),
        typed<BundleHash>(row.at("bundle_hash"))});
  }
  return {{"state_hash", hex(stateHash(kj::mv(rows)).asBytes())}};
}

constexpr AnswerKind KINDS[] = {
    {"op_genesis", &genesisAnswer},
    {"op_epoch", &epochAnswer},
    {"op_add", &addAnswer},
    {"seal", &sealAnswer},
    {"sealed_field", &sealedFieldAnswer},
    {"state_hash", &stateHashAnswer},
};

}  // namespace

kj::ArrayPtr<const AnswerKind> membershipAnswers() { return KINDS; }

}  // namespace hearth::vectors
