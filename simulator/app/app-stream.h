#pragma once
// An app's end of its connection to the daemon of the same device. While the device sleeps, nothing
// comes or goes; what the app gets to see goes into the world's fingerprint.

#include "simulator/fleet/world.h"

#include <kj/async-io.h>

namespace hearth::sim {

class AppStream final: public kj::AsyncIoStream {
 public:
  // World and device outlive the stream.
  AppStream(kj::Own<kj::AsyncIoStream> inner, Device& device, World& world)
      : inner(kj::mv(inner)),
        device(device),
        world(world) {}

  kj::Promise<size_t> tryRead(void* buffer, size_t least, size_t most) override {
    auto count = co_await inner->tryRead(buffer, least, most);
    co_await device.awake();
    world.fold({static_cast<const kj::byte*>(buffer), count});
    co_return count;
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    co_await device.awake();
    co_await inner->write(buffer, size);
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    co_await device.awake();
    co_await inner->write(pieces);
  }
  kj::Promise<void> whenWriteDisconnected() override { return inner->whenWriteDisconnected(); }
  void shutdownWrite() override { inner->shutdownWrite(); }
  void abortRead() override { inner->abortRead(); }

 private:
  kj::Own<kj::AsyncIoStream> inner;
  Device& device;
  World& world;
};

}  // namespace hearth::sim
