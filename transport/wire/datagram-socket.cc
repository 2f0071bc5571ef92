#include "transport/wire/datagram-socket.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::transport {

namespace {

// Over a port that knows single datagrams alone.
class OneByOne final: public DatagramSocket, private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t UNSENT_MAX = 1'024;  // datagrams; what comes then is lost

  OneByOne(kj::Own<kj::DatagramPort> portIn, kj::Network& network)
      : single(kj::mv(portIn)),
        network(network),
        receiver(single->makeReceiver({.content = DATAGRAM_BYTES_MAX})),
        sending(*this) {}

  kj::Promise<kj::ArrayPtr<Datagram>> receive() override {
    for (;;) {
      co_await receiver->receive();
      auto content = receiver->getContent();
      KJ_IF_MAYBE(from, UdpAddress::parse(receiver->getSource().toString())) {
        bytes = kj::heapArray(content.value);
        current = {*from, bytes};
        co_return kj::arrayPtr(&current, 1);
      }
    }
  }

  void send(const UdpAddress& to, kj::ArrayPtr<const kj::byte> bytes, size_t each) override {
    for (size_t at = 0; at < bytes.size(); at += each) {
      if (unsent >= UNSENT_MAX) return;
      auto copy = kj::heapArray(bytes.slice(at, std::min(at + each, bytes.size())));
      auto native = to.forFamily(to.isIp4() ? AF_INET : AF_INET6);
      auto address = network.getSockaddr(native.raw(), native.length);
      ++unsent;
      // Without a network, a port throws at once.
      sending.add(kj::evalNow([&]() { return single->send(copy.begin(), copy.size(), *address); })
              .ignoreResult()
              .attach(kj::mv(copy), kj::mv(address), kj::defer([this]() { --unsent; })));
    }
  }

  kj::uint port() override { return single->getPort(); }

 private:
  kj::Own<kj::DatagramPort> single;
  kj::Network& network;
  kj::Own<kj::DatagramReceiver> receiver;
  kj::Array<kj::byte> bytes;
  Datagram current;
  size_t unsent = 0;
  kj::TaskSet sending;

  // No way there: lost, like any other.
  void taskFailed(kj::Exception&&) override {}
};

// A port that moves batches itself.
class Itself final: public DatagramSocket {
 public:
  Itself(kj::Own<kj::DatagramPort> port, DatagramSocket& batches)
      : owned(kj::mv(port)),
        batches(batches) {}

  kj::Promise<kj::ArrayPtr<Datagram>> receive() override { return batches.receive(); }
  void send(const UdpAddress& to, kj::ArrayPtr<const kj::byte> bytes, size_t each) override {
    batches.send(to, bytes, each);
  }
  kj::uint port() override { return batches.port(); }

 private:
  kj::Own<kj::DatagramPort> owned;
  DatagramSocket& batches;
};

}  // namespace

kj::Own<DatagramSocket> batchesOf(kj::Own<kj::DatagramPort> port, kj::Network& network) {
  if (auto batches = dynamic_cast<DatagramSocket*>(port.get()))
    return kj::heap<Itself>(kj::mv(port), *batches);
  return kj::heap<OneByOne>(kj::mv(port), network);
}

}  // namespace hearth::transport
