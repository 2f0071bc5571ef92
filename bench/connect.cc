#include "bench/connect.h"

#include "bench/far-line.h"
#include "bench/link-ends.h"
#include "bench/process.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::bench {

namespace {

using nlohmann::json;
using namespace hearth::crypto;

constexpr uint32_t CALLER_INDEX = 1, CALLED_INDEX = 2;

struct Costs {
  double initiatorS = 0, responderS = 0;
  size_t wireBytes = 0;
};

Bytes bodyOf(const Buffer& record) { return record.slice(RECORD_HEADER_BYTES, record.size()); }

template <typename Work>
auto timed(double& total, Work work) {
  auto begun = cpuS();
  auto result = work();
  total += cpuS() - begun;
  return result;
}

// One handshake of the machines alone.
void shakeHands(
    LinkDevice& caller, LinkDevice& called, Entropy& entropy, uint64_t number, Costs& costs) {
  EphemeralGuard guard([]() { KJ_FAIL_REQUIRE("an ephemeral key came twice"); });
  auto epoch = KJ_ASSERT_NONNULL(caller.epochWith(called.id()));
  Buffer init;
  auto initiator = timed(costs.initiatorS, [&]() {
    LinkInitiator::Setup setup{.self = caller.self(),
        .peer = {called.id(), called.x(), called.bundle()},
        .index = CALLER_INDEX,
        .initCounter = number};
    auto begun = LinkInitiator::begin(kj::mv(setup), kj::mv(epoch), entropy, guard).value();
    init = begun.initRecord();
    return begun;
  });
  auto answer = timed(costs.responderS, [&]() {
    auto self = called.self();
    auto read = readHsInit(bodyOf(init)).value();
    auto responder = LinkResponder::open(self, read, entropy, guard).value();
    KJ_ASSERT(judge(responder.opening(), self, {caller.x(), number - 1}).has_value());
    auto same = KJ_ASSERT_NONNULL(called.epochWith(caller.id()));
    return responder.answer(CALLED_INDEX, kj::mv(same.psk), caller.bundle(), LinkStatus::OK)
        .value();
  });
  timed(costs.initiatorS, [&]() { return initiator.finish(bodyOf(answer.record)).value(); });
  costs.wireBytes = init.size() + answer.record.size();
}

struct Percentiles {
  std::vector<double> us;

  double at(double share) {
    std::ranges::sort(us);
    return us[static_cast<size_t>(share * static_cast<double>(us.size() - 1))];
  }
  json tell() { return {{"p50_us", at(0.5)}, {"p95_us", at(0.95)}}; }
};

// Two ends of one loopback connection, on one thread.
struct Loopback {
  UvLoop uv;
  transport::UvNetwork network{uv.port};
  kj::Own<kj::ConnectionReceiver> receiver =
      network.parseAddress("127.0.0.1:0").wait(uv.waitScope)->listen();

  std::pair<kj::Own<kj::AsyncIoStream>, kj::Own<kj::AsyncIoStream>> connect() {
    auto accepting = receiver->accept();
    auto address =
        network.parseAddress(kj::str("127.0.0.1:", receiver->getPort())).wait(uv.waitScope);
    auto calling = address->connect().wait(uv.waitScope);
    return {kj::mv(calling), accepting.wait(uv.waitScope)};
  }
};

Percentiles handshakesOverLoopback(
    Loopback& loopback, LinkDevice& caller, LinkDevice& called, Entropy& entropy, uint32_t count) {
  Percentiles found;
  EphemeralGuard guard([]() { KJ_FAIL_REQUIRE("an ephemeral key came twice"); });
  transport::HandshakeTools callerTools{loopback.uv.timer(), entropy, guard, caller};
  transport::HandshakeTools calledTools{loopback.uv.timer(), entropy, guard, called};
  for (uint32_t i = 0; i < count; ++i) {
    auto [from, to] = loopback.connect();
    transport::Carrier calling(kj::mv(from)), accepting(kj::mv(to));
    // One address calls more often here than a gate lets it: each call has a fresh one.
    transport::Gate gate(entropy, loopback.uv.timer().now());
    auto place =
        KJ_ASSERT_NONNULL(gate.enter(accepting.source(), loopback.uv.timer().now(), []() {}));
    auto answering = transport::respond(calledTools, gate, *place, accepting, CALLED_INDEX)
                         .eagerlyEvaluate(nullptr);
    auto begun = wallS();
    auto made = transport::initiate(callerTools, calling, called.id(), CALLER_INDEX, false)
                    .wait(loopback.uv.waitScope);
    found.us.push_back((wallS() - begun) * 1e6);
    KJ_ASSERT(made.has_value(), made.error().because);
    KJ_ASSERT(answering.wait(loopback.uv.waitScope).has_value());
  }
  return found;
}

kj::Promise<void> echo(kj::AsyncIoStream& stream, size_t bytes) {
  auto buffer = kj::heapArray<kj::byte>(bytes);
  co_await stream.read(buffer.begin(), bytes);
  co_await stream.write(buffer.begin(), bytes);
}

// The floor: as many bytes there and back, without any cryptography.
Percentiles bareRoundTrips(Loopback& loopback, size_t bytes, uint32_t count) {
  Percentiles found;
  auto buffer = kj::heapArray<kj::byte>(bytes);
  memset(buffer.begin(), 0, bytes);
  for (uint32_t i = 0; i < count; ++i) {
    auto [from, to] = loopback.connect();
    auto echoing = echo(*to, bytes).eagerlyEvaluate(nullptr);
    auto begun = wallS();
    from->write(buffer.begin(), bytes).wait(loopback.uv.waitScope);
    from->read(buffer.begin(), bytes).wait(loopback.uv.waitScope);
    found.us.push_back((wallS() - begun) * 1e6);
    echoing.wait(loopback.uv.waitScope);
  }
  return found;
}

// Answers each byte of a stream by the time at which it was read.
kj::Promise<void> tellWhenRead(kj::Own<kj::AsyncIoStream> stream) {
  kj::byte data[1];
  while (co_await stream->tryRead(data, 1, 1) > 0) {
    double now = wallS();
    co_await stream->write(&now, sizeof(now));
  }
}

// From the moment at which the carrier is up to the first byte of data at the called side, over a path that
// outweighs all computing.
json firstData() {
  constexpr double ONE_WAY_S = 0.05;
  Acquainted devices;
  Served server([&](Served::SayPort say) {
    UvLoop loop;
    LinkEnd called(loop, devices.entropy, devices.called, &tellWhenRead);
    say(called.listen());
    loop.port.run(loop.waitScope, kj::NEVER_DONE);
  });
  UvLoop uv;
  transport::UvNetwork network(uv.port);
  FarLine line(uv.timer(), network, server.port(), 50 * kj::MILLISECONDS);
  auto port = line.listen().wait(uv.waitScope);
  LinkEnd caller(uv, devices.entropy, devices.caller, &tellWhenRead);
  auto begun = wallS();
  caller.call(devices.called.id(), port).wait(uv.waitScope);
  kj::byte header[] = {STREAM_KIND}, data[] = {1};
  auto stream =
      caller.links().open(devices.called.id(), transport::Lane::INTERACTIVE, header).value();
  double read = 0;
  stream->write(data, 1).wait(uv.waitScope);
  stream->read(&read, sizeof(read)).wait(uv.waitScope);
  return {{"first_data_round_trips", (read - begun) / (2 * ONE_WAY_S)}};
}

}  // namespace

json measureConnect(const ConnectOptions& options) {
  auto first = inOwnProcess(&firstData);
  SystemEntropy entropy;
  LinkDevice caller(entropy), called(entropy);
  caller.know(called);
  called.know(caller);
  Costs costs;
  for (uint32_t i = 1; i <= options.handshakes; ++i) shakeHands(caller, called, entropy, i, costs);
  Loopback loopback;
  auto bare = bareRoundTrips(loopback, costs.wireBytes / 2, options.handshakes);
  auto whole = handshakesOverLoopback(loopback, caller, called, entropy, options.handshakes);
  auto result = whole.tell();
  result.update({{"cpu_us_initiator", costs.initiatorS * 1e6 / options.handshakes},
      {"cpu_us_responder", costs.responderS * 1e6 / options.handshakes},
      {"wire_bytes", costs.wireBytes}, {"raw_tcp", bare.tell()}});
  result.update(first);
  return result;
}

}  // namespace hearth::bench
