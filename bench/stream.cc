#include "bench/stream.h"

#include "bench/link-ends.h"
#include "bench/plain-tcp.h"
#include "bench/streamed.h"
#include "bench/tls-stream.h"
#include "transport/datagram/udp-host.h"

#include <kj/debug.h>

namespace hearth::bench {

namespace {

using nlohmann::json;

void swallowPlain(uint64_t bytes, const Served::SayPort& say) {
  PlainListener listener;
  say(listener.port);
  auto fd = listener.accept();
  auto buffer = kj::heapArray<kj::byte>(STREAM_WRITE_BYTES);
  while (bytes > 0) bytes -= readSome(fd, buffer);
  writeAll(fd, kj::arrayPtr(buffer.begin(), 1));
  for (;;) pause();
}

json plainTcp(uint64_t pieces) {
  Served server([&](Served::SayPort say) { swallowPlain(pieces * STREAM_WRITE_BYTES, say); });
  auto fd = plainConnect(server.port());
  auto piece = streamPiece();
  StreamCost cost{server};
  for (uint64_t i = 0; i < pieces; ++i) writeAll(fd, piece);
  kj::byte end[1];
  readAll(fd, end);
  return cost.tell(pieces * STREAM_WRITE_BYTES);
}

kj::Promise<void> swallow(uint64_t bytes, kj::Own<kj::AsyncIoStream> stream) {
  auto buffer = kj::heapArray<kj::byte>(STREAM_WRITE_BYTES);
  while (bytes > 0) {
    auto got = co_await stream->tryRead(buffer.begin(), 1, buffer.size());
    KJ_REQUIRE(got > 0, "the stream ended early");
    bytes -= got;
  }
  co_await stream->write(buffer.begin(), 1);
  co_await kj::Promise<void>(kj::NEVER_DONE);
}

kj::Promise<void> pour(uint64_t pieces, kj::AsyncIoStream& stream) {
  auto piece = streamPiece();
  for (uint64_t i = 0; i < pieces; ++i) co_await stream.write(piece.begin(), piece.size());
  kj::byte end[1];
  co_await stream.read(end, 1);
}

json overLink(uint64_t pieces, bool udp) {
  auto bytes = pieces * STREAM_WRITE_BYTES;
  auto serve = [bytes](
                   kj::Own<kj::AsyncIoStream> stream) { return swallow(bytes, kj::mv(stream)); };
  Linked linked(serve, udp);
  auto stream = linked.open(transport::Lane::BULK, STREAM_KIND);
  StreamCost cost{linked.server};
  linked.uv.port.run(linked.uv.waitScope, pour(pieces, *stream));
  return cost.tell(bytes);
}

// Keys as a link's handshake would have left them.
void secure(kj::AsyncIoStream& stream, kj::byte sending, kj::byte receiving) {
  auto key = [](kj::byte value) {
    return transport::PacketKey::make(
        [&](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), value, out.size()); });
  };
  dynamic_cast<transport::Secured&>(stream).secure({key(sending), key(receiving)});
}

struct BareUdp {
  UvLoop uv;
  transport::UvNetwork network{uv.port};
  SystemEntropy entropy;
  transport::UdpHost host;

  explicit BareUdp(const crypto::DhPublic& key): host(bind(), key, uv.timer(), entropy) {}

  kj::Own<transport::DatagramSocket> bind() {
    auto address = network.parseAddress("127.0.0.1:0").wait(uv.waitScope);
    return transport::batchesOf(address->bindDatagramPort(), network);
  }
};

kj::Promise<void> serveBare(kj::ConnectionReceiver& receiver, uint64_t bytes) {
  auto stream = co_await receiver.accept();
  kj::byte first[1];
  co_await stream->read(first, 1);
  co_await stream->write(first, 1);
  secure(*stream, 2, 1);
  co_await swallow(bytes, kj::mv(stream));
}

// What the datagrams cost, without a link on top.
json bareUdp(uint64_t pieces) {
  crypto::DhPublic key;
  auto bytes = pieces * STREAM_WRITE_BYTES;
  Served server([&](Served::SayPort say) {
    BareUdp end(key);
    auto receiver = end.host.listen();
    say(static_cast<uint16_t>(end.host.port()));
    end.uv.port.run(end.uv.waitScope, serveBare(*receiver, bytes));
  });
  BareUdp end(key);
  auto to = transport::UdpAddress::parse(kj::str("127.0.0.1:", server.port()));
  auto stream = end.host.connect(KJ_ASSERT_NONNULL(to), key).wait(end.uv.waitScope);
  kj::byte first[1] = {};
  stream->write(first, 1).wait(end.uv.waitScope);
  stream->read(first, 1).wait(end.uv.waitScope);
  secure(*stream, 1, 2);
  StreamCost cost{server};
  end.uv.port.run(end.uv.waitScope, pour(pieces, *stream));
  return cost.tell(bytes);
}

}  // namespace

json measureStream(const StreamOptions& options) {
  auto pieces = static_cast<uint64_t>(options.gb * 1e9 / STREAM_WRITE_BYTES) + 1;
  std::vector<json> link, plain, tls, tcpLink, bare;
  for (uint32_t i = 0; i < options.rounds; ++i) {
    plain.push_back(inOwnProcess([&]() { return plainTcp(pieces); }));
    tls.push_back(inOwnProcess([&]() { return tlsStream(pieces); }));
    link.push_back(inOwnProcess([&]() { return overLink(pieces, options.udp); }));
    if (!options.udp) continue;
    tcpLink.push_back(inOwnProcess([&]() { return overLink(pieces, false); }));
    bare.push_back(inOwnProcess([&]() { return bareUdp(pieces); }));
  }
  auto result = medians(link);
  result["raw_tcp"] = medians(plain);
  if (options.udp) {
    result["tcp_link"] = medians(tcpLink);
    result["bare_udp"] = medians(bare);
  }
  result["openssl_tls13"] = tls[0].contains("skipped") ? tls[0] : medians(tls);
  return result;
}

}  // namespace hearth::bench
