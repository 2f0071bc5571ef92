#include "transport/rpc/link-rpc.h"

namespace hearth::transport {

namespace {

using Side = capnp::rpc::twoparty::Side;

}  // namespace

LinkRpc::LinkRpc(
    kj::Own<kj::AsyncIoStream> streamIn, bool initiator, capnp::Capability::Client bootstrap)
    : stream(kj::mv(streamIn)),
      messages(*stream),
      network(messages, initiator ? Side::CLIENT : Side::SERVER, readerOptions(MESSAGE_WORDS_MAX)),
      system(capnp::makeRpcServer(network, kj::mv(bootstrap))),
      initiator(initiator) {}

capnp::Capability::Client LinkRpc::peer() {
  capnp::MallocMessageBuilder message;
  auto vat = message.initRoot<capnp::rpc::twoparty::VatId>();
  vat.setSide(initiator ? Side::SERVER : Side::CLIENT);
  return system.bootstrap(vat);
}

}  // namespace hearth::transport
