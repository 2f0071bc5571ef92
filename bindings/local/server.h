#pragma once
// The local API of a node: what apps and the command line may ask over the Unix socket. Only
// processes of the daemon's own user are answered (SO_PEERCRED).

#include "devices/node/node.h"

namespace hearth::local {

class Server final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t CONNECTIONS_MAX = 128;

  // All outlive the server. `uid`: the user that is answered.
  Server(devices::Node& node, kj::Timer& timer, uid_t uid);

  // Answers until the server is destroyed.
  void serve(kj::Own<kj::ConnectionReceiver> receiver);

 private:
  devices::Node& node;
  kj::Timer& timer;
  kj::TimePoint startedAt;
  uid_t uid;
  size_t connections = 0;
  kj::TaskSet tasks;

  kj::Promise<void> acceptAll(kj::Own<kj::ConnectionReceiver> receiver);
  kj::Promise<void> answer(kj::Own<kj::AsyncIoStream> stream);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::local
