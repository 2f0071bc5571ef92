#include "bench/link.h"

#include "bench/link-ends.h"
#include "bench/plain-tcp.h"
#include "bench/process.h"
#include "bench/served.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::bench {

namespace {

using nlohmann::json;

constexpr size_t MESSAGE_BYTES = 64;
constexpr size_t IN_FLIGHT = 64;
constexpr size_t BUFFER_BYTES = MESSAGE_BYTES * IN_FLIGHT;
constexpr uint32_t WARM_UP = 1'000;  // round trips before the first that counts

// What one pair of processes has shown.
struct Figures {
  std::vector<double> us;
  double burstS = 0, burstCpuS = 0;

  json tell(uint32_t messages, const Served& server) {
    std::ranges::sort(us);
    auto at = [&](double share) { return us[static_cast<size_t>(share * double(us.size() - 1))]; };
    return {{"p50_us", at(0.5)}, {"p99_us", at(0.99)}, {"msgs_s_d64", messages / burstS},
        {"cpu_us_per_msg", burstCpuS * 1e6 / messages},
        {"rss_mib", std::max(rssPeakMib(getpid()), server.rssPeakMib())}};
  }
};

// Counts what is measured between its making and the end of the burst.
struct Burst {
  const Served& server;
  double wall = wallS(), cpu = cpuS() + server.cpuS();

  void end(Figures& figures) const {
    figures.burstS = wallS() - wall;
    figures.burstCpuS = cpuS() + server.cpuS() - cpu;
  }
};

// ---- blocking sockets

void echoPlain(const Served::SayPort& say) {
  PlainListener listener;
  say(listener.port);
  auto fd = listener.accept();
  kj::byte buffer[BUFFER_BYTES];
  while (auto got = readSome(fd, buffer)) writeAll(fd, kj::arrayPtr(buffer, got));
}

json plainTcp(const LinkOptions& options) {
  Served server(&echoPlain);
  auto fd = plainConnect(server.port());
  Figures figures;
  kj::byte buffer[BUFFER_BYTES] = {};
  auto message = kj::arrayPtr(buffer, MESSAGE_BYTES);
  for (uint32_t i = 0; i < options.roundTrips + WARM_UP; ++i) {
    auto begun = wallS();
    writeAll(fd, message);
    readAll(fd, message);
    if (i >= WARM_UP) figures.us.push_back((wallS() - begun) * 1e6);
  }
  Burst burst{server};
  writeAll(fd, buffer);
  size_t sent = IN_FLIGHT, answered = 0, part = 0;
  while (answered < options.messages) {
    auto bytes = part + readSome(fd, kj::arrayPtr(buffer, BUFFER_BYTES));
    auto whole = bytes / MESSAGE_BYTES;
    part = bytes % MESSAGE_BYTES;
    answered += whole;
    auto more = std::min<size_t>(whole, options.messages - sent);
    writeAll(fd, kj::arrayPtr(buffer, more * MESSAGE_BYTES));
    sent += more;
  }
  burst.end(figures);
  return figures.tell(options.messages, server);
}

// ---- KJ streams: a socket on the daemon's loop, or a stream of a link

// A server answers each message by itself, as it would if it had to think about it.
kj::Promise<void> echo(kj::Own<kj::AsyncIoStream> stream) {
  auto buffer = kj::heapArray<kj::byte>(BUFFER_BYTES);
  size_t part = 0;
  for (;;) {
    auto got = co_await stream->tryRead(buffer.begin() + part, 1, BUFFER_BYTES - part);
    if (got == 0) co_return;
    part += got;
    size_t at = 0;
    for (; part - at >= MESSAGE_BYTES; at += MESSAGE_BYTES)
      co_await stream->write(buffer.begin() + at, MESSAGE_BYTES);
    part -= at;
    if (part > 0) memmove(buffer.begin(), buffer.begin() + at, part);
  }
}

// The same where nobody coalesces: what has come is answered by one write.
kj::Promise<void> echoWhole(kj::Own<kj::AsyncIoStream> stream) {
  auto buffer = kj::heapArray<kj::byte>(BUFFER_BYTES);
  while (auto got = co_await stream->tryRead(buffer.begin(), 1, BUFFER_BYTES))
    co_await stream->write(buffer.begin(), got);
}

kj::Promise<void> roundTrips(kj::AsyncIoStream& stream, uint32_t count, Figures& figures) {
  kj::byte message[MESSAGE_BYTES] = {};
  for (uint32_t i = 0; i < count + WARM_UP; ++i) {
    auto begun = wallS();
    co_await stream.write(message, MESSAGE_BYTES);
    co_await stream.read(message, MESSAGE_BYTES);
    if (i >= WARM_UP) figures.us.push_back((wallS() - begun) * 1e6);
  }
}

kj::Promise<void> writeMessages(
    kj::AsyncIoStream& stream, const kj::byte* bytes, size_t count, bool coalesced) {
  if (coalesced) {
    co_await stream.write(bytes, count * MESSAGE_BYTES);
    co_return;
  }
  for (size_t i = 0; i < count; ++i)
    co_await stream.write(bytes + i * MESSAGE_BYTES, MESSAGE_BYTES);
}

kj::Promise<void> manyInFlight(kj::AsyncIoStream& stream, uint32_t messages, bool coalesced) {
  auto buffer = kj::heapArray<kj::byte>(BUFFER_BYTES);
  memset(buffer.begin(), 0, BUFFER_BYTES);
  co_await writeMessages(stream, buffer.begin(), IN_FLIGHT, coalesced);
  size_t sent = IN_FLIGHT, answered = 0, part = 0;
  while (answered < messages) {
    auto bytes = part + co_await stream.tryRead(buffer.begin(), 1, BUFFER_BYTES);
    auto whole = bytes / MESSAGE_BYTES;
    part = bytes % MESSAGE_BYTES;
    answered += whole;
    auto more = std::min<size_t>(whole, messages - sent);
    co_await writeMessages(stream, buffer.begin(), more, coalesced);
    sent += more;
  }
}

void measure(UvLoop& uv, kj::AsyncIoStream& stream, const LinkOptions& options, bool coalesced,
    const Served& server, Figures& figures) {
  uv.port.run(uv.waitScope, roundTrips(stream, options.roundTrips, figures));
  Burst burst{server};
  uv.port.run(uv.waitScope, manyInFlight(stream, options.messages, coalesced));
  burst.end(figures);
}

void echoOnLoop(const Served::SayPort& say) {
  UvLoop uv;
  transport::UvNetwork network(uv.port);
  auto receiver = network.parseAddress("127.0.0.1:0").wait(uv.waitScope)->listen();
  say(static_cast<uint16_t>(receiver->getPort()));
  auto stream = receiver->accept().wait(uv.waitScope);
  uv.port.run(uv.waitScope, echoWhole(kj::mv(stream)));
}

json loopTcp(const LinkOptions& options) {
  Served server(&echoOnLoop);
  UvLoop uv;
  transport::UvNetwork network(uv.port);
  auto address = kj::str("127.0.0.1:", server.port());
  auto stream = network.parseAddress(address).wait(uv.waitScope)->connect().wait(uv.waitScope);
  Figures figures;
  measure(uv, *stream, options, true, server, figures);
  return figures.tell(options.messages, server);
}

json overLink(const LinkOptions& options) {
  Linked linked(&echo);
  auto stream = linked.open(transport::Lane::INTERACTIVE, STREAM_KIND);
  Figures figures;
  measure(linked.uv, *stream, options, false, linked.server, figures);
  return figures.tell(options.messages, linked.server);
}

// The floor is the better of the two in each figure: one that sleeps in the kernel for each message and one
// that is woken by a loop change places with the machine and its load.
json better(const json& one, const json& other) {
  json floor;
  for (auto& [key, figure]: one.items()) {
    double a = figure, b = other.at(key);
    floor[key] = key == "msgs_s_d64" ? std::max(a, b) : std::min(a, b);
  }
  return floor;
}

}  // namespace

json measureLink(const LinkOptions& options) {
  std::vector<json> link, blocking, loop;
  for (uint32_t i = 0; i < options.rounds; ++i) {
    blocking.push_back(inOwnProcess([&]() { return plainTcp(options); }));
    link.push_back(inOwnProcess([&]() { return overLink(options); }));
    loop.push_back(inOwnProcess([&]() { return loopTcp(options); }));
  }
  auto result = medians(link);
  result["blocking_tcp"] = medians(blocking);
  result["loop_tcp"] = medians(loop);
  result["raw_tcp"] = better(result["blocking_tcp"], result["loop_tcp"]);
  return result;
}

}  // namespace hearth::bench
