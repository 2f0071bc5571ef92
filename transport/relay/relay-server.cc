#include "transport/relay/relay-server.h"

#include "transport/wire/udp-address.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>
#include <kj/encoding.h>

namespace hearth::transport {

namespace {

// Whom a connection is counted for: the address, or the network of an IPv6 address, which one
// household has for itself. Streams without an address of the internet are one source.
std::string sourceOf(kj::AsyncIoStream& stream) {
  constexpr size_t NETWORK_BYTES = 8;
  std::string source;
  auto none = kj::runCatchingExceptions([&]() {
    KJ_IF_MAYBE(address, UdpAddress::parse(peerAddressOf(stream))) {
      auto ip = kj::arrayPtr(address->ip, UdpAddress::IP_BYTES);
      source = kj::encodeHex(address->isIp4() ? ip : ip.slice(0, NETWORK_BYTES)).cStr();
    }
  });
  return none == nullptr ? source : "";
}

kj::Promise<void> say(kj::AsyncIoStream& stream, RelayAnswer answer) {
  auto byte = static_cast<kj::byte>(answer);
  co_await stream.write(&byte, 1);
}

// Resolves when a waiting device has said that it is ready; throws when it says anything that it must
// not, or ends.
kj::Promise<void> readUntilReady(kj::AsyncIoStream& stream) {
  for (;;) {
    kj::byte said;
    co_await stream.read(&said, 1);
    if (said == static_cast<kj::byte>(RelayWaiter::READY)) co_return;
    if (said != static_cast<kj::byte>(RelayWaiter::WAITING))
      kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "a waiting device that says more"));
  }
}

}  // namespace

RelayServer::RelayServer(kj::Timer& timer, Limits limits)
    : timer(timer),
      limits(limits),
      pace(limits.bytesPerS),
      tasks(*this) {}

RelayServer::~RelayServer() noexcept(false) {
  tasks.clear();
  waiting.clear();
}

void RelayServer::serve(kj::Own<kj::ConnectionReceiver> receiver) {
  tasks.add(acceptAll(kj::mv(receiver)));
}

kj::Promise<void> RelayServer::acceptAll(kj::Own<kj::ConnectionReceiver> receiver) {
  for (;;) arrived(co_await receiver->accept());
}

void RelayServer::arrived(kj::Own<kj::AsyncIoStream> stream) {
  auto source = sourceOf(*stream);
  auto& ofSource = sources[source];
  if (counted.connections >= limits.connections || ofSource >= limits.connectionsOfSource) {
    ++counted.refused;
    if (ofSource == 0) sources.erase(source);
    return;
  }
  ++counted.connections, ++ofSource;
  auto place = kj::heap(kj::defer([this, source]() {
    --counted.connections;
    if (--sources[source] == 0) sources.erase(source);
  }));
  tasks.add(talk(stream.attach(kj::mv(place))));
}

kj::Promise<void> RelayServer::talk(kj::Own<kj::AsyncIoStream> stream) {
  kj::byte bytes[RelayHello::BYTES];
  co_await timer.timeoutAfter(HELLO_WITHIN, stream->read(bytes, sizeof(bytes)));
  auto hello = RelayHello::read(bytes);
  if (!hello) {
    ++counted.refused;
    co_return;
  }
  if (hello->wish == RelayHello::Wish::WAIT) {
    hold(kj::mv(stream), hello->name);
  } else {
    co_await call(kj::mv(stream), hello->name);
  }
}

// A device whose old connection has died without a word waits again: the newest is called first, and
// the oldest gives way.
void RelayServer::hold(kj::Own<kj::AsyncIoStream> stream, const RelayName& name) {
  auto& line = waiting[name];
  if (line.size() >= WAITING_UNDER_NAME_MAX) {
    line.pop_back();
    --counted.waiting;
  }
  line.push_front({.number = nextNumber++, .stream = kj::mv(stream)});
  ++counted.waiting;
  line.front().watching = watch(line.front(), name).eagerlyEvaluate(nullptr);
}

kj::Promise<void> RelayServer::watch(Waiting& waiter, RelayName name) {
  auto number = waiter.number;
  try {
    // Whoever is ready before it was asked speaks out of turn, like anybody who says more.
    co_await readUntilReady(*waiter.stream).exclusiveJoin(timer.afterDelay(WAIT_MAX));
  } catch (const kj::Exception&) {}
  tasks.add(kj::evalLater([this, name, number]() { drop(name, number); }));
}

void RelayServer::drop(const RelayName& name, uint64_t number) {
  auto found = waiting.find(name);
  if (found == waiting.end()) return;
  counted.waiting -=
      std::erase_if(found->second, [&](auto& waiter) { return waiter.number == number; });
  if (found->second.empty()) waiting.erase(found);
}

kj::Maybe<kj::Own<kj::AsyncIoStream>> RelayServer::take(const RelayName& name) {
  auto found = waiting.find(name);
  if (found == waiting.end()) return nullptr;
  auto& newest = found->second.front();
  newest.watching = nullptr;
  auto stream = kj::mv(newest.stream);
  drop(name, newest.number);
  return kj::mv(stream);
}

// The newest of those that wait under the name and are still there.
kj::Promise<kj::Maybe<kj::Own<kj::AsyncIoStream>>> RelayServer::wake(RelayName name) {
  for (size_t i = 0; i < WAITING_UNDER_NAME_MAX; ++i) {
    auto taken = take(name);
    if (taken == nullptr) break;
    auto& stream = KJ_ASSERT_NONNULL(taken);
    try {
      co_await say(*stream, RelayAnswer::JOINED);
      co_await timer.timeoutAfter(READY_WITHIN, readUntilReady(*stream));
      co_return kj::mv(stream);
    } catch (const kj::Exception&) {}
  }
  co_return nullptr;
}

kj::Promise<void> RelayServer::call(kj::Own<kj::AsyncIoStream> stream, RelayName name) {
  for (size_t i = 1;; ++i) {
    auto woken = co_await wake(name);
    KJ_IF_MAYBE(waiter, woken) {
      co_await say(*stream, RelayAnswer::JOINED);
      co_return co_await join(kj::mv(stream), kj::mv(*waiter));
    }
    co_await say(*stream, RelayAnswer::NOBODY);
    if (i == CALLS_MAX) co_return;
    kj::byte bytes[RelayHello::BYTES];
    co_await timer.timeoutAfter(HELLO_WITHIN, stream->read(bytes, sizeof(bytes)));
    auto hello = RelayHello::read(bytes);
    if (!hello || hello->wish != RelayHello::Wish::CALL) co_return;
    name = hello->name;
  }
}

kj::Promise<void> RelayServer::join(
    kj::Own<kj::AsyncIoStream> one, kj::Own<kj::AsyncIoStream> other) {
  ++counted.pairs, ++counted.joined;
  KJ_DEFER(--counted.pairs);
  Splice splice(timer, kj::mv(one), kj::mv(other));
  Pace own(limits.bytesPerSOfPair);
  co_await splice.run(IDLE_MAX, [this, &own](size_t bytes) {
    counted.bytes += bytes;
    return kj::max(own.passed(bytes, timer.now()), pace.passed(bytes, timer.now()));
  });
}

void RelayServer::addTo(Holdings& holdings) const {
  holdings.push_back({"connections of the relay", counted.connections, limits.connections});
  holdings.push_back({"devices that wait at the relay", counted.waiting, limits.connections});
}

void RelayServer::taskFailed(kj::Exception&& e) {
  // Whoever is slow or hangs up is forgotten.
  if (e.getType() == kj::Exception::Type::FAILED) KJ_LOG(WARNING, "the relay stumbled", e);
}

}  // namespace hearth::transport
