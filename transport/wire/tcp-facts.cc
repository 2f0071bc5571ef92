#include "transport/wire/tcp-facts.h"

#include <linux/tcp.h>
#include <sys/socket.h>

namespace hearth::transport {

kj::Maybe<TcpFacts> tcpFactsOf(kj::AsyncIoStream& stream) {
  constexpr int LEVEL_TCP = 6;  // IPPROTO_TCP; its header and linux/tcp.h exclude each other
  struct tcp_info info = {};
  kj::uint size = sizeof(info);
  auto failed =
      kj::runCatchingExceptions([&]() { stream.getsockopt(LEVEL_TCP, TCP_INFO, &info, &size); });
  if (failed != nullptr) return nullptr;
  bool known = info.tcpi_delivery_rate > 0;
  auto rate = known ? static_cast<double>(info.tcpi_delivery_rate) : -1;
  return TcpFacts{.rttS = info.tcpi_rtt / 1e6,
      .bandwidthBps = info.tcpi_delivery_rate_app_limited ? -1 : rate,
      .atLeastBps = rate};
}

void boundUnsent(kj::AsyncIoStream& stream, size_t bytes) {
  constexpr int LEVEL_TCP = 6;
  auto most = static_cast<int>(bytes);
  kj::runCatchingExceptions(
      [&]() { stream.setsockopt(LEVEL_TCP, TCP_NOTSENT_LOWAT, &most, sizeof(most)); });
}

}  // namespace hearth::transport
