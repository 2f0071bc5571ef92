#include "transport/link/carrier.h"

#include "transport/wire/udp-address.h"

#include <cstring>

namespace hearth::transport {

kj::Promise<Result<Record>> Carrier::read(size_t bodyBytesMax) {
  kj::byte header[crypto::RECORD_HEADER_BYTES];
  co_await stream->read(header, sizeof(header));
  auto parsed = crypto::readRecordHeader(header);
  if (!parsed) co_return no(parsed.error());
  if (parsed->bodyBytes > bodyBytesMax) co_return no(Errc::BAD_LENGTH, "a record over its limit");
  Record record{parsed->type, kj::heapArray<kj::byte>(parsed->bodyBytes)};
  co_await stream->read(record.body.begin(), record.body.size());
  co_return kj::mv(record);
}

kj::Promise<void> Carrier::write(crypto::Buffer records) {
  co_await stream->write(records.begin(), records.size());
}

crypto::SourceAddress Carrier::source() {
  // Whoever is carried by a member is counted for that member.
  KJ_IF_MAYBE(member, way.member()) {
    crypto::SourceAddress source;
    memcpy(source.ip, member->bytes, sizeof(source.ip));
    return source;
  }
  SocketAddress peer;
  kj::uint length = sizeof(peer.storage);
  auto nowhere = kj::runCatchingExceptions([&]() { stream->getpeername(peer.raw(), &length); });
  crypto::SourceAddress source;
  if (nowhere != nullptr || (peer.family() != AF_INET && peer.family() != AF_INET6)) return source;
  peer.length = length;
  auto address = UdpAddress::of(peer);
  memcpy(source.ip, address.ip, sizeof(source.ip));
  source.port = address.port;
  return source;
}

}  // namespace hearth::transport
