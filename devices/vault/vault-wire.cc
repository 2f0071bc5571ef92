#include "devices/vault/vault-wire.h"

#include "core/base/flat.h"
#include "devices/data/framing.h"

#include <kj/debug.h>

#include <utility>

namespace hearth::devices {

kj::Promise<Result<kj::Maybe<crypto::Buffer>>> VaultWire::read() {
  return readFramed(*stream, storage::VAULT_MESSAGE_BYTES_MAX);
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
