#include "devices/node/levels.h"
#include "tests/devices/device-on-disk.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

namespace hearth::devices {
namespace {

TEST_CASE("a level says how far below full scale the sound is, and silence is the lowest") {
  auto tone = [](double amplitude) {
    auto samples = kj::heapArray<int16_t>(Levels::SAMPLES_EACH);
    for (size_t i = 0; i < samples.size(); ++i)
      samples[i] = static_cast<int16_t>(amplitude * std::sin(static_cast<double>(i) / 5));
    return levelOf(samples);
  };
  REQUIRE(tone(32'767) == 3);  // a sine's power is half of its peak's
  REQUIRE(tone(3'277) == 23);
  REQUIRE(tone(0) == SILENCE_DB);
  REQUIRE(levelOf(nullptr) == SILENCE_DB);
  const int16_t quietest[] = {1, 0, 0, 0}, loudest[] = {INT16_MIN, INT16_MIN};
  REQUIRE(levelOf(quietest) == SILENCE_DB);
  REQUIRE(levelOf(loudest) == 0);
}

struct Nowhere final: kj::Network {
  kj::Promise<kj::Own<kj::NetworkAddress>> parseAddress(kj::StringPtr, kj::uint) override {
    KJ_UNREACHABLE;
  }
  kj::Own<kj::NetworkAddress> getSockaddr(const void*, kj::uint) override { KJ_UNREACHABLE; }
  kj::Own<kj::Network> restrictPeers(
      kj::ArrayPtr<const kj::StringPtr>, kj::ArrayPtr<const kj::StringPtr>) override {
    KJ_UNREACHABLE;
  }
};

struct Nobody final: CircleKeeper::Observer, transport::Links::Observer {
  void circleChanged() override {}
  void remembered() override {}
  void heartbeatCame() override {}
  void peerUp(const DeviceId&) override {}
  void peerDown(const DeviceId&, Error) override {}
  void incoming(const DeviceId&, kj::Array<const kj::byte>, kj::Own<kj::AsyncIoStream>) override {}
  capnp::Capability::Client bootstrapFor(const DeviceId&) override { KJ_UNREACHABLE; }
};

// Counts what is sent to whoever has opened it.
struct Heard final: transport::LiveStream {
  explicit Heard(size_t& frames): frames(frames) {}
  size_t& frames;

  uint64_t sendFrame(kj::ArrayPtr<const kj::byte>, kj::Duration) override { return ++frames; }
  kj::Promise<transport::LiveFrame> nextFrame() override { return kj::NEVER_DONE; }
  kj::Promise<size_t> tryRead(void*, size_t, size_t) override { return kj::NEVER_DONE; }
  kj::Promise<void> write(const void*, size_t) override { return kj::READY_NOW; }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>>) override {
    return kj::READY_NOW;
  }
  kj::Promise<void> whenWriteDisconnected() override { return kj::NEVER_DONE; }
  void shutdownWrite() override {}
};

// A tenth of a second of silence each time.
struct Quiet final: router::StageBody {
  kj::Promise<Result<void>> write(size_t, const router::Frame&) override { return Result<void>(); }
  kj::Promise<Result<Output>> read() override {
    Output output;
    output.payload = kj::heapArray<kj::byte>(Levels::SAMPLES_EACH * sizeof(int16_t));
    return Result<Output>(kj::mv(output));
  }
};

TEST_CASE(
    "how loud it is at a microphone is told to the job's coordinator, and to no other device") {
  DeviceOnDisk own;
  storage::Store store{own.executor, own.home.open()};
  Nobody nobody;
  Nowhere nowhere;
  auto keeper = own.keeperOf(own.stored(store), store, nobody);
  crypto::EphemeralGuard guard([]() { KJ_UNREACHABLE; });
  transport::Links links({own.timer, own.entropy, guard, *keeper}, nowhere, nobody);
  Levels levels(own.identity.keys.id, links);
  auto coordinator = own.entropy.draw<DeviceId>(), other = own.entropy.draw<DeviceId>();
  router::StageSpec spec{.job = own.entropy.draw<JobId>(), .stage = 3, .coordinator = coordinator};
  auto microphone = levels.metered(spec, kj::heap<Quiet>());
  FlatWriter header;
  header.u8(STREAM_KIND_LEVELS).bytes(spec.job.asBytes()).u8(spec.stage);
  size_t heard = 0, overheard = 0;
  levels.accept(coordinator, header.asBytes(), kj::heap<Heard>(heard));
  levels.accept(other, header.asBytes(), kj::heap<Heard>(overheard));
  REQUIRE(microphone->read().wait(own.uv.waitScope).has_value());
  REQUIRE(heard == 1);
  REQUIRE(overheard == 0);
}

}  // namespace
}  // namespace hearth::devices
