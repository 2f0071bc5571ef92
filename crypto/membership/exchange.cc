#include "crypto/membership/exchange.h"

#include "core/base/flat.h"

namespace hearth::crypto {

namespace {

constexpr uint8_t KIND_OP = 3, KIND_HEARTBEAT = 4, KIND_FORK = 5, KIND_DONE = 6;
constexpr size_t HEADS_MAX = 64;
constexpr size_t AUTHORS_MAX = 1'024;
constexpr size_t HEAD_ENVELOPES_MAX = 64;
void append(FlatWriter& out, uint8_t kind, Bytes body) { out.bytes(writeMessage(kind, body)); }

void appendOps(FlatWriter& out, const std::vector<Bytes>& envelopes) {
  for (auto envelope: envelopes) append(out, KIND_OP, envelope);
}

// What proves that an author signed two ops under one number goes ahead of everything (§5.7). Ops that
// are too large for one message come by themselves.
void appendForks(FlatWriter& out, const std::vector<LogFork>& forks) {
  for (auto& fork: forks) {
    FlatWriter body;
    body.var32(fork.first).var32(fork.second);
    auto bytes = body.finish();
    if (bytes.size() <= MESSAGE_BODY_BYTES_MAX) append(out, KIND_FORK, bytes);
  }
}

// The end of `envelopes` that a peer takes who does not know this device yet.
std::vector<Bytes> newestForStranger(std::vector<Bytes> envelopes) {
  constexpr size_t FRAMING_BYTES = 5;
  constexpr size_t ROOM_FOR_DONE = FRAMING_BYTES;
  size_t bytes = ROOM_FOR_DONE, count = 0;
  while (count < envelopes.size() && count < LogExchange::STRANGER_OPS_MAX) {
    bytes += FRAMING_BYTES + envelopes[envelopes.size() - 1 - count].size();
    if (bytes > LogExchange::STRANGER_BYTES_MAX) break;
    ++count;
  }
  envelopes.erase(envelopes.begin(), envelopes.end() - static_cast<ptrdiff_t>(count));
  return envelopes;
}

}  // namespace

Buffer LogExchange::heads() const {
  FlatWriter out;
  // A device that has no part any more learns nothing of what came after it.
  bool tells = audience() == Audience::MEMBER;
  auto heads = tells ? log.heads() : std::vector<OpHash>();
  out.u8(static_cast<uint8_t>(heads.size()));
  for (auto& hash: heads) out.bytes(hash.asBytes());
  auto newest = tells ? log.newestByAuthor() : std::map<DeviceId, Newest>();
  while (newest.size() > AUTHORS_MAX) newest.erase(std::prev(newest.end()));
  out.u16(static_cast<uint16_t>(newest.size()));
  for (auto& [author, entry]: newest)
    out.bytes(author.asBytes()).u64(entry.first).bytes(entry.second.asBytes());
  out.u16(0);
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
  std::map<DeviceId, Newest> stated;
  auto authors = in.count16(AUTHORS_MAX, DeviceId::SIZE + 8 + OpHash::SIZE);
  for (size_t i = 0; i < authors; ++i) {
    auto author = in.id<DeviceId>();
    auto seq = in.u64();
    stated[author] = {seq, in.id<OpHash>()};
  }
  auto envelopes = in.count16(HEAD_ENVELOPES_MAX, 2);
  for (size_t i = 0; i < envelopes; ++i) in.var16();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  confirmedByPeer = true;
  sentUpto = log.size();
  Step step;
  FlatWriter out;
  if (audience() == Audience::MEMBER) {
    // A member names its heads, always: whoever names none does not know this device yet.
    bool isKnown = !peerHeads.empty();
    if (isKnown) compare(stated, step);
    if (isKnown) appendForks(out, log.forksBeyond(peerHeads));
    auto missing = log.envelopesBeyond(peerHeads);
    appendOps(out, isKnown ? missing : newestForStranger(kj::mv(missing)));
    if (isKnown) {
      for (auto beat: freshBeats()) append(out, KIND_HEARTBEAT, beat);
    }
  }
  if (audience() == Audience::GONE) appendOps(out, log.envelopesForRemoved(peer));
  append(out, KIND_DONE, nullptr);
  step.send = out.finish();
  return step;
}

// Nobody knows more of an author than itself, unless it has forgotten.
void LogExchange::compare(const std::map<DeviceId, Newest>& stated, Step& step) const {
  auto known = log.newestByAuthor();
  auto of = [](const std::map<DeviceId, Newest>& all, const DeviceId& author) {
    auto found = all.find(author);
    return found == all.end() ? Newest() : found->second;
  };
  auto isBehind = [](const Newest& own, const Newest& witnessed) {
    return own.first < witnessed.first || (own.first == witnessed.first && own != witnessed);
  };
  step.peerIsBehind = isBehind(of(stated, peer), peersNewest);
  step.selfIsBehind = isBehind(of(known, own), of(stated, own));
}

std::vector<Bytes> LogExchange::freshBeats() {
  std::vector<Bytes> fresh;
  KJ_IF_MAYBE(known, beats) {
    fresh = known->since(beatsSent);
    beatsSent = known->changes();
  }
  return fresh;
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
  if (kind == KIND_HEARTBEAT) {
    if (stranger) return no(Errc::LIMIT_EXCEEDED, "a stranger's heartbeat");
    step.heartbeats.push_back(kj::mv(body));
    return {};
  }
  if (kind == KIND_FORK) {
    FlatReader in(body);
    auto first = in.var32(Op::ENVELOPE_BYTES_MAX), second = in.var32(Op::ENVELOPE_BYTES_MAX);
    if (auto whole = in.finish(); !whole) return whole;
    if (auto taken = takeOp(kj::heapArray<kj::byte>(first), step); !taken) return taken;
    return takeOp(kj::heapArray<kj::byte>(second), step);
  }
  if (kind != KIND_OP) return no(Errc::BAD_FORMAT, "a membership message of no known kind");
  return takeOp(kj::mv(body), step);
}

Result<void> LogExchange::takeOp(Buffer envelope, Step& step) {
  if (stranger && ++opsTaken > STRANGER_OPS_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a stranger pushes too many ops");
  step.ops.push_back(kj::mv(envelope));
  return {};
}

Buffer LogExchange::news() {
  if (!confirmedByPeer || audience() == Audience::STRANGER) return nullptr;
  FlatWriter out;
  if (audience() == Audience::GONE) {
    appendOps(out, log.envelopesForRemoved(peer));
  } else {
    appendForks(out, log.forksSince(sentUpto));
    appendOps(out, log.envelopes(sentUpto));
    for (auto beat: freshBeats()) append(out, KIND_HEARTBEAT, beat);
  }
  sentUpto = log.size();
  return out.finish();
}

Buffer encodeLog(const MembershipLog& log) {
  FlatWriter out;
  appendOps(out, log.envelopes());
  return out.finish();
}

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
