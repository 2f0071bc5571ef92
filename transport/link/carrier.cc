#include "transport/link/carrier.h"

#include "transport/wire/udp-address.h"

#include <kj/debug.h>

#include <algorithm>
#include <cstring>

namespace hearth::transport {

using crypto::RECORD_HEADER_BYTES;

kj::Promise<Result<Record>> Carrier::read(size_t bodyBytesMax) {
  for (;;) {
    auto found = next(bodyBytesMax);
    if (!found) co_return no(found.error());
    KJ_IF_MAYBE(record, *found) {
      co_return Record{record->type, kj::heapArray<kj::byte>(record->body)};
    }
    co_await more();
  }
}

Result<kj::Maybe<RecordView>> Carrier::next(size_t bodyBytesMax) {
  auto here = buffer.slice(begin, end);
  wanted = RECORD_HEADER_BYTES;
  if (here.size() < wanted) return kj::Maybe<RecordView>();
  auto header = crypto::readRecordHeader(here.slice(0, RECORD_HEADER_BYTES));
  if (!header) return no(header.error());
  if (header->bodyBytes > bodyBytesMax) return no(Errc::BAD_LENGTH, "a record over its limit");
  wanted += header->bodyBytes;
  if (here.size() < wanted) return kj::Maybe<RecordView>();
  begin += wanted;
  return kj::Maybe<RecordView>(RecordView{header->type, here.slice(RECORD_HEADER_BYTES, wanted)});
}

kj::Promise<void> Carrier::more() {
  makeRoom();
  auto least = wanted - (end - begin);
  return stream->tryRead(buffer.begin() + end, least, buffer.size() - end)
      .then([this, least](size_t got) {
        end += got;
        if (got < least)
          kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the carrier has come to its end"));
      });
}

// The buffer doubles while it is filled, and halves while a quarter would do.
void Carrier::makeRoom() {
  auto held = end - begin;
  auto size = std::max(buffer.size(), BUFFER_BYTES_LEAST);
  if (readingAhead && end == buffer.size() && size < BUFFER_BYTES_AHEAD) size *= 2;
  if (end < size / 4 && size > BUFFER_BYTES_LEAST) size /= 2;
  size = std::max(size, (wanted / BUFFER_BYTES_LEAST + 1) * BUFFER_BYTES_LEAST);
  if (size != buffer.size()) {
    auto fresh = kj::heapArray<kj::byte>(size);
    if (held > 0) memcpy(fresh.begin(), buffer.begin() + begin, held);
    buffer = kj::mv(fresh);
  } else if (held > 0 && begin > 0) {
    memmove(buffer.begin(), buffer.begin() + begin, held);
  }
  begin = 0;
  end = held;
}

kj::Promise<void> Carrier::write(crypto::Bytes records) {
  return stream->write(records.begin(), records.size());
}

kj::Promise<void> Carrier::write(crypto::Buffer records) {
  auto writing = stream->write(records.begin(), records.size());
  return writing.attach(kj::mv(records));
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
