#pragma once
// hearth-bench link: small messages over an encrypted link between two processes, beside raw TCP.

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct LinkOptions {
  uint32_t roundTrips = 10'000;  // of each round
  uint32_t messages = 200'000;   // of each round, 64 in flight
  uint32_t rounds = 5;           // raw TCP and link by turns; the median round counts
};

// {"p50_us", "p99_us": 64 bytes there and back; "msgs_s_d64": messages of 64 bytes answered a second with
//  64 in flight, each written by itself; "cpu_us_per_msg": of both processes, while 64 are in flight;
//  "rss_mib": the greater peak of the two; "blocking_tcp", "loop_tcp": the same messages between two
//  processes without a link, where all that has come is answered by one write: over blocking sockets, with
//  nothing but a write and a read that sleeps for each way, and over the daemon's own loop and streams, which
//  is woken as a link is; "raw_tcp", the floor: of each figure the better of these two}
nlohmann::json measureLink(const LinkOptions& options);

}  // namespace hearth::bench
