// Bulk takes two milliseconds of the path at a time, whatever the path is.
#include "tests/transport/linked.h"
#include "transport/datagram/secured.h"
#include "transport/link/bulk-pace.h"

#include <cstring>
#include <deque>

namespace hearth::transport {
namespace {

constexpr auto T0 = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;
constexpr double MBIT = 1e6 / 8;

size_t recordAt(double bytesPerSecond) {
  BulkPace pace;
  pace.measured(bytesPerSecond, false, T0);
  return pace.recordBytes();
}

TEST_CASE("a record of bulk is two milliseconds of the path, and 16 KiB at least") {
  REQUIRE(recordAt(-1) == 16 << 10);
  REQUIRE(recordAt(1 * MBIT) == 16 << 10);
  REQUIRE(recordAt(10 * MBIT) == 16 << 10);
  REQUIRE(recordAt(100 * MBIT) == 25'000);
  REQUIRE(recordAt(10'000 * MBIT) == BulkPace::RECORD_BYTES_MAX);
}

TEST_CASE("what may be unsent is said anew when it has changed by a quarter") {
  BulkPace pace;
  REQUIRE(KJ_ASSERT_NONNULL(pace.unsentToSay()) == BulkPace::UNSENT_BYTES_LEAST);
  REQUIRE(pace.unsentToSay() == nullptr);
  pace.measured(1'000 * MBIT, false, T0);
  REQUIRE(KJ_ASSERT_NONNULL(pace.unsentToSay()) == 250'000);
  pace.measured(1'200 * MBIT, false, T0);
  REQUIRE(pace.unsentToSay() == nullptr);
  pace.measured(1'300 * MBIT, false, T0);
  REQUIRE(KJ_ASSERT_NONNULL(pace.unsentToSay()) == 325'000);
}

TEST_CASE(
    "a path that was not full does not make records smaller, one that was full does so slowly") {
  BulkPace pace;
  pace.measured(160 * MBIT, true, T0);
  pace.measured(1 * MBIT, true, T0);
  REQUIRE(pace.recordBytes() == 40'000);
  pace.measured(1 * MBIT, false, T0);
  REQUIRE(pace.recordBytes() > 30'000);
  for (int i = 0; i < 50; ++i) pace.measured(1 * MBIT, false, T0);
  REQUIRE(pace.recordBytes() == BulkPace::RECORD_BYTES_LEAST);
}

TEST_CASE("it is measured while something is written, and not more often than makes sense") {
  BulkPace pace;
  REQUIRE(pace.isDue(T0));
  pace.measured(-1, true, T0);
  REQUIRE_FALSE(pace.isDue(T0 + BulkPace::MEASURE_EVERY - 1 * kj::MILLISECONDS));
  REQUIRE(pace.isDue(T0 + BulkPace::MEASURE_EVERY));
}

// One way of a path that carries so many bytes a second. What is written waits as in a kernel: no more is
// taken while `bound` bytes or more are unsent, and what is taken leaves in order.
class Shaped final: public kj::AsyncIoStream, public Secured {
 public:
  Shaped(kj::Own<kj::AsyncIoStream> inner, kj::Timer& timer, double bytesPerSecond)
      : inner(kj::mv(inner)),
        timer(timer),
        bytesPerSecond(bytesPerSecond),
        sending(send().eagerlyEvaluate(nullptr)) {}

  size_t bound = 128 << 10;  // as carriers have it before anything is measured
  size_t mostUnsent = 0;

  kj::Promise<size_t> tryRead(void* buffer, size_t minBytes, size_t maxBytes) override {
    return inner->tryRead(buffer, minBytes, maxBytes);
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    while (unsent >= bound) co_await drained.wait();
    auto bytes = kj::arrayPtr(static_cast<const kj::byte*>(buffer), size);
    unsent += size;
    mostUnsent = std::max(mostUnsent, unsent);
    for (size_t at = 0; at < size; at += PACKET_BYTES)
      queue.push_back(kj::heapArray(bytes.slice(at, std::min(size, at + PACKET_BYTES))));
    filled.ring();
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    for (auto piece: pieces) co_await write(piece.begin(), piece.size());
  }
  kj::Promise<void> whenWriteDisconnected() override { return inner->whenWriteDisconnected(); }
  void shutdownWrite() override {}

  void secure(PacketKeys) override {}
  void keepAlive(kj::Maybe<kj::Duration>) override {}
  Facts facts() const override { return {.rttS = 0.01, .bandwidthBps = bytesPerSecond}; }
  void boundUnsent(size_t bytes) override { bound = bytes; }

 private:
  static constexpr size_t PACKET_BYTES = 1'448;

  kj::Own<kj::AsyncIoStream> inner;
  kj::Timer& timer;
  double bytesPerSecond;
  std::deque<kj::Array<kj::byte>> queue;
  size_t unsent = 0;
  kj::TimePoint leavesAt = T0, wokenAt = T0;
  Bell filled, drained;
  kj::Promise<void> sending;

  kj::Promise<void> send() {
    for (;;) {
      while (queue.empty()) {
        co_await filled.wait();
        wokenAt = timer.now();
      }
      auto packet = kj::mv(queue.front());
      queue.pop_front();
      auto takes = static_cast<double>(packet.size()) / bytesPerSecond * 1e9;
      // What the test's clock steps over is made up for.
      leavesAt = kj::max(leavesAt, wokenAt) + static_cast<int64_t>(takes) * kj::NANOSECONDS;
      if (leavesAt > timer.now()) co_await timer.atTime(leavesAt);
      unsent -= packet.size();
      drained.ring();
      co_await inner->write(packet.begin(), packet.size());
    }
  }
};

// Two links over a path of that bandwidth, the phone's bulk poured into it.
struct ShapedLink {
  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  kj::TimerImpl timer{T0};
  LinkEnd phone{1, true}, laptop{2, false};
  Shaped* path = nullptr;
  kj::Own<kj::AsyncIoStream> live, bulk;
  kj::Array<kj::byte> plenty = kj::heapArray<kj::byte>(8 << 20);
  kj::Promise<void> pouring = nullptr;

  explicit ShapedLink(double bytesPerSecond) {
    phone.device.know(laptop.device);
    laptop.device.know(phone.device);
    auto pipe = kj::newTwoWayPipe();
    auto there = kj::heap<Shaped>(kj::mv(pipe.ends[0]), timer, bytesPerSecond);
    path = there.get();
    auto calling = kj::heap<Carrier>(kj::mv(there));
    auto called = kj::heap<Carrier>(kj::mv(pipe.ends[1]));
    Gate gate(laptop.device.entropy, timer.now());
    auto place = KJ_ASSERT_NONNULL(gate.enter({}, timer.now(), []() {}));
    auto answer = respond(laptop.tools(timer), gate, *place, *called, laptop.nextIndex++);
    auto call =
        initiate(phone.tools(timer), *calling, laptop.device.keys.id, phone.nextIndex++, false);
    auto made = during(kj::mv(call)).value();
    auto answered = during(kj::mv(answer)).value();
    phone.start(kj::mv(calling), kj::mv(made), timer);
    laptop.start(kj::mv(called), kj::mv(answered), timer);
    pass(1 * kj::SECONDS);
    phone.carry();
    laptop.carry();
    const kj::byte header[] = {2};
    live = phone.session->open(Lane::LIVE, header).value();
    bulk = phone.session->open(Lane::BULK, header).value();
    pass(100 * kj::MILLISECONDS);
    memset(plenty.begin(), 7, plenty.size());
    pouring = bulk->write(plenty.begin(), plenty.size()).eagerlyEvaluate(nullptr);
  }
  void pass(kj::Duration time) {
    for (auto end = timer.now() + time; timer.now() < end;) {
      timer.advanceTo(timer.now() + 100 * kj::MICROSECONDS);
      scope.poll();
    }
  }
  template <typename T>
  T during(kj::Promise<T> promise) {
    while (!promise.poll(scope)) pass(1 * kj::MILLISECONDS);
    return promise.wait(scope);
  }
  LiveStream& incoming(size_t at) { return kj::downcast<LiveStream>(*laptop.incomingStreams[at]); }
};

// Of two records one is unsent and one waits to be taken; and a little less than what may be unsent was
// there before.
TEST_CASE("a live frame waits for two records of bulk at most, at 1, 10 and 100 Mbit/s") {
  for (double mbits: {1.0, 10.0, 100.0}) {
    CAPTURE(mbits);
    ShapedLink linked(mbits * MBIT);
    REQUIRE(linked.laptop.incomingStreams.size() == 2);
    // Whoever receives bulk reads it, so that credit never is what holds it up.
    auto sink = kj::heapArray<kj::byte>(1 << 20);
    auto draining = kj::evalLater([&]() -> kj::Promise<void> {
      return linked.laptop.incomingStreams[1]->readAllBytes().ignoreResult();
    }).eagerlyEvaluate(nullptr);
    linked.pass(kj::Duration(static_cast<int64_t>(400 / mbits + 100) * kj::MILLISECONDS));
    auto records = linked.phone.link->bulkChunkBytes();
    REQUIRE(records == std::max<size_t>(16 << 10, static_cast<size_t>(mbits * MBIT * 0.002)));
    auto before = linked.phone.session->traffic()[3].sentBytes;
    constexpr size_t FRAMES = 20;
    kj::Duration slowest = 0 * kj::SECONDS;
    for (size_t i = 0; i < FRAMES; ++i) {
      kj::byte frame[640] = {};
      kj::downcast<LiveStream>(*linked.live).sendFrame(frame, 10 * kj::SECONDS);
      auto sentAt = linked.timer.now();
      linked.during(linked.incoming(0).nextFrame());
      slowest = kj::max(slowest, linked.timer.now() - sentAt);
      linked.pass(7 * kj::MILLISECONDS);
    }
    // It was full all the while.
    REQUIRE(linked.phone.session->traffic()[3].sentBytes > before + 4 * records);
    auto padded = records + (1 << 10);  // heads, tags, padding
    auto twoRecords = static_cast<double>(2 * padded + linked.path->bound + 1'448) / (mbits * MBIT);
    CAPTURE(slowest / kj::MICROSECONDS);
    REQUIRE(static_cast<double>(slowest / kj::MICROSECONDS) / 1e6 < twoRecords + 0.002);
    REQUIRE(linked.path->mostUnsent < (128 << 10) + (64 << 10));
  }
}

}  // namespace
}  // namespace hearth::transport
