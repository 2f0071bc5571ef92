#pragma once
// Bare devices on networks: no daemons, only kernels, radios and streams.

#include "simulator/wire/sim-network.h"
#include "simulator/world/device-time.h"
#include "tests/simulator/watch.h"

#include <string>

namespace hearth::sim {

// A device as its connections see it.
class Box final: public NetworkHost, public Terrain::Radio {
  DeviceIndex number;

 public:
  bool on = true;
  DeviceTime clock;
  uint64_t sent = 0, received = 0;
  NetworkStack stack;

  Box(WireParts& wire, DeviceIndex number)
      : number(number),
        clock(wire.time, 0 * kj::SECONDS, 0),
        stack(wire, *this) {
    wire.terrain.addDevice(number, *this);
  }

  DeviceIndex index() const override { return number; }
  bool isOn() const override { return on; }
  kj::Promise<void> awake() override { return clock.awake(); }
  bool isAwake() const override { return !clock.isSuspended(); }
  void used(const NetworkKind&, uint64_t txBytes, uint64_t rxBytes) override {
    sent += txBytes;
    received += rxBytes;
  }
};

struct Wires: public Moment, private WireObserver, private kj::TaskSet::ErrorHandler {
  using Stream = kj::Own<kj::AsyncIoStream>;
  struct Pair {
    Stream caller, called;
  };
  static constexpr uint16_t PORT = 7'427;

  Terrain terrain;
  uint64_t deliveries = 0, tamperings = 0;
  WireParts wire;
  std::vector<kj::Own<Box>> boxes;
  NetworkStack::Directory stacks = [this](DeviceIndex index) -> NetworkStack& {
    return boxes[index]->stack;
  };
  std::vector<kj::Own<kj::ConnectionReceiver>> receivers;

  explicit Wires(uint64_t seed = 1): wire(time, terrain, *this, seed, *this) {}
  ~Wires() noexcept(false) { wire.couriers.clear(); }

  // A network with an even latency of 10 ms, which nothing else slows down.
  static NetworkKind lan() {
    return {.name = "lan",
        .latencyMin = 10 * kj::MILLISECONDS,
        .latencyMax = 10 * kj::MILLISECONDS,
        .upBps = 1e12,
        .downBps = 1e12};
  }

  // Devices on it.
  NetworkIndex join(NetworkKind kind, std::initializer_list<DeviceIndex> devices) {
    auto network = terrain.addNetwork(kj::mv(kind));
    for (auto device: devices) {
      while (boxes.size() <= device) {
        boxes.push_back(kj::heap<Box>(wire, static_cast<DeviceIndex>(boxes.size())));
        boxes.back()->stack.setDirectory(&stacks);
      }
      auto attached = terrain.attachments(device);
      attached.push_back(network);
      terrain.attach(device, attached);
    }
    return network;
  }

  kj::ConnectionReceiver& listen(DeviceIndex device) {
    receivers.push_back(addressOf(device, "*")->listen());
    return *receivers.back();
  }
  kj::Own<Watched<Stream>> call(DeviceIndex from, DeviceIndex to, NetworkIndex network = 0) {
    auto ip = toText(Terrain::addressIn(network, to));
    return watch(addressOf(from, ip)->connect());
  }
  // A connection that has just been made.
  Pair connect(DeviceIndex from, DeviceIndex to, NetworkIndex network = 0) {
    auto accepted = watch(listen(to).accept());
    auto connected = call(from, to, network);
    run(1 * kj::SECONDS);
    return {
        kj::mv(KJ_ASSERT_NONNULL(connected->value)), kj::mv(KJ_ASSERT_NONNULL(accepted->value))};
  }

  kj::Own<Watched<bool>> write(Stream& stream, kj::StringPtr text) {
    return watch(stream->write(text.begin(), text.size()));
  }
  kj::Own<Watched<bool>> write(Stream& stream, size_t size) {
    auto bytes = kj::heapArray<kj::byte>(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<kj::byte>(i * 31 >> 3);
    auto promise = stream->write(bytes.begin(), bytes.size());
    return watch(promise.attach(kj::mv(bytes)));
  }
  // Exactly so many bytes, or fewer if the stream ends first.
  kj::Own<Watched<std::string>> read(Stream& stream, size_t size) {
    auto room = kj::heapArray<char>(size);
    auto promise = stream->tryRead(room.begin(), size, size);
    return watch(
        promise.then([room = kj::mv(room)](size_t got) { return std::string(room.begin(), got); }));
  }

 private:
  kj::Own<kj::NetworkAddress> addressOf(DeviceIndex by, kj::StringPtr host) {
    auto parsed = watch(boxes[by]->stack.parseAddress(kj::str(host, ':', PORT)));
    run(0 * kj::SECONDS);
    return kj::mv(KJ_ASSERT_NONNULL(parsed->value));
  }

  void delivered(uint64_t, DeviceIndex, DeviceIndex, kj::ArrayPtr<const kj::byte>) override {
    ++deliveries;
  }
  void opened(uint64_t, DeviceIndex, DeviceIndex) override {}
  void datagram(DeviceIndex, DeviceIndex, kj::ArrayPtr<const kj::byte>) override { ++deliveries; }
  void tampered(DeviceIndex, DeviceIndex) override { ++tamperings; }
  void taskFailed(kj::Exception&& e) override { kj::throwFatalException(kj::mv(e)); }
};

}  // namespace hearth::sim
