#include "devices/data/framing.h"

#include "core/base/flat.h"

#include <kj/debug.h>

namespace hearth::devices {

kj::Promise<Result<kj::Maybe<crypto::Buffer>>> readFramed(
    kj::AsyncInputStream& stream, size_t most, size_t lengthBytes) {
  kj::byte length[4] = {};
  auto got = co_await stream.tryRead(length, lengthBytes, lengthBytes);
  if (got == 0) co_return kj::Maybe<crypto::Buffer>();
  if (got < lengthBytes)
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the stream ended within a message"));
  size_t size = FlatReader(kj::arrayPtr(length, sizeof(length))).u32();
  if (size == 0 || size > most)
    co_return no(Errc::BAD_FORMAT, "a message of a length that none has");
  auto bytes = kj::heapArray<kj::byte>(size);
  co_await stream.read(bytes.begin(), size);
  co_return kj::Maybe<crypto::Buffer>(kj::mv(bytes));
}

}  // namespace hearth::devices
