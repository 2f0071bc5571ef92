#pragma once
// Cap'n Proto RPC over the control lane of one session. Both ends offer their bootstrap capability.

#include "transport/rpc/message-stream.h"

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>

namespace hearth::transport {

class LinkRpc final {
 public:
  // `initiator`: this side opened the stream. `bootstrap` is what the peer gets from this side.
  LinkRpc(kj::Own<kj::AsyncIoStream> stream, bool initiator, capnp::Capability::Client bootstrap);

  capnp::Capability::Client peer();

 private:
  kj::Own<kj::AsyncIoStream> stream;
  MessageStream messages;
  capnp::TwoPartyVatNetwork network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system;
  bool initiator;
};

}  // namespace hearth::transport
