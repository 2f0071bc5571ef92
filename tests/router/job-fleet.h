#pragma once
// Devices of one process that run a job of four stages: the shipping runner, executor and edges. They go away in
// mid-stream as a test wants.

#include "router/run/job-runner.h"

#include <kj/debug.h>

#include <algorithm>
#include <deque>

namespace hearth::router {

constexpr uint64_t SOURCE_FRAMES = 60;

inline DeviceId deviceId(kj::byte n) {
  DeviceId id;
  id.bytes[0] = n;
  return id;
}

// Plays 1, 2, 3 ... END, one frame every 10 ms; every frame can be cut behind.
class CountingSource final: public PreparedStage, public StageBody {
 public:
  explicit CountingSource(kj::Timer& timer): timer(timer) {}
  kj::Promise<Result<kj::Own<StageBody>>> open(const Checkpoint&) override {
    return Result<kj::Own<StageBody>>(kj::heap<CountingSource>(timer));
  }
  kj::Promise<Result<void>> write(size_t, const Frame&) override { return kj::NEVER_DONE; }
  kj::Promise<Result<Output>> read() override {
    co_await timer.afterDelay(10 * kj::MILLISECONDS);
    bool last = ++made > SOURCE_FRAMES;
    co_return Output{.flags = last ? Frame::END : uint8_t{0},
        .payload = kj::heapArray<const kj::byte>((last ? kj::str() : kj::str(made)).asBytes()),
        .cut = Cut{}};
  }

 private:
  kj::Timer& timer;
  uint64_t made = 0;
};

// Adds up three inputs at a time and says the sum; cuts behind every sum. Between sums it says a
// partial frame without a cut, as a voice detector sends speech before its segment is over.
class SumOfThree final: public PreparedStage, public StageBody {
 public:
  explicit SumOfThree(kj::Maybe<Error> crash): crash(crash) {}
  kj::Promise<Result<kj::Own<StageBody>>> open(const Checkpoint& from) override {
    auto body = kj::heap<SumOfThree>(crash);
    body->inUpto = from.inUpto[0];
    return Result<kj::Own<StageBody>>(kj::mv(body));
  }
  kj::Promise<Result<void>> write(size_t, const Frame& frame) override {
    KJ_IF_MAYBE(error, crash) return Result<void>(no(*error));
    ++inUpto;
    KJ_ASSERT(frame.seq == inUpto, "frames come in order and without gaps");
    if (frame.ends()) {
      say(Frame::END, "", true);
    } else {
      auto text = kj::str(frame.payload.asChars());
      sum += text.size() == 0 ? 0 : text.parseAs<uint64_t>();
      bool whole = inUpto % 3 == 0;
      say(0, whole ? kj::str(sum) : kj::str(), whole);
      if (whole) sum = 0;
    }
    return Result<void>();
  }
  kj::Promise<Result<Output>> read() override {
    while (ready.empty()) {
      auto paf = kj::newPromiseAndFulfiller<void>();
      wake = kj::mv(paf.fulfiller);
      co_await paf.promise;
    }
    auto output = kj::mv(ready.front());
    ready.pop_front();
    co_return kj::mv(output);
  }

 private:
  kj::Maybe<Error> crash;
  uint64_t inUpto = 0, sum = 0;
  std::deque<Output> ready;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> wake;

  void say(uint8_t flags, kj::StringPtr text, bool cut) {
    Output output{.flags = flags, .payload = kj::heapArray<const kj::byte>(text.asBytes())};
    if (cut) output.cut = Cut{{inUpto}, {}};
    ready.push_back(kj::mv(output));
    KJ_IF_MAYBE(waiting, wake) (*waiting)->fulfill();
  }
};

class CollectingSink final: public PreparedStage, public StageBody {
 public:
  explicit CollectingSink(std::vector<std::string>& texts): texts(texts) {}
  kj::Promise<Result<kj::Own<StageBody>>> open(const Checkpoint&) override {
    return Result<kj::Own<StageBody>>(kj::heap<CollectingSink>(texts));
  }
  kj::Promise<Result<void>> write(size_t, const Frame& frame) override {
    if (frame.payload.size() > 0)
      texts.emplace_back(frame.payload.asChars().begin(), frame.payload.size());
    return Result<void>();
  }
  kj::Promise<Result<Output>> read() override { return kj::NEVER_DONE; }

 private:
  std::vector<std::string>& texts;
};

class Fleet;

struct Device final: public StageBodies, public Executor::Peers {
  Fleet& fleet;
  DeviceId id;
  bool reachable = true;
  uint32_t pluginsFailing = 0;                 // so many of the next plugin starts fail
  kj::Duration pluginTakes = 0 * kj::SECONDS;  // to start
  kj::Maybe<Error> crash;                      // what the next plugin dies of at its first frame
  kj::PromiseFulfillerPair<void> cut = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> wasCut = nullptr;
  kj::Own<Executor> executor;

  Device(Fleet& fleet, DeviceId id);
  kj::Promise<Result<kj::Own<PreparedStage>>> plugin(const StageSpec&) override {
    if (pluginsFailing > 0) {
      --pluginsFailing;
      return Result<kj::Own<PreparedStage>>(no(Errc::SANDBOX_UNAVAILABLE, "as the test wants"));
    }
    auto dies = crash;
    crash = nullptr;
    return started(pluginTakes, dies);
  }
  kj::Promise<Result<kj::Own<PreparedStage>>> started(kj::Duration takes, kj::Maybe<Error> dies);
  kj::Promise<Result<kj::Own<PreparedStage>>> source(const StageSpec&) override;
  kj::Promise<kj::Own<kj::AsyncIoStream>> openEdge(
      const DeviceId& to, kj::Array<const kj::byte> header) override;
};

// A stream that breaks when either of its devices is cut off.
class BreakableStream final: public kj::AsyncIoStream {
 public:
  BreakableStream(
      kj::Own<kj::AsyncIoStream> inner, kj::ForkedPromise<void>& a, kj::ForkedPromise<void>& b)
      : inner(kj::mv(inner)),
        broken(a.addBranch().exclusiveJoin(b.addBranch()).fork()) {}
  kj::Promise<size_t> tryRead(void* buffer, size_t least, size_t most) override {
    return inner->tryRead(buffer, least, most).exclusiveJoin(breaks<size_t>());
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    return inner->write(buffer, size).exclusiveJoin(breaks<void>());
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    return inner->write(pieces).exclusiveJoin(breaks<void>());
  }
  kj::Promise<void> whenWriteDisconnected() override { return broken.addBranch(); }
  void shutdownWrite() override { inner->shutdownWrite(); }

 private:
  kj::Own<kj::AsyncIoStream> inner;
  kj::ForkedPromise<void> broken;
  template <typename T>
  kj::Promise<T> breaks() {
    return broken.addBranch().then(
        []() -> kj::Promise<T> { return KJ_EXCEPTION(DISCONNECTED, "the device was cut off"); });
  }
};

// Device 0 holds source and sink; the two middle stages run where the placer finds room.
class Fleet final: public JobRunner::Fleet, public JobRunner::Observer {
 public:
  kj::EventLoop loop;
  kj::WaitScope waitScope{loop};
  kj::TimerImpl timer{kj::origin<kj::TimePoint>()};
  std::vector<kj::Own<Device>> devices;
  std::vector<std::string> texts;
  std::vector<JobNote> notes;
  kj::Own<JobRunner> job;

  explicit Fleet(size_t count) {
    for (size_t i = 0; i < count; ++i)
      devices.push_back(kj::heap<Device>(*this, deviceId(static_cast<kj::byte>(i + 1))));
  }

  void begin() {
    JobSpec spec;
    spec.id.bytes[0] = 7;
    spec.stages = {{{"mic", JobStage::Kind::SOURCE}, "mic", "{}"},
        {{"first", JobStage::Kind::PLUGIN}, "test.sum", "{}"},
        {{"second", JobStage::Kind::PLUGIN}, "test.sum", "{}"},
        {{"text", JobStage::Kind::SINK}, "text", "{}"}};
    spec.edges = {{0, 0, 1, 0}, {1, 0, 2, 0}, {2, 0, 3, 0}};
    job = kj::heap<JobRunner>(
        kj::mv(spec), [this](auto& keep, auto& excluded) { return place(keep, excluded); },
        devices[0]->id, *devices[0]->executor, kj::nullClock(), *this, *this,
        kj::heap<CollectingSink>(texts));
    job->begin();
  }

  // Stage s prefers the reachable device s, then s + 1 ..., never device 0.
  std::expected<JobMachine::Assigned, JobMachine::Refusal> place(
      const JobMachine::Assigned& keep, const JobMachine::Excluded& excluded) {
    auto placed = keep;
    placed[0] = placed[3] = {devices[0]->id, {}};
    for (StageIndex stage: {1, 2}) {
      for (size_t i = 0; i + 1 < devices.size() && !placed.contains(stage); ++i) {
        auto& device = *devices[1 + (stage - 1 + i) % (devices.size() - 1)];
        if (device.reachable && !excluded.contains({stage, device.id}))
          placed[stage] = {device.id, {}};
      }
      if (!placed.contains(stage))
        return std::unexpected(JobMachine::Refusal{stage, "no device can do test.sum"});
    }
    return placed;
  }

  void cut(size_t index) {
    auto& device = *devices[index];
    device.reachable = false;
    device.cut.fulfiller->fulfill();
    job->lost(device.id);
  }

  void mend(size_t index) {
    devices[index] = kj::heap<Device>(*this, devices[index]->id);
    job->fleetChanged();
  }

  void run(kj::Duration span) {
    auto end = timer.now() + span;
    for (;;) {
      waitScope.poll();
      auto next = timer.nextEvent().orDefault(end);
      if (next >= end) break;
      timer.advanceTo(next);
    }
    timer.advanceTo(end);
    waitScope.poll();
  }

  rpc::StageHost::Client stageHost(const DeviceId& id) override {
    auto& device = find(id);
    if (!device.reachable) return KJ_EXCEPTION(DISCONNECTED, "the device was cut off");
    return device.executor->host(DeviceId());
  }
  void noted(const JobNote& note, int64_t) override { notes.push_back(note); }

  size_t count(JobNote::Kind kind) const {
    return static_cast<size_t>(std::ranges::count(notes, kind, &JobNote::kind));
  }
  Device& find(const DeviceId& id) { return *devices[id.bytes[0] - 1]; }
};

inline Device::Device(Fleet& fleet, DeviceId id): fleet(fleet), id(id) {
  wasCut = cut.promise.fork();
  executor = kj::heap<Executor>(fleet.timer, kj::nullClock(), id, *this, *this);
}

inline kj::Promise<Result<kj::Own<PreparedStage>>> Device::started(
    kj::Duration takes, kj::Maybe<Error> dies) {
  if (takes > 0 * kj::SECONDS) co_await fleet.timer.afterDelay(takes);
  co_return kj::heap<SumOfThree>(dies);
}

inline kj::Promise<Result<kj::Own<PreparedStage>>> Device::source(const StageSpec&) {
  return Result<kj::Own<PreparedStage>>(kj::heap<CountingSource>(fleet.timer));
}

inline kj::Promise<kj::Own<kj::AsyncIoStream>> Device::openEdge(
    const DeviceId& to, kj::Array<const kj::byte> header) {
  auto& other = fleet.find(to);
  if (!reachable || !other.reachable) return KJ_EXCEPTION(DISCONNECTED, "cut off");
  auto pipe = kj::newTwoWayPipe();
  other.executor->acceptEdge(
      header, kj::heap<BreakableStream>(kj::mv(pipe.ends[0]), wasCut, other.wasCut));
  return kj::Own<kj::AsyncIoStream>(
      kj::heap<BreakableStream>(kj::mv(pipe.ends[1]), wasCut, other.wasCut));
}

// What the undisturbed job says: sums of nine numbers, since two stages add up three each.
inline std::vector<std::string> expectedTexts() {
  std::vector<uint64_t> numbers(SOURCE_FRAMES);
  for (uint64_t i = 0; i < SOURCE_FRAMES; ++i) numbers[i] = (i + 1) % 3 == 0 ? 3 * i : 0;
  std::vector<std::string> texts;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < SOURCE_FRAMES; ++i) {
    sum += numbers[i];
    if ((i + 1) % 3 == 0) texts.push_back(std::to_string(sum)), sum = 0;
  }
  return texts;
}

}  // namespace hearth::router
