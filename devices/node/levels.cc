#include "devices/node/levels.h"

#include "core/base/flat.h"
#include "transport/link/lane-stream.h"

#include <kj/debug.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace hearth::devices {

uint8_t levelOf(kj::ArrayPtr<const int16_t> samples) {
  double power = 0;
  for (double sample: samples) power += sample * sample;
  if (power == 0) return SILENCE_DB;
  auto full = 32'768.0 * 32'768.0 * static_cast<double>(samples.size());
  auto below = 10 * std::log10(full / power);
  return static_cast<uint8_t>(std::clamp(std::lround(below), 0L, long{SILENCE_DB}));
}

// A microphone that is listened to twice: by the stages behind it, and by eyes.
class Levels::Meter final: public router::StageBody {
 public:
  Meter(Levels& levels, const router::StageSpec& spec, kj::Own<router::StageBody> microphone)
      : coordinator(spec.coordinator),
        levels(levels),
        key(spec.job, spec.stage),
        microphone(kj::mv(microphone)) {
    levels.meters[key] = this;
  }
  ~Meter() noexcept(false) {
    auto found = levels.meters.find(key);
    if (found != levels.meters.end() && found->second == this) levels.meters.erase(found);
  }

  kj::Promise<Result<void>> write(size_t port, const router::Frame& frame) override {
    return microphone->write(port, frame);
  }
  kj::Promise<Result<Output>> read() override {
    return microphone->read().then([this](Result<Output> output) {
      if (output) measure(output->payload);
      return output;
    });
  }

  const DeviceId coordinator;

  // The newest listener is told, and nobody else.
  void tell(kj::Function<void(kj::byte)> function) { listener = kj::mv(function); }
  void tellNobody() { listener = nullptr; }

 private:
  Levels& levels;
  Key key;
  kj::Own<router::StageBody> microphone;
  std::vector<int16_t> heard;
  kj::Maybe<kj::Function<void(kj::byte)>> listener;

  void measure(kj::ArrayPtr<const kj::byte> bytes) {
    if (listener == nullptr) return;
    auto before = heard.size();
    heard.resize(before + bytes.size() / sizeof(int16_t));
    if (heard.size() > before)
      memcpy(heard.data() + before, bytes.begin(), (heard.size() - before) * sizeof(int16_t));
    if (heard.size() < SAMPLES_EACH) return;
    auto level = levelOf(kj::arrayPtr(heard.data(), heard.size()));
    heard.clear();
    KJ_IF_MAYBE(told, listener) (*told)(level);
  }
};

kj::Own<router::StageBody> Levels::metered(
    const router::StageSpec& spec, kj::Own<router::StageBody> microphone) {
  return kj::heap<Meter>(*this, spec, kj::mv(microphone));
}

void Levels::accept(
    const DeviceId& peer, kj::ArrayPtr<const kj::byte> header, kj::Own<kj::AsyncIoStream> stream) {
  FlatReader in(header);
  in.u8();
  auto job = in.id<JobId>();
  auto stage = in.u8();
  auto live = dynamic_cast<transport::LiveStream*>(stream.get());
  auto found = meters.find({job, stage});
  if (!in.finish() || live == nullptr || found == meters.end()) return;
  if (found->second->coordinator != peer) return;
  found->second->tell([stream = kj::mv(stream), live](kj::byte level) {
    kj::byte bytes[] = {level};
    live->sendFrame(bytes, WORTH);
  });
}

kj::Promise<void> Levels::follow(
    const DeviceId& device, const JobId& job, router::StageIndex stage, Show& show) {
  if (device == self) co_return co_await followHere({job, stage}, show);
  FlatWriter header;
  header.u8(STREAM_KIND_LEVELS).bytes(job.asBytes()).u8(stage);
  auto stream = links.open(device, transport::Lane::LIVE, header.asBytes());
  if (!stream) co_return;  // it is asked again when the device is there
  auto& live = kj::downcast<transport::LiveStream>(**stream);
  for (;;) {
    auto frame = co_await live.nextFrame();
    if (frame.bytes.size() != 1 || frame.bytes[0] > SILENCE_DB) co_return;
    show({frame.bytes[0], frame.skipped});
  }
}

kj::Promise<void> Levels::followHere(Key key, Show& show) {
  auto found = meters.find(key);
  if (found == meters.end()) co_return;
  found->second->tell([&show](kj::byte level) { show({level, 0}); });
  KJ_DEFER({
    auto there = meters.find(key);
    if (there != meters.end()) there->second->tellNobody();
  });
  co_await kj::Promise<void>(kj::NEVER_DONE);
}

}  // namespace hearth::devices
