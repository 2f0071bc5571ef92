#include "crypto/membership/exchange.h"

#include "core/base/flat.h"

namespace hearth::crypto {

namespace {

constexpr uint8_t KIND_OP = 3, KIND_DONE = 6;
constexpr size_t HEADS_MAX = 64;
constexpr size_t AUTHORS_MAX = 1'024;
constexpr size_t HEAD_ENVELOPES_MAX = 64;
constexpr size_t PREFIX_BYTES = 5;  // length and kind

void writeMessage(FlatWriter& out, uint8_t kind, Bytes body) {
  out.u32(static_cast<uint32_t>(body.size())).u8(kind).bytes(body);
}

Buffer opMessages(const std::vector<Bytes>& envelopes, bool done) {
  FlatWriter out;
  for (auto envelope: envelopes) writeMessage(out, KIND_OP, envelope);
  if (done) writeMessage(out, KIND_DONE, nullptr);
  return out.finish();
}

struct Message {
  uint8_t kind;
  Bytes body;
};

// The message at the front of `bytes`, or none while it is not whole.
Result<kj::Maybe<Message>> nextMessage(Bytes bytes) {
  if (bytes.size() < PREFIX_BYTES) return kj::Maybe<Message>();
  FlatReader in(bytes);
  auto length = in.u32();
  auto kind = in.u8();
  if (length > LogExchange::MESSAGE_BYTES_MAX)
    return no(Errc::BAD_LENGTH, "a membership message over its limit");
  if (in.remaining().size() < length) return kj::Maybe<Message>();
  return kj::Maybe<Message>(Message{kind, in.bytes(length)});
}

Buffer copy(Bytes bytes) { return kj::heapArray<kj::byte>(bytes); }

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
  partial.addAll(bytes);
  Step step;
  size_t used = 0;
  for (;;) {
    auto message = nextMessage(partial.asPtr().slice(used, partial.size()));
    if (!message) return no(message.error());
    auto& ready = *message;
    if (ready == nullptr) break;
    KJ_IF_MAYBE(whole, ready) {
      if (auto taken = take(whole->kind, whole->body, step); !taken) return no(taken.error());
      used += PREFIX_BYTES + whole->body.size();
    }
  }
  auto rest = kj::heapArray<kj::byte>(partial.asPtr().slice(used, partial.size()));
  partial.clear();
  partial.addAll(rest);
  step.done = peerDone && confirmedByPeer;
  return step;
}

Result<void> LogExchange::take(uint8_t kind, Bytes body, Step& step) {
  if (kind == KIND_DONE) {
    if (body.size() > 0) return no(Errc::BAD_FORMAT, "a DONE with a body");
    peerDone = true;
    return {};
  }
  if (kind != KIND_OP) return no(Errc::BAD_FORMAT, "a membership message of no known kind");
  if (stranger && ++opsTaken > STRANGER_OPS_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a stranger pushes too many ops");
  step.ops.push_back(copy(body));
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

Result<std::vector<Buffer>> decodeLog(Bytes messages) {
  std::vector<Buffer> ops;
  while (messages.size() > 0) {
    auto message = nextMessage(messages);
    if (!message) return no(message.error());
    auto& ready = *message;
    if (ready == nullptr) return no(Errc::BAD_FORMAT, "a membership message is cut off");
    KJ_IF_MAYBE(whole, ready) {
      if (whole->kind != KIND_OP) return no(Errc::BAD_FORMAT, "a log holds ops alone");
      ops.push_back(copy(whole->body));
      messages = messages.slice(PREFIX_BYTES + whole->body.size(), messages.size());
    }
  }
  return ops;
}

}  // namespace hearth::crypto
