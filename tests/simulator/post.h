#pragma once
// A bound datagram port of a box, and everything that it has heard.

#include "tests/simulator/wires.h"

namespace hearth::sim {

struct Post {
  struct Heard {
    std::string text;
    std::string from;
    kj::Duration at;
    bool truncated;
  };
  static constexpr uint16_t PORT = 7'000;

  Wires& world;
  NetworkStack& stack;
  kj::Own<kj::DatagramPort> port;
  std::vector<Heard> heard;
  kj::Own<kj::DatagramReceiver> receiver;
  kj::Promise<void> listening = nullptr;

  Post(Wires& world, DeviceIndex device, uint16_t number = PORT,
      kj::DatagramReceiver::Capacity capacity = {})
      : world(world),
        stack(world.boxes[device]->stack),
        port(address("*", number)->bindDatagramPort()),
        receiver(port->makeReceiver(capacity)),
        listening(listen().eagerlyEvaluate(nullptr)) {}

  kj::Own<kj::NetworkAddress> address(kj::StringPtr text, uint16_t number = PORT) {
    return stack.parseAddress(text, number).wait(world.scope);
  }

  // `to`: "10.0.0.1", or with a port behind a colon.
  void send(kj::StringPtr to, kj::StringPtr text) {
    auto target = address(to);
    port->send(text.begin(), text.size(), *target).wait(world.scope);
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (auto& one: heard) all.push_back(one.text);
    return all;
  }

 private:
  kj::Promise<void> listen() {
    for (;;) {
      co_await receiver->receive();
      auto content = receiver->getContent();
      heard.push_back({std::string(content.value.asChars().begin(), content.value.size()),
          receiver->getSource().toString().cStr(), world.time.elapsed(), content.isTruncated});
    }
  }
};

}  // namespace hearth::sim
