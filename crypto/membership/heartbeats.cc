#include "crypto/membership/heartbeats.h"

#include "core/base/flat.h"

#include <kj/debug.h>

namespace hearth::crypto {

namespace {

Result<Heartbeat> parse(Bytes body) {
  FlatReader in(body);
  Heartbeat beat{in.id<CircleId>(), in.id<DeviceId>(), in.u64()};
  auto heads = in.count8(Heartbeat::HEADS_MAX, OpHash::SIZE);
  for (size_t i = 0; i < heads; ++i) beat.heads.push_back(in.id<OpHash>());
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return beat;
}

}  // namespace

Buffer Heartbeat::seal(const DeviceKeys& own) const {
  FlatWriter body;
  body.bytes(circle.asBytes()).bytes(admin.asBytes()).u64(counter);
  body.u8(static_cast<uint8_t>(heads.size()));
  for (auto& head: heads) body.bytes(head.asBytes());
  return sealEnvelope(SigType::HEARTBEAT, body.finish(), own.id, own.ed);
}

Result<bool> Heartbeats::take(const MembershipLog& log, Bytes bytes) {
  auto envelope = readEnvelope(SigType::HEARTBEAT, bytes, Heartbeat::BODY_BYTES_MAX);
  if (!envelope) return no(envelope.error());
  auto beat = parse(envelope->body);
  if (!beat) return no(beat.error());
  if (beat->circle != log.circle()) return no(Errc::BAD_FORMAT, "a heartbeat of another circle");
  auto member = log.state().find(beat->admin);
  bool isAdmin =
      member.map([](auto& m) { return m.isActive() && m.role == Role::ADMIN; }).orDefault(false);
  if (!isAdmin) return no(Errc::NOT_AUTHORISED, "a heartbeat of no admin");
  if (beat->counter <= counterOf(beat->admin)) return false;
  auto& signatures = envelope->signatures;
  bool good = signatures.size() == 1 && signatures[0].signer == beat->admin &&
      verify(KJ_ASSERT_NONNULL(member).bundle().keys.ed, SigType::HEARTBEAT, envelope->body,
          signatures[0].signature);
  if (!good) return no(Errc::BAD_SIGNATURE, "a heartbeat that its admin did not sign");
  newest.insert_or_assign(
      beat->admin, Kept{beat->counter, ++changed, kj::heapArray<kj::byte>(bytes)});
  return true;
}

uint64_t Heartbeats::counterOf(const DeviceId& admin) const {
  auto found = newest.find(admin);
  return found == newest.end() ? 0 : found->second.counter;
}

std::vector<Bytes> Heartbeats::since(uint64_t seen) const {
  std::vector<Bytes> fresh;
  for (auto& [admin, kept]: newest) {
    if (kept.at > seen) fresh.push_back(kept.envelope);
  }
  return fresh;
}

}  // namespace hearth::crypto
