#pragma once
// One stream over OpenSSL's TLS 1.3 with AES-128-GCM, blocking sockets. Built where OpenSSL is found.

#include <nlohmann/json.hpp>

namespace hearth::bench {

// The figures of hearth-bench stream for `pieces` writes, or {"skipped": why}.
nlohmann::json tlsStream(uint64_t pieces);

}  // namespace hearth::bench
