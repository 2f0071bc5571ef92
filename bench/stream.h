#pragma once
// hearth-bench stream: one long stream over an encrypted link between two processes, beside raw TCP and
// TLS 1.3.

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct StreamOptions {
  double gb = 2;        // of each round; 10^9 bytes
  uint32_t rounds = 5;  // by turns; the median round counts
  bool udp = false;     // the link's carrier; beside it the same link over TCP
};

// {"cpu_s_per_gb": CPU seconds of both processes for 10^9 bytes; "gb_s"; "rss_mib": the greater peak of
//  the two; "raw_tcp": the same over blocking sockets; "openssl_tls13": the same over OpenSSL's TLS 1.3
//  with AES-128-GCM on blocking sockets, or {"skipped": why}; with `udp` also "tcp_link",
//  and "bare_udp": the carrier alone}
nlohmann::json measureStream(const StreamOptions& options);

}  // namespace hearth::bench
