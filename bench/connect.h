#pragma once
// hearth-bench connect: what it costs until two devices have authenticated each other.

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct ConnectOptions {
  uint32_t handshakes = 2'000;
};

// {"cpu_us_initiator", "cpu_us_responder": of the machines of one handshake, records read and written;
//  "wire_bytes": HS_INIT and HS_RESP with framing; "p50_us", "p95_us": from the call to the initiator's
//  keys over an open loopback connection, both sides on one thread; "raw_tcp": {"p50_us", "p95_us"} of
//  as many bytes there and back;
//  "first_data_round_trips": until data is read at the called side, once the carrier is up}
nlohmann::json measureConnect(const ConnectOptions& options);

}  // namespace hearth::bench
