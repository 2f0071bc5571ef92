#include "devices/node/text-sink.h"

namespace hearth::devices {

namespace {

class TextSink final: public router::PreparedStage, public router::StageBody {
 public:
  explicit TextSink(DeliverText deliver): deliver(kj::mv(deliver)) {}

  kj::Promise<Result<kj::Own<router::StageBody>>> open(const router::Checkpoint&) override {
    return Result<kj::Own<router::StageBody>>(kj::heap<TextSink>(kj::mv(deliver)));
  }

  kj::Promise<Result<void>> write(size_t, const router::Frame& frame) override {
    if (frame.payload.size() > 0)
      co_await deliver({++pieces, kj::str(frame.payload.asChars()), frame.ptsUs});
    co_return Result<void>();
  }

  kj::Promise<Result<Output>> read() override { return kj::NEVER_DONE; }

 private:
  DeliverText deliver;
  uint64_t pieces = 0;
};

}  // namespace

kj::Own<router::PreparedStage> textSink(DeliverText deliver) {
  return kj::heap<TextSink>(kj::mv(deliver));
}

}  // namespace hearth::devices
