#include "router/engine/protocol/message.h"

#include <kj/debug.h>

namespace hearth::engine {

namespace {

constexpr size_t FRAME_HEAD_BYTES = 1 + 1 + 8 + 8 + 4;

kj::ArrayPtr<const kj::byte> bytesOf(const std::string& text) {
  return kj::arrayPtr(reinterpret_cast<const kj::byte*>(text.data()), text.size());
}
kj::ArrayPtr<const kj::byte> bytesOf(const std::vector<kj::byte>& bytes) {
  return kj::arrayPtr(bytes.data(), bytes.size());
}
std::string textOf(kj::ArrayPtr<const kj::byte> bytes) {
  return std::string(bytes.asChars().begin(), bytes.size());
}

void writeHeader(FlatWriter& out, size_t length, uint8_t type, uint64_t jobId) {
  KJ_REQUIRE(length <= ENGINE_BODY_BYTES_MAX, length);
  out.u32(static_cast<uint32_t>(length)).u8(type).u64(jobId);
}

kj::Array<kj::byte> withHeader(uint8_t type, uint64_t jobId, const FlatWriter& body) {
  FlatWriter out;
  writeHeader(out, body.size(), type, jobId);
  return out.bytes(body.asBytes()).finish();
}

EngineCut readCut(FlatReader& in) {
  EngineCut cut;
  for (auto n = in.count8(ENGINE_INPUTS_MAX, 8); n > 0; --n) cut.inUpto.push_back(in.u64());
  auto state = in.var8(ENGINE_STATE_BYTES_MAX);
  cut.state.assign(state.begin(), state.end());
  return cut;
}

OutMessage readOut(FlatReader& in) {
  OutMessage out;
  out.frame.port = in.u8();
  out.frame.flags = in.u8();
  out.frame.seq = in.u64();
  out.frame.ptsUs = in.u64();
  auto hasCut = in.u8();
  if (hasCut > 1) in.refuse();
  if (hasCut == 1) out.cut = readCut(in);
  out.frame.payload = kj::heapArray(in.var32(ENGINE_BODY_BYTES_MAX));
  if (out.frame.port >= ENGINE_OUT_PORTS || (out.frame.flags & ~ENGINE_FLAGS_ALL) != 0 ||
      ((out.frame.flags & ENGINE_FLAG_END) && out.frame.payload.size() > 0)) {
    in.refuse();
  }
  return out;
}

FailedMessage readFailed(FlatReader& in) {
  auto errc = in.u16();
  if (errc == 0) in.refuse();
  // A code that is not one of Hearth's is the plugin's fault as well, and says no more than that.
  bool known = errc <= static_cast<uint16_t>(Errc::INTEGRITY_FAILED);
  return {
      known ? static_cast<Errc>(errc) : Errc::BAD_FORMAT, textOf(in.var8(ENGINE_REASON_BYTES_MAX))};
}

PluginMessage readBody(uint8_t type, FlatReader& in) {
  switch (type) {
    case ENGINE_READY: {
      auto abi = in.u16();
      return ReadyMessage{abi, textOf(in.var8(ENGINE_NAME_BYTES_MAX))};
    }
    case ENGINE_OPENED:
      return OpenedMessage{};
    case ENGINE_OUT:
      return readOut(in);
    case ENGINE_CLOSED:
      return ClosedMessage{};
    case ENGINE_FAILED:
      return readFailed(in);
    case ENGINE_PONG:
      return PongMessage{};
    case ENGINE_CONSUMED: {
      auto port = in.u8();
      return ConsumedMessage{port, in.u64()};
    }
    default:
      in.refuse();
      return PongMessage{};
  }
}

}  // namespace

EngineHeader parseHeader(kj::ArrayPtr<const kj::byte> bytes) {
  KJ_REQUIRE(bytes.size() == ENGINE_HEADER_BYTES);
  FlatReader in(bytes);
  return {in.u32(), in.u8(), in.u64()};
}

kj::Array<kj::byte> openMessage(uint64_t jobId, const EngineJob& job) {
  KJ_REQUIRE(job.nextInSeq.size() <= ENGINE_INPUTS_MAX);
  KJ_REQUIRE(job.state.size() <= ENGINE_STATE_BYTES_MAX);
  FlatWriter body;
  body.var8(bytesOf(job.task)).var16(bytesOf(job.params));
  body.u8(static_cast<uint8_t>(job.nextInSeq.size())).u64(job.nextOutSeq);
  body.u8(static_cast<uint8_t>(job.nextInSeq.size()));
  for (auto seq: job.nextInSeq) body.u64(seq);
  body.var8(bytesOf(job.state));
  return withHeader(ENGINE_OPEN, jobId, body);
}

kj::Array<kj::byte> emptyMessage(uint8_t type, uint64_t jobId) {
  return withHeader(type, jobId, FlatWriter());
}

kj::Array<kj::byte> frameMessageHead(uint64_t jobId, const EngineFrame& frame) {
  FlatWriter out;
  writeHeader(out, FRAME_HEAD_BYTES + frame.payload.size(), ENGINE_FRAME, jobId);
  out.u8(frame.port).u8(frame.flags).u64(frame.seq).u64(frame.ptsUs);
  return out.u32(static_cast<uint32_t>(frame.payload.size())).finish();
}

Result<PluginMessage> parseBody(uint8_t type, kj::ArrayPtr<const kj::byte> body) {
  FlatReader in(body);
  auto message = readBody(type, in);
  if (auto end = in.finish(); !end) return no(end.error());
  return message;
}

}  // namespace hearth::engine
