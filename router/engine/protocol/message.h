#pragma once
// The messages of the engine protocol as values, and their bytes (docs/PROTOCOL.md, "Engine
// protocol"):
//
//   u32 length | u8 type | u64 job_id | body

#include "core/base/flat.h"
#include "router/engine/protocol/numbers.h"

#include <kj/one-of.h>

#include <string>
#include <vector>

namespace hearth::engine {

// An input or output frame of a job. On the way out there is one port, 0.
struct EngineFrame {
  uint8_t port = 0;
  uint8_t flags = 0;  // ENGINE_FLAG_...
  uint64_t seq = 0;
  uint64_t ptsUs = 0;
  kj::Array<const kj::byte> payload;
};

// "An instance opened with `state` and fed from inUpto[i] + 1 goes on exactly as this one."
struct EngineCut {
  std::vector<uint64_t> inUpto;  // by input port
  std::vector<kj::byte> state;

  bool operator==(const EngineCut&) const = default;
};

// What a job is opened with.
struct EngineJob {
  std::string task;
  std::string params = "{}";  // a JSON object
  uint64_t nextOutSeq = 1;
  std::vector<uint64_t> nextInSeq{1};  // by input port
  std::vector<kj::byte> state;         // of a cut; empty for a new job
};

struct EngineHeader {
  uint32_t length = 0;
  uint8_t type = 0;
  uint64_t jobId = 0;
};

EngineHeader parseHeader(kj::ArrayPtr<const kj::byte> bytes);  // ENGINE_HEADER_BYTES of them

// Whole messages of the daemon, header included. Each requires what its limits say.
kj::Array<kj::byte> openMessage(uint64_t jobId, const EngineJob& job);
kj::Array<kj::byte> emptyMessage(uint8_t type, uint64_t jobId);  // CLOSE, PING
// Without the payload, which follows as it is.
kj::Array<kj::byte> frameMessageHead(uint64_t jobId, const EngineFrame& frame);

// What a plugin says.
struct ReadyMessage {
  uint16_t abi;
  std::string name;
};
struct OpenedMessage {};
struct OutMessage {
  EngineFrame frame;
  kj::Maybe<EngineCut> cut;
};
struct ClosedMessage {};
struct FailedMessage {
  Errc errc;
  std::string text;  // the plugin's own words: for the log only
};
struct PongMessage {};
struct ConsumedMessage {
  uint8_t port;
  uint64_t seq;
};
using PluginMessage = kj::OneOf<ReadyMessage, OpenedMessage, OutMessage, ClosedMessage,
    FailedMessage, PongMessage, ConsumedMessage>;

// The body of a message from a plugin. Errors: BAD_FORMAT.
Result<PluginMessage> parseBody(uint8_t type, kj::ArrayPtr<const kj::byte> body);

}  // namespace hearth::engine
