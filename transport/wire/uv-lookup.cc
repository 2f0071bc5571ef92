#include "transport/wire/uv-lookup.h"

#include <kj/debug.h>

#include <netdb.h>

namespace hearth::transport {

namespace {

using Addresses = std::vector<SocketAddress>;

// Belongs to libuv until the answer has come.
struct Lookup {
  uv_getaddrinfo_t request;
  kj::Own<kj::PromiseFulfiller<Addresses>> fulfiller;

  static void done(uv_getaddrinfo_t* request, int status, struct addrinfo* found) {
    kj::Own<Lookup> self(
        static_cast<Lookup*>(request->data), kj::_::HeapDisposer<Lookup>::instance);
    Addresses addresses;
    for (auto each = status == 0 ? found : nullptr; each != nullptr; each = each->ai_next)
      addresses.push_back(SocketAddress::from(each->ai_addr, each->ai_addrlen));
    uv_freeaddrinfo(found);
    self->fulfiller->fulfill(interleaved(addresses));
  }
};

}  // namespace

kj::Promise<Addresses> lookUp(UvEventPort& port, kj::StringPtr host) {
  auto paf = kj::newPromiseAndFulfiller<Addresses>();
  auto lookup = new Lookup{{}, kj::mv(paf.fulfiller)};
  lookup->request.data = lookup;
  struct addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  int result =
      uv_getaddrinfo(&port.loop(), &lookup->request, &Lookup::done, host.cStr(), nullptr, &hints);
  if (result != 0) {
    delete lookup;
    KJ_FAIL_REQUIRE("names cannot be looked up", uv_strerror(result));
  }
  return kj::mv(paf.promise);
}

Addresses interleaved(const Addresses& addresses) {
  Addresses preferred, others, mixed;
  for (auto& address: addresses) {
    bool first = address.family() == addresses.front().family();
    (first ? preferred : others).push_back(address);
  }
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (i < preferred.size()) mixed.push_back(preferred[i]);
    if (i < others.size()) mixed.push_back(others[i]);
  }
  if (mixed.size() > ADDRESSES_OF_NAME_MAX) mixed.resize(ADDRESSES_OF_NAME_MAX);
  return mixed;
}

}  // namespace hearth::transport
