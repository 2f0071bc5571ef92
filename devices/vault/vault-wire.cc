#include "devices/vault/vault-wire.h"

#include "core/base/flat.h"

#include <kj/debug.h>

#include <utility>

namespace hearth::devices {

namespace {
constexpr size_t LENGTH_BYTES = 4;
}

kj::Promise<Result<kj::Maybe<crypto::Buffer>>> VaultWire::read() {
  kj::byte length[LENGTH_BYTES];
  auto got = co_await stream->tryRead(length, LENGTH_BYTES, LENGTH_BYTES);
  if (got == 0) co_return kj::Maybe<crypto::Buffer>(nullptr);
  if (got < LENGTH_BYTES)
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the stream ended within a message"));
  auto size = FlatReader(kj::arrayPtr(length, LENGTH_BYTES)).u32();
  if (size == 0 || size > storage::VAULT_MESSAGE_BYTES_MAX)
    co_return no(Errc::BAD_FORMAT, "a message of a length that none has");
  auto bytes = kj::heapArray<kj::byte>(size);
  co_await stream->read(bytes.begin(), size);
  co_return kj::Maybe<crypto::Buffer>(kj::mv(bytes));
}

void VaultWire::say(crypto::Buffer message) {
  waitingBytes += message.size();
  waiting.push_back(kj::mv(message));
  toSay.ring();
}

kj::Promise<void> VaultWire::room() {
  while (waitingBytes >= WAITING_BYTES) {
    auto paf = kj::newPromiseAndFulfiller<void>();
    forRoom.push_back(kj::mv(paf.fulfiller));
    co_await paf.promise;
  }
}

void VaultWire::close() {
  stream = nullptr;
  forRoom.clear();
}

kj::Promise<Result<void>> VaultWire::speak() {
  for (;;) {
    if (waitingBytes > WAITING_BYTES_MAX)
      co_return no(Errc::LIMIT_EXCEEDED, "a peer asks and does not read");
    if (waiting.empty()) {
      co_await toSay.wait();
      continue;
    }
    auto message = kj::mv(waiting.front());
    waiting.pop_front();
    FlatWriter length;
    length.u32(static_cast<uint32_t>(message.size()));
    kj::ArrayPtr<const kj::byte> pieces[] = {length.asBytes(), message};
    co_await stream->write(pieces);
    waitingBytes -= message.size();
    if (waitingBytes < WAITING_BYTES) {
      for (auto& waiter: std::exchange(forRoom, {})) waiter->fulfill();
    }
  }
}

}  // namespace hearth::devices
