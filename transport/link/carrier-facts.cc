#include "transport/link/carrier-facts.h"

#include "transport/datagram/secured.h"
#include "transport/wire/tcp-facts.h"

namespace hearth::transport {

CarrierFacts carrierFactsOf(kj::AsyncIoStream& carrier) {
  if (auto datagrams = dynamic_cast<Secured*>(&carrier)) {
    auto facts = datagrams->facts();
    return {facts.rttS, facts.bandwidthBps, facts.bandwidthBps};
  }
  KJ_IF_MAYBE(tcp, tcpFactsOf(carrier)) return {tcp->rttS, tcp->bandwidthBps, tcp->atLeastBps};
  return {};
}

void boundUnsentOf(kj::AsyncIoStream& carrier, size_t bytes) {
  if (auto datagrams = dynamic_cast<Secured*>(&carrier)) return datagrams->boundUnsent(bytes);
  boundUnsent(carrier, bytes);
}

}  // namespace hearth::transport
