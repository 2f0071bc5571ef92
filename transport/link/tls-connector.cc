#include "transport/link/tls-connector.h"

namespace hearth::transport {

kj::Promise<kj::Own<kj::AsyncIoStream>> TlsConnector::connect(const DeviceId&, const Path& path) {
  auto text = path.address;
  auto target = co_await network.parseAddress(text.c_str());
  co_return tls.call(co_await target->connect());
}

}  // namespace hearth::transport
