#pragma once
// What a stage does with its frames: a plugin, a sensor or a sink. StageRunner does the rest
// (numbers, replay, commits), so a body sees each input frame once, in order, without gaps.

#include "router/run/frame.h"

#include <kj/async.h>

#include <string>

namespace hearth::router {

struct StageSpec {
  JobId job;
  StageIndex stage = 0;
  DeviceId coordinator;  // who has ordered it
  std::string task;
  std::string params;  // JSON
  Digest plugin;       // zero unless a plugin
  size_t inputs = 0;
};

class StageBody {
 public:
  struct Cut {
    std::vector<uint64_t> inUpto;
    std::vector<kj::byte> state;
  };
  struct Output {
    uint8_t port = 0;
    uint8_t flags = 0;
    uint64_t ptsUs = 0;
    kj::Array<const kj::byte> payload;
    kj::Maybe<Cut> cut;
  };

  // Resolves when the body has taken the frame and can take another. For a sink: when the frame
  // has been delivered for good.
  virtual kj::Promise<Result<void>> write(size_t port, const Frame& frame) = 0;

  // The next output. Never resolves for a sink. An error ends the stage.
  virtual kj::Promise<Result<Output>> read() = 0;

  virtual ~StageBody() noexcept(false) = default;
};

// A stage whose means are reserved (a warm plugin instance, an open sensor) and that has not
// begun, because where it begins is known only once its consumers have attached.
class PreparedStage {
 public:
  // `from`: begin behind from.inUpto, the first output being from.outSeq + 1.
  virtual kj::Promise<Result<kj::Own<StageBody>>> open(const Checkpoint& from) = 0;
  virtual ~PreparedStage() noexcept(false) = default;
};

// Where a device's bodies come from.
class StageBodies {
 public:
  // Errors: LIMIT_EXCEEDED or BUSY (no room), NOT_AUTHORISED, MEASUREMENT_MISMATCH (no such
  // plugin), SANDBOX_UNAVAILABLE.
  virtual kj::Promise<Result<kj::Own<PreparedStage>>> plugin(const StageSpec& spec) = 0;
  virtual kj::Promise<Result<kj::Own<PreparedStage>>> source(const StageSpec& spec) = 0;
};

}  // namespace hearth::router
