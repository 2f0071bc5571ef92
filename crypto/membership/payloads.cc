#include "crypto/membership/payloads.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

constexpr size_t GRANTS_MAX = 255;
constexpr size_t SEALS_MAX = DEVICES_MAX + 1;  // the recovery key, too
constexpr size_t PCRS_MAX = 24;
constexpr size_t ATTESTATION_KEY_BYTES_MAX = 1'024;
constexpr size_t SEALED_BYTES_MAX = 65'536;
// An epoch's id, a nonce and a tag: what a sealed field is at the least.
constexpr size_t SEALED_BYTES_MIN = 32 + 24 + 16;

std::vector<kj::byte> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }

// A byte that names one of 1 .. most.
template <typename Enum>
Enum named(FlatReader& in, uint8_t most) {
  auto value = in.u8();
  if (value < 1 || value > most) in.refuse();
  return static_cast<Enum>(value);
}

std::vector<kj::byte> readSealed(FlatReader& in) {
  auto sealed = copy(in.var32(SEALED_BYTES_MAX));
  if (sealed.size() < SEALED_BYTES_MIN) in.refuse();
  return sealed;
}

void write(FlatWriter& out, const std::vector<Grant>& grants) {
  out.u8(static_cast<uint8_t>(grants.size()));
  for (auto& grant: grants) {
    out.bytes(grant.epoch.asBytes());
    grant.seal.write(out);
  }
}

std::vector<Grant> readGrants(FlatReader& in) {
  std::vector<Grant> grants;
  auto count = in.count8(GRANTS_MAX, Grant::BYTES);
  for (size_t i = 0; i < count; ++i) {
    auto epoch = in.id<EpochId>();
    grants.push_back({epoch, Seal::read(in)});
  }
  return grants;
}

void write(FlatWriter&, const std::monostate&) {}

void write(FlatWriter& out, const GenesisPayload& payload) {
  out.bytes(payload.recoveryEd.asBytes()).bytes(payload.recoveryXw.asBytes());
  out.var16(view(payload.bundleEnvelope)).bytes(payload.random.asBytes()).u8(payload.minSuite);
}

void read(FlatReader& in, GenesisPayload& payload) {
  payload.recoveryEd = in.id<SignPublic>();
  payload.recoveryXw = in.id<XWing::Public>();
  payload.bundleEnvelope = copy(in.var16());
  payload.random = in.id<Digest>();
  payload.minSuite = in.u8();
}

void write(FlatWriter& out, const AddPayload& payload) {
  out.var16(view(payload.bundleEnvelope)).u8(static_cast<uint8_t>(payload.role));
  write(out.var16(view(payload.joinEnvelope)), payload.grants);
}

void read(FlatReader& in, AddPayload& payload) {
  payload.bundleEnvelope = copy(in.var16());
  payload.role = named<Role>(in, 3);
  payload.joinEnvelope = copy(in.var16());
  payload.grants = readGrants(in);
}

void write(FlatWriter& out, const RemovePayload& payload) {
  out.bytes(payload.target.asBytes()).u8(static_cast<uint8_t>(payload.reason));
  out.u64(payload.lastSeq).bytes(payload.lastHash.asBytes());
}

void read(FlatReader& in, RemovePayload& payload) {
  payload.target = in.id<DeviceId>();
  payload.reason = named<RemoveReason>(in, 4);
  payload.lastSeq = in.u64();
  payload.lastHash = in.id<OpHash>();
}

void write(FlatWriter& out, const SetRolePayload& payload) {
  out.bytes(payload.target.asBytes()).u8(static_cast<uint8_t>(payload.role));
}

void read(FlatReader& in, SetRolePayload& payload) {
  payload.target = in.id<DeviceId>();
  payload.role = named<Role>(in, 3);
}

void write(FlatWriter& out, const RotateKeysPayload& payload) {
  out.var16(view(payload.bundleEnvelope)).var16(view(payload.joinEnvelope));
  write(out, payload.grants);
}

void read(FlatReader& in, RotateKeysPayload& payload) {
  payload.bundleEnvelope = copy(in.var16());
  payload.joinEnvelope = copy(in.var16());
  payload.grants = readGrants(in);
}

void write(FlatWriter& out, const BundleUpdatePayload& payload) {
  out.var16(view(payload.bundleEnvelope));
}

void read(FlatReader& in, BundleUpdatePayload& payload) {
  payload.bundleEnvelope = copy(in.var16());
}

void write(FlatWriter& out, const EpochPayload& payload) {
  out.u64(payload.n).bytes(payload.previous.asBytes()).bytes(payload.commit.asBytes());
  out.bytes(payload.prevWrapped).u16(static_cast<uint16_t>(payload.seals.size()));
  for (auto& seal: payload.seals) seal.write(out);
}

void read(FlatReader& in, EpochPayload& payload) {
  payload.n = in.u64();
  payload.previous = in.id<EpochId>();
  payload.commit = in.id<Digest>();
  auto wrapped = in.bytes(EpochPayload::PREV_WRAPPED_BYTES);
  std::ranges::copy(wrapped, payload.prevWrapped);
  auto seals = in.count16(SEALS_MAX, Seal::BYTES);
  for (size_t i = 0; i < seals; ++i) {
    payload.seals.push_back(Seal::read(in));
    if (i > 0 && !(payload.seals[i - 1].recipient < payload.seals[i].recipient)) in.refuse();
  }
}

void write(FlatWriter& out, const PolicySetPayload& payload) {
  out.u64(payload.version).var32(view(payload.sealed));
}

void read(FlatReader& in, PolicySetPayload& payload) {
  payload.version = in.u64();
  payload.sealed = readSealed(in);
}

void write(FlatWriter& out, const PluginRevokePayload& payload) {
  out.u8(static_cast<uint8_t>(payload.what)).bytes(payload.value.asBytes());
}

void read(FlatReader& in, PluginRevokePayload& payload) {
  payload.what = named<Revoked>(in, 3);
  payload.value = in.id<Digest>();
}

void write(FlatWriter& out, const DeviceMetaPayload& payload) { out.var32(view(payload.sealed)); }
void read(FlatReader& in, DeviceMetaPayload& payload) { payload.sealed = readSealed(in); }

void write(FlatWriter& out, const AttestEnrollPayload& payload) {
  out.bytes(payload.target.asBytes()).u8(payload.tier).var16(view(payload.attestationKey));
  out.bytes(payload.endorsementCertificate.asBytes());
  out.u8(static_cast<uint8_t>(payload.pcrs.size()));
  for (auto& pcr: payload.pcrs) out.u8(pcr.index).bytes(pcr.value.asBytes());
}

void read(FlatReader& in, AttestEnrollPayload& payload) {
  payload.target = in.id<DeviceId>();
  payload.tier = in.u8();
  payload.attestationKey = copy(in.var16(ATTESTATION_KEY_BYTES_MAX));
  payload.endorsementCertificate = in.id<Digest>();
  auto pcrs = in.count8(PCRS_MAX, 1 + Digest::SIZE);
  for (size_t i = 0; i < pcrs; ++i) {
    auto index = in.u8();
    if (i > 0 && index <= payload.pcrs.back().index) in.refuse();
    payload.pcrs.push_back({index, in.id<Digest>()});
  }
}

void write(FlatWriter& out, const ReinstatePayload& payload) {
  out.bytes(payload.target.asBytes());
}
void read(FlatReader& in, ReinstatePayload& payload) { payload.target = in.id<DeviceId>(); }

void write(FlatWriter& out, const CheckpointPayload& payload) {
  out.bytes(payload.stateHash.asBytes()).u32(payload.ops);
}

void read(FlatReader& in, CheckpointPayload& payload) {
  payload.stateHash = in.id<Digest>();
  payload.ops = in.u32();
}

void write(FlatWriter& out, const RecoveryResetPayload& payload) {
  out.bytes(payload.recoveryEd.asBytes()).bytes(payload.recoveryXw.asBytes());
  out.var16(view(payload.bundleEnvelope)).bytes(payload.newestEpoch.asBytes());
}

void read(FlatReader& in, RecoveryResetPayload& payload) {
  payload.recoveryEd = in.id<SignPublic>();
  payload.recoveryXw = in.id<XWing::Public>();
  payload.bundleEnvelope = copy(in.var16());
  payload.newestEpoch = in.id<EpochId>();
}

void write(FlatWriter& out, const MinSuitePayload& payload) { out.u8(payload.suite); }
void read(FlatReader& in, MinSuitePayload& payload) { payload.suite = in.u8(); }

void write(FlatWriter&, const LeavePayload&) {}
void read(FlatReader&, LeavePayload&) {}

template <size_t KIND = 1>
Result<Payload> decodeFrom(size_t kind, Bytes bytes) {
  if constexpr (KIND < std::variant_size_v<Payload>) {
    if (kind != KIND) return decodeFrom<KIND + 1>(kind, bytes);
    FlatReader in(bytes);
    std::variant_alternative_t<KIND, Payload> payload;
    read(in, payload);
    if (auto whole = in.finish(); !whole) return no(whole.error());
    return Payload(kj::mv(payload));
  } else {
    return no(Errc::BAD_FORMAT, "an op of no known kind");
  }
}

}  // namespace

OpKind kindOf(const Payload& payload) { return static_cast<OpKind>(payload.index()); }

std::vector<kj::byte> encode(const Payload& payload) {
  FlatWriter out;
  std::visit([&](auto& one) { write(out, one); }, payload);
  return copy(out.asBytes());
}

Result<Payload> decodePayload(OpKind kind, Bytes payload) {
  return decodeFrom(static_cast<size_t>(kind), payload);
}

kj::Maybe<Bytes> bundleEnvelopeIn(const Payload& payload) {
  return std::visit(
      [](auto& one) -> kj::Maybe<Bytes> {
        if constexpr (requires { one.bundleEnvelope; }) return view(one.bundleEnvelope);
        return nullptr;
      },
      payload);
}

kj::ArrayPtr<const Grant> grantsIn(const Payload& payload) {
  return std::visit(
      [](auto& one) -> kj::ArrayPtr<const Grant> {
        if constexpr (requires { one.grants; })
          return kj::arrayPtr(one.grants.data(), one.grants.size());
        return nullptr;
      },
      payload);
}

}  // namespace hearth::crypto
