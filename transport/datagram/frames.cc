#include "transport/datagram/frames.h"

#include "core/base/flat.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::transport {

namespace {

enum Flag : uint8_t {
  ACK = 1,
  CREDIT = 2,
  PROBE = 4,
  ANSWER = 8,
  RESET = 16,
  PING = 32,
  STREAM = 64,
  END = 128,
};

constexpr size_t ACK_BYTES = 8 + 4 + 4 + 1, RUN_BYTES = 4 + 4;
constexpr uint64_t U32_MAX = 0xffff'ffff;

// Numbers below a range of an Ack, taken from the wire; false: there are not so many.
bool step(uint64_t& at, uint64_t count) {
  if (count > at) return false;
  at -= count;
  return true;
}

kj::Maybe<Ack> readAck(FlatReader& in) {
  Ack ack{.newest = in.u64()};
  ack.delay = in.u32() * kj::MICROSECONDS;
  auto run = in.u32();
  auto more = in.count8(Ack::RUNS_MAX - 1, RUN_BYTES);
  if (!in.good() || run == 0 || ack.newest == UINT64_MAX) return nullptr;
  auto at = ack.newest + 1;
  for (size_t i = 0; i <= more; ++i) {
    uint32_t gap = 0;
    if (i > 0) {
      gap = in.u32();
      run = in.u32();
      if (gap == 0 || run == 0 || !step(at, gap)) return nullptr;
    }
    auto end = at;
    if (!step(at, run)) return nullptr;
    ack.runs[ack.count++] = {at, end};
  }
  return ack;
}

class Pen final {
 public:
  explicit Pen(kj::ArrayPtr<kj::byte> out): start(out.begin()), at(start) {}

  template <typename T>
  void number(T value) {
    bytes(crypto::Little(value).asBytes());
  }
  void bytes(crypto::Bytes value) {
    memcpy(at, value.begin(), value.size());
    at += value.size();
  }
  size_t written() const { return static_cast<size_t>(at - start); }

 private:
  kj::byte* start;
  kj::byte* at;
};

// A run longer than 32 bits hold is told as one that is shorter.
uint32_t narrow(uint64_t value) { return static_cast<uint32_t>(std::min(value, U32_MAX)); }

void writeAck(Pen& pen, const Ack& ack) {
  pen.number(ack.newest);
  pen.number(narrow(static_cast<uint64_t>(ack.delay / kj::MICROSECONDS)));
  pen.number(narrow(ack.runs[0].size()));
  pen.number(static_cast<uint8_t>(ack.count - 1));
  for (size_t i = 1; i < ack.count; ++i) {
    pen.number(narrow(ack.runs[i - 1].begin - ack.runs[i].end));
    pen.number(narrow(ack.runs[i].size()));
  }
}

kj::Maybe<ProbeToken> readToken(uint8_t flags, Flag flag, FlatReader& in) {
  if (!(flags & flag)) return nullptr;
  return in.id<ProbeToken>();
}

}  // namespace

Result<Frames> readFrames(crypto::Bytes input) {
  FlatReader in(input);
  Frames frames;
  auto flags = in.u8();
  if (flags & ACK) {
    frames.ack = readAck(in);
    if (frames.ack == nullptr) in.refuse();
  }
  if (flags & CREDIT) frames.credit = in.u64();
  frames.probe = readToken(flags, PROBE, in);
  frames.answer = readToken(flags, ANSWER, in);
  frames.reset = flags & RESET;
  frames.ping = flags & PING;
  frames.stream = flags & STREAM;
  frames.end = flags & END;
  if (frames.end && !frames.stream) in.refuse();
  if (frames.stream) {
    frames.offset = in.u64();
    if (in.good()) frames.bytes = in.bytes(in.remaining().size());
    if (frames.offset > UINT64_MAX - frames.bytes.size()) in.refuse();
  }
  if (auto finished = in.finish(); !finished) return no(finished.error());
  return frames;
}

size_t framesBytes(const Frames& frames) {
  size_t size = 1;
  KJ_IF_MAYBE(ack, frames.ack) size += ACK_BYTES + (ack->count - 1) * RUN_BYTES;
  if (frames.credit != nullptr) size += 8;
  if (frames.probe != nullptr) size += ProbeToken::SIZE;
  if (frames.answer != nullptr) size += ProbeToken::SIZE;
  if (frames.stream) size += 8;
  return size;
}

size_t writeFrames(const Frames& frames, kj::ArrayPtr<kj::byte> out) {
  KJ_IREQUIRE(out.size() >= framesBytes(frames));
  Pen pen(out);
  uint8_t flags = (frames.ack != nullptr ? ACK : 0) | (frames.credit != nullptr ? CREDIT : 0) |
      (frames.probe != nullptr ? PROBE : 0) | (frames.answer != nullptr ? ANSWER : 0) |
      (frames.reset ? RESET : 0) | (frames.ping ? PING : 0) | (frames.stream ? STREAM : 0) |
      (frames.end ? END : 0);
  pen.number(flags);
  KJ_IF_MAYBE(ack, frames.ack) writeAck(pen, *ack);
  KJ_IF_MAYBE(credit, frames.credit) pen.number(*credit);
  KJ_IF_MAYBE(token, frames.probe) pen.bytes(token->asBytes());
  KJ_IF_MAYBE(token, frames.answer) pen.bytes(token->asBytes());
  if (frames.stream) pen.number(frames.offset);
  return pen.written();
}

}  // namespace hearth::transport
