#include "bench/lanes.h"

#include "bench/link-ends.h"
#include "bench/process.h"
#include "bench/served.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::bench {

namespace {

using nlohmann::json;

constexpr size_t FRAME_BYTES = 640;  // 20 ms of speech
constexpr kj::Duration FRAME_EVERY = 2 * kj::MILLISECONDS;
constexpr size_t BULK_STREAMS = 2;
constexpr size_t BULK_WRITE_BYTES = 64 << 10;
// The first byte of a stream's header, beyond the kinds that links know, and of what it carries.
constexpr kj::byte LIVE = 0xf0, BULK = 0xf1;

// The served side answers each live frame by the time at which it was read, and swallows bulk.
kj::Promise<void> serve(kj::Own<kj::AsyncIoStream> stream) {
  auto buffer = kj::heapArray<kj::byte>(BULK_WRITE_BYTES);
  kj::byte kind[1];
  co_await stream->read(kind, 1);
  if (kind[0] == BULK) {
    while (co_await stream->tryRead(buffer.begin(), 1, buffer.size()) > 0) {}
    co_return;
  }
  for (;;) {
    co_await stream->read(buffer.begin(), FRAME_BYTES);
    double now = wallS();
    co_await stream->write(&now, sizeof(now));
  }
}

struct Live {
  std::vector<double> us;

  double at(double share) {
    std::ranges::sort(us);
    return us[static_cast<size_t>(share * double(us.size() - 1))];
  }
};

kj::Promise<void> sendLive(
    kj::Timer& timer, kj::AsyncIoStream& stream, double seconds, Live& live) {
  kj::byte frame[FRAME_BYTES] = {};
  for (auto end = wallS() + seconds; wallS() < end;) {
    co_await timer.afterDelay(FRAME_EVERY);
    double written = wallS(), read;
    co_await stream.write(frame, FRAME_BYTES);
    co_await stream.read(&read, sizeof(read));
    live.us.push_back((read - written) * 1e6);
  }
}

kj::Promise<void> pour(kj::AsyncIoStream& stream, uint64_t& bytes) {
  auto piece = kj::heapArray<kj::byte>(BULK_WRITE_BYTES);
  memset(piece.begin(), 5, piece.size());
  for (;;) {
    co_await stream.write(piece.begin(), piece.size());
    bytes += piece.size();
  }
}

kj::Own<kj::AsyncIoStream> begin(Linked& linked, transport::Lane lane, kj::byte kind) {
  auto stream = linked.open(lane, kind);
  stream->write(&kind, 1).wait(linked.uv.waitScope);
  return stream;
}

json overLink(const LanesOptions& options) {
  Linked linked(&serve);
  auto& uv = linked.uv;
  auto live = begin(linked, transport::Lane::LIVE, LIVE);
  std::vector<kj::Own<kj::AsyncIoStream>> bulk;
  for (size_t i = 0; i < BULK_STREAMS; ++i)
    bulk.push_back(begin(linked, transport::Lane::BULK, BULK));

  Live idle, loaded;
  uint64_t bytes = 0;
  double loadedS = 0;
  for (uint32_t round = 0; round < options.rounds; ++round) {
    uv.port.run(uv.waitScope, sendLive(uv.timer(), *live, options.seconds, idle));
    auto begun = wallS();
    auto pouring = kj::heapArrayBuilder<kj::Promise<void>>(BULK_STREAMS);
    for (auto& stream: bulk) pouring.add(pour(*stream, bytes));
    uv.port.run(uv.waitScope,
        sendLive(uv.timer(), *live, options.seconds, loaded)
            .exclusiveJoin(kj::joinPromises(pouring.finish())));
    loadedS += wallS() - begun;
    uv.timer().afterDelay(200 * kj::MILLISECONDS).wait(uv.waitScope);  // what is left drains
  }
  return {{"idle_p50_us", idle.at(0.5)}, {"idle_p99_us", idle.at(0.99)},
      {"loaded_p50_us", loaded.at(0.5)}, {"loaded_p99_us", loaded.at(0.99)},
      {"delta_ms", (loaded.at(0.99) - idle.at(0.99)) / 1e3},
      {"frames", idle.us.size() + loaded.us.size()},
      {"bulk_gb_s", static_cast<double>(bytes) / 1e9 / loadedS},
      {"rss_mib", std::max(rssPeakMib(getpid()), linked.server.rssPeakMib())}};
}

}  // namespace

json measureLanes(const LanesOptions& options) {
  return inOwnProcess([&]() { return overLink(options); });
}

}  // namespace hearth::bench
