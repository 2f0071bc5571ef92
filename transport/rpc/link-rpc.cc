#include "transport/rpc/link-rpc.h"

namespace hearth::transport {

namespace {

using Side = capnp::rpc::twoparty::Side;

}  // namespace

// SECURITY.md §6.4: a message of at most 16 MiB, and nesting that no honest message has.
capnp::ReaderOptions linkReaderOptions() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = (16 << 20) / sizeof(capnp::word);
  options.nestingLimit = 32;
  return options;
}

LinkRpc::LinkRpc(
    kj::Own<kj::AsyncIoStream> streamIn, bool initiator, capnp::Capability::Client bootstrap)
    : stream(kj::mv(streamIn)),
      network(*stream, initiator ? Side::CLIENT : Side::SERVER, linkReaderOptions()),
      system(capnp::makeRpcServer(network, kj::mv(bootstrap))),
      initiator(initiator) {}

capnp::Capability::Client LinkRpc::peer() {
  capnp::MallocMessageBuilder message;
  auto vat = message.initRoot<capnp::rpc::twoparty::VatId>();
  vat.setSide(initiator ? Side::SERVER : Side::CLIENT);
  return system.bootstrap(vat);
}

}  // namespace hearth::transport
