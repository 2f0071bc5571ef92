#include "devices/node/rotation.h"

namespace hearth::devices {

namespace {

// Ops on the device's own disk are authentic and were checked before they came there.
bool namesKeys(crypto::Bytes envelope, const DeviceId& keys) {
  auto op = crypto::SealedOp::open(envelope);
  if (!op) return false;
  bool replaces =
      op->op.kind == crypto::OpKind::ROTATE_KEYS || op->op.kind == crypto::OpKind::RECOVERY_RESET;
  if (!replaces) return false;
  auto payload = crypto::decodePayload(
      op->op.kind, kj::arrayPtr(op->op.payload.data(), op->op.payload.size()));
  if (!payload) return false;
  KJ_IF_MAYBE(bundle, crypto::bundleEnvelopeIn(*payload)) {
    auto opened = crypto::Bundle::open(*bundle);
    return opened && opened->id() == keys;
  }
  return false;
}

}  // namespace

Result<Identity> settleIdentity(
    const kj::Directory& home, Identity current, const StoredCircle& stored) {
  auto loaded = current.loadNext(home);
  if (!loaded) return no(loaded.error());
  KJ_IF_MAYBE(next, *loaded) {
    bool named = false;
    for (auto& op: stored.ops) named = named || namesKeys(op, next->keys.id);
    if (named) {
      Identity::adoptNext(home);
      return kj::mv(*next);
    }
    Identity::dropNext(home);
  }
  return kj::mv(current);
}

bool hasOutgrownItsKeys(const crypto::MembershipLog& log, const DeviceId& self) {
  auto& state = log.state();
  auto member = state.find(self);
  bool isAdmin = member.map([](auto& m) { return m.isActive() && m.role == crypto::Role::ADMIN; })
                     .orDefault(false);
  if (!isAdmin || state.countActiveAdmins() < 2) return false;
  for (auto ground: log.ops().groundsOf(self)) {
    auto kind = log.ops()[ground].op().kind;
    if (kind == crypto::OpKind::GENESIS || kind == crypto::OpKind::RECOVERY_RESET) return true;
  }
  return false;
}

}  // namespace hearth::devices
