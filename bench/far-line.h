#pragma once
// A path on which bytes take their time: connections to it are made at once and lead on to another port, each way by
// so much later. For what is counted in round trips.

#include <kj/async-io.h>
#include <kj/timer.h>

namespace hearth::bench {

class FarLine final: private kj::TaskSet::ErrorHandler {
 public:
  // All outlive the line.
  FarLine(kj::Timer& timer, kj::Network& network, uint16_t leadsTo, kj::Duration oneWay);

  // Listens on a loopback port and gives it.
  kj::Promise<uint16_t> listen();

 private:
  kj::Timer& timer;
  kj::Network& network;
  uint16_t leadsTo;
  kj::Duration oneWay;
  kj::TaskSet tasks;

  kj::Promise<void> accept(kj::Own<kj::ConnectionReceiver> receiver);
  kj::Promise<void> lead(kj::Own<kj::AsyncIoStream> caller);
  kj::Promise<void> carry(kj::AsyncIoStream& from, kj::AsyncIoStream& to);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::bench
