#pragma once
// The local API of a node: what apps and the command line may ask over the Unix socket. Only
// processes of the daemon's own user are answered (SO_PEERCRED).

#include "bindings/local/daemon.h"

namespace hearth::local {

class Server final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t CONNECTIONS_MAX = 128;

  // Both outlive the server.
  Server(devices::Node& node, kj::Timer& timer);

  // Answers the processes of `uid` until the server is destroyed.
  void serve(kj::Own<kj::ConnectionReceiver> receiver, uid_t uid);

  // Answers somebody who has been let in. One too many is hung up on.
  void welcome(kj::Own<kj::AsyncIoStream> stream);

 private:
  DaemonDoor door;
  size_t connections = 0;
  kj::TaskSet tasks;

  kj::Promise<void> acceptAll(kj::Own<kj::ConnectionReceiver> receiver, uid_t uid);
  kj::Promise<void> answer(kj::Own<kj::AsyncIoStream> stream);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::local
