#include "bench/far-line.h"

#include <kj/debug.h>

namespace hearth::bench {

namespace {

constexpr size_t PIECE_BYTES = 64 << 10;

}  // namespace

FarLine::FarLine(kj::Timer& timer, kj::Network& network, uint16_t leadsTo, kj::Duration oneWay)
    : timer(timer),
      network(network),
      leadsTo(leadsTo),
      oneWay(oneWay),
      tasks(*this) {}

kj::Promise<uint16_t> FarLine::listen() {
  auto address = co_await network.parseAddress("127.0.0.1:0");
  auto receiver = address->listen();
  auto port = static_cast<uint16_t>(receiver->getPort());
  tasks.add(accept(kj::mv(receiver)));
  co_return port;
}

kj::Promise<void> FarLine::accept(kj::Own<kj::ConnectionReceiver> receiver) {
  for (;;) tasks.add(lead(co_await receiver->accept()));
}

kj::Promise<void> FarLine::lead(kj::Own<kj::AsyncIoStream> caller) {
  auto address = co_await network.parseAddress(kj::str("127.0.0.1:", leadsTo));
  auto called = co_await address->connect();
  co_await carry(*caller, *called).exclusiveJoin(carry(*called, *caller));
}

// What is read together arrives together; later bytes are read while earlier ones are under way.
kj::Promise<void> FarLine::carry(kj::AsyncIoStream& from, kj::AsyncIoStream& to) {
  auto arriving = kj::Promise<void>(kj::READY_NOW);
  for (;;) {
    auto piece = kj::heapArray<kj::byte>(PIECE_BYTES);
    auto bytes = co_await from.tryRead(piece.begin(), 1, piece.size());
    if (bytes == 0) co_return;
    auto arrives = timer.now() + oneWay;
    arriving = arriving.then([this, arrives]() { return timer.atTime(arrives); })
                   .then([&to, bytes, piece = kj::mv(piece)]() mutable {
                     auto written = to.write(piece.begin(), bytes);
                     return written.attach(kj::mv(piece));
                   })
                   .eagerlyEvaluate(nullptr);
  }
}

void FarLine::taskFailed(kj::Exception&& e) {
  if (e.getType() != kj::Exception::Type::DISCONNECTED) KJ_LOG(ERROR, "a far line failed", e);
}

}  // namespace hearth::bench
