#pragma once
// hearth-bench link: small messages over an encrypted link between two processes, beside raw TCP.

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct LinkOptions {
  uint32_t roundTrips = 20'000;  // of each round
  uint32_t messages = 500'000;   // of each round, 64 in flight
  uint32_t rounds = 5;           // raw TCP and link by turns; the median round counts
};

// {"p50_us", "p99_us": 64 bytes there and back; "msgs_s_d64": messages of 64 bytes answered a second with
//  64 in flight, each written by itself; "cpu_us_per_msg": of both processes, while 64 are in flight;
//  "rss_mib": the greater peak of the two; "blocking_tcp": the same over blocking sockets, where all that
//  has come is answered by one write; "loop_tcp": so over the daemon's own loop and streams, unencrypted;
//  "raw_tcp": of each figure the better of these two}
nlohmann::json measureLink(const LinkOptions& options);

}  // namespace hearth::bench
