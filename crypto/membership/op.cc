#include "crypto/membership/op.h"

#include "core/base/flat.h"
#include "crypto/primitives/hash.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::crypto {

namespace {

constexpr uint8_t VERSION = 1, SUITE = 1;

template <typename T>
bool ascending(const std::vector<T>& items) {
  return std::ranges::is_sorted(items) && std::ranges::adjacent_find(items) == items.end();
}

bool isKnown(uint8_t kind) {
  return kind >= static_cast<uint8_t>(OpKind::GENESIS) &&
      kind <= static_cast<uint8_t>(OpKind::LEAVE);
}

// What holds for every op whatever the log says.
bool isShapely(const Op& op) {
  bool genesis = op.kind == OpKind::GENESIS;
  bool root = op.circle.isZero() && op.parents.empty() && op.seq == 1 && op.lamport == 0;
  bool cosigned = std::ranges::find(op.cosigners, op.author) == op.cosigners.end();
  return (genesis ? root : !op.circle.isZero() && !op.parents.empty()) && op.seq > 0 &&
      (op.seq == 1) == op.prevOwn.isZero() && ascending(op.parents) && ascending(op.cosigners) &&
      cosigned;
}

}  // namespace

Buffer Op::body() const {
  FlatWriter out;
  out.u8(VERSION).u8(SUITE).u8(static_cast<uint8_t>(kind));
  out.u8(static_cast<uint8_t>(1 + cosigners.size()));
  out.bytes(circle.asBytes()).bytes(author.asBytes()).u64(seq).bytes(prevOwn.asBytes());
  out.u64(lamport).i64(wallMs).u8(static_cast<uint8_t>(parents.size()));
  for (auto& parent: parents) out.bytes(parent.asBytes());
  for (auto& cosigner: cosigners) out.bytes(cosigner.asBytes());
  out.var32(kj::arrayPtr(payload.data(), payload.size()));
  return out.finish();
}

Result<Op> Op::parse(Bytes body) {
  FlatReader in(body);
  Op op;
  bool current = in.u8() == VERSION;
  current = in.u8() == SUITE && current;
  auto kind = in.u8();
  auto signers = in.u8();
  op.kind = static_cast<OpKind>(kind);
  op.circle = in.id<CircleId>();
  op.author = in.id<DeviceId>();
  op.seq = in.u64();
  op.prevOwn = in.id<OpHash>();
  op.lamport = in.u64();
  op.wallMs = in.i64();
  auto parents = in.count8(PARENTS_MAX, OpHash::SIZE);
  for (size_t i = 0; i < parents; ++i) op.parents.push_back(in.id<OpHash>());
  if (signers < 1 || signers > SIGNERS_MAX) in.refuse();
  for (uint8_t i = 1; in.good() && i < signers; ++i) op.cosigners.push_back(in.id<DeviceId>());
  auto payload = in.var32(PAYLOAD_BYTES_MAX);
  op.payload.assign(payload.begin(), payload.end());
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (!current) return no(Errc::BAD_VERSION, "an op of another version or suite");
  if (!isKnown(kind))
    return no(Errc::BAD_VERSION, "an op of a kind that this version cannot judge");
  if (!isShapely(op)) return no(Errc::BAD_FORMAT, "an op whose fields do not fit together");
  return op;
}

std::vector<DeviceId> SealedOp::signers() const {
  std::vector<DeviceId> all = {op.author};
  all.insert(all.end(), op.cosigners.begin(), op.cosigners.end());
  return all;
}

std::vector<OpHash> SealedOp::before() const {
  auto all = op.parents;
  if (!op.prevOwn.isZero() && std::ranges::find(all, op.prevOwn) == all.end())
    all.push_back(op.prevOwn);
  return all;
}

Result<SealedOp> SealedOp::open(Bytes bytes) {
  auto envelope = readEnvelope(SigType::OP, bytes, Op::BODY_BYTES_MAX);
  if (!envelope) return no(envelope.error());
  auto op = Op::parse(envelope->body);
  if (!op) return no(op.error());
  SealedOp sealed{.op = kj::mv(*op), .hash = opHash(envelope->body)};
  sealed.envelope.assign(bytes.begin(), bytes.end());
  auto signers = sealed.signers();
  if (signers.size() != envelope->signatures.size())
    return no(Errc::BAD_SIGNATURE, "an op that not all its signers have signed");
  for (size_t i = 0; i < signers.size(); ++i) {
    if (envelope->signatures[i].signer != signers[i])
      return no(Errc::BAD_SIGNATURE, "an op signed by others than it lists");
    sealed.signatures.push_back(envelope->signatures[i]);
  }
  return sealed;
}

OpHash opHash(Bytes body) { return hashAs<OpHash>("hearth/op-hash/v1", {body}); }

CircleId circleIdOf(Bytes genesisBody) {
  return hashAs<CircleId>("hearth/circle/v1", {genesisBody});
}

namespace {

SealedOp sealWith(const Op& op, Bytes body, kj::ArrayPtr<const Signature> signatures) {
  SealedOp sealed{.op = op, .hash = opHash(body)};
  auto signers = sealed.signers();
  KJ_REQUIRE(signers.size() == signatures.size(), "every listed signer signs");
  for (size_t i = 0; i < signers.size(); ++i)
    sealed.signatures.push_back({signers[i], signatures[i]});
  auto envelope = writeEnvelope(
      SigType::OP, body, kj::arrayPtr(sealed.signatures.data(), sealed.signatures.size()));
  sealed.envelope.assign(envelope.begin(), envelope.end());
  return sealed;
}

}  // namespace

SealedOp sealOp(const Op& op, kj::ArrayPtr<const SignSecret* const> secrets) {
  auto body = op.body();
  auto signatures = KJ_MAP(secret, secrets) { return sign(*secret, SigType::OP, body); };
  return sealWith(op, body, signatures);
}

SealedOp sealOp(const Op& op, const SignSecret& author, kj::ArrayPtr<const Signature> cosigned) {
  auto body = op.body();
  kj::Vector<Signature> signatures;
  signatures.add(sign(author, SigType::OP, body));
  signatures.addAll(cosigned);
  return sealWith(op, body, signatures);
}

SealedOp sealOp(const Op& op, const SignSecret& author) {
  const SignSecret* secrets[] = {&author};
  return sealOp(op, secrets);
}

}  // namespace hearth::crypto
