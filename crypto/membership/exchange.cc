#include "crypto/membership/exchange.h"

#include "core/base/flat.h"

namespace hearth::crypto {

namespace {

constexpr uint8_t KIND_OP = 3, KIND_DONE = 6;
constexpr size_t HEADS_MAX = 64;
constexpr size_t AUTHORS_MAX = 1'024;
constexpr size_t HEAD_ENVELOPES_MAX = 64;
void append(FlatWriter& out, uint8_t kind, Bytes body) { out.bytes(writeMessage(kind, body)); }

Buffer opMessages(const std::vector<Bytes>& envelopes, bool done) {
  FlatWriter out;
  for (auto envelope: envelopes) append(out, KIND_OP, envelope);
  if (done) append(out, KIND_DONE, nullptr);
  return out.finish();
}

}  // namespace

Buffer LogExchange::heads() const {
  FlatWriter out;
  // A device that has no part any more learns nothing of what came after it.
  auto heads = audience() == Audience::MEMBER ? log.heads() : std::vector<OpHash>();
  out.u8(static_cast<uint8_t>(heads.size()));
  for (auto& hash: heads) out.bytes(hash.asBytes());
  out.u16(0).u16(0);
  return out.finish();
}

LogExchange::Audience LogExchange::audience() const {
  if (stranger) return Audience::STRANGER;
  KJ_IF_MAYBE(member, log.state().find(peer)) {
    bool gone = member->status == MemberStatus::REMOVED || member->status == MemberStatus::RETIRED;
    return gone ? Audience::GONE : Audience::MEMBER;
  }
  return Audience::STRANGER;
}

Result<LogExchange::Step> LogExchange::confirmed(Bytes body) {
  FlatReader in(body);
  std::vector<OpHash> peerHeads;
  auto heads = in.count8(HEADS_MAX, OpHash::SIZE);
  for (size_t i = 0; i < heads; ++i) peerHeads.push_back(in.id<OpHash>());
  auto authors = in.count16(AUTHORS_MAX, 32 + 8 + 32);
  for (size_t i = 0; i < authors; ++i) in.bytes(32 + 8 + 32);
  auto envelopes = in.count16(HEAD_ENVELOPES_MAX, 2);
  for (size_t i = 0; i < envelopes; ++i) in.var16();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  confirmedByPeer = true;
  sentUpto = log.size();
  std::vector<Bytes> missing;
  if (audience() == Audience::MEMBER) missing = log.envelopesBeyond(peerHeads);
  if (audience() == Audience::GONE) missing = log.envelopesForRemoved(peer);
  return Step{.send = opMessages(missing, true)};
}

Result<LogExchange::Step> LogExchange::received(Bytes bytes) {
  bytesTaken += bytes.size();
  if (stranger && bytesTaken > STRANGER_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a stranger pushes too much");
  auto messages = reader.feed(bytes);
  if (!messages) return no(messages.error());
  Step step;
  for (auto& message: *messages) {
    if (auto taken = take(message.kind, kj::mv(message.body), step); !taken)
      return no(taken.error());
  }
  step.done = peerDone && confirmedByPeer;
  return step;
}

Result<void> LogExchange::take(uint8_t kind, Buffer body, Step& step) {
  if (kind == KIND_DONE) {
    if (body.size() > 0) return no(Errc::BAD_FORMAT, "a DONE with a body");
    peerDone = true;
    return {};
  }
  if (kind != KIND_OP) return no(Errc::BAD_FORMAT, "a membership message of no known kind");
  if (stranger && ++opsTaken > STRANGER_OPS_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a stranger pushes too many ops");
  step.ops.push_back(kj::mv(body));
  return {};
}

Buffer LogExchange::news() {
  if (!confirmedByPeer || audience() == Audience::STRANGER) return nullptr;
  auto fresh =
      audience() == Audience::GONE ? log.envelopesForRemoved(peer) : log.envelopes(sentUpto);
  sentUpto = log.size();
  return fresh.empty() ? nullptr : opMessages(fresh, false);
}

Buffer encodeLog(const MembershipLog& log) { return opMessages(log.envelopes(), false); }

Result<std::vector<Buffer>> decodeLog(Bytes bytes) {
  MessageReader reader;
  auto messages = reader.feed(bytes);
  if (!messages) return no(messages.error());
  if (reader.isInside()) return no(Errc::BAD_FORMAT, "a membership message is cut off");
  std::vector<Buffer> ops;
  for (auto& message: *messages) {
    if (message.kind != KIND_OP) return no(Errc::BAD_FORMAT, "a log holds ops alone");
    ops.push_back(kj::mv(message.body));
  }
  return ops;
}

}  // namespace hearth::crypto
