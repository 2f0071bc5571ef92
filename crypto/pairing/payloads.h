#pragma once
// What the two sides of a pairing tell each other inside the handshake and after it.
//
//   message 2  B->A   var16 B's bundle envelope | b[32] commit         zero for method CODE
//   message 3  A->B   var16 A's bundle envelope | b[32] Ni
//   t1         B->A   b[32] Nr
//   t2         A->B   b[32] circle_id | u8 role | b[32] A's device_id | var32 Genesis envelope
//   t3         B->A   join envelope
//   t4         A->B   a piece of the membership log, as a stream of membership messages
//   5          A->B   list8<b[32] device_id | var8 address>: where devices of the circle may be found
//   6          A->B   u8 why: 1 A's user, 2 another admin has to agree; before the first t4, every 5 s
//
// t1..5 and 6 are PAIRING messages of that kind. The log may take several t4; kind 5 ends it.

#include "crypto/identity/bundle.h"
#include "crypto/identity/role.h"

#include <kj/vector.h>

namespace hearth::crypto {

constexpr uint8_t PAIRING_T1 = 1, PAIRING_T2 = 2, PAIRING_T3 = 3, PAIRING_T4 = 4, PAIRING_HINTS = 5,
                  PAIRING_WAIT = 6;

// For whom a device that is proved and has consented waits.
enum class PairWait : uint8_t { USER = 1, OTHER_ADMIN = 2 };

constexpr size_t PAIRING_HINTS_MAX = 64;
constexpr size_t PAIRING_LOG_BYTES_MAX = 16 << 20;
// An op's payload is at most 98304 bytes; fields and signatures come to less than 1 KiB.
constexpr size_t GENESIS_BYTES_MAX = 98304 + 1024;

using PairContribution = Id<struct PairContributionTag, 32>;  // Ni, Nr, and the commit to Nr

// `bundle` is what the envelope opened to.
struct PairIntroduction {
  Bundle bundle;
  Buffer envelope;
  PairContribution contribution;
};

Buffer writeIntroduction(Bytes bundleEnvelope, const PairContribution& contribution);
// Errors: BAD_FORMAT, and those of Bundle::open.
Result<PairIntroduction> readIntroduction(Bytes payload);

struct PairOffer {
  CircleId circle;
  Role role;
  DeviceId admin;
  Bytes genesis;  // an envelope; borrowed
};

Buffer writeOffer(const PairOffer& offer);
// Errors: BAD_FORMAT; COMMIT_MISMATCH when circle_id is not that of the Genesis op.
Result<PairOffer> readOffer(Bytes body);

// Where a device was last reachable, "host:port". Not authenticated: a place to dial, no more.
struct PairHint {
  DeviceId device;
  kj::String address;  // 1..255 bytes
};

// Requires at most PAIRING_HINTS_MAX hints.
Buffer writeHints(kj::ArrayPtr<const PairHint> hints);
// Errors: BAD_FORMAT, also for addresses with characters that are not printable ASCII.
Result<kj::Vector<PairHint>> readHints(Bytes body);

}  // namespace hearth::crypto
