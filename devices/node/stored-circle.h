#pragma once
// A circle as the disk of one of its devices holds it, and how it comes there: founded, joined, or taken
// whole.

#include "crypto/membership/author.h"
#include "devices/node/freshness.h"
#include "devices/node/identity.h"
#include "storage/sql/store.h"

namespace hearth::devices {

struct StoredCircle {
  CircleId circle;
  std::vector<crypto::Buffer> ops;
  std::map<DeviceId, uint64_t> acceptedCounters;
  Freshness freshness;
  crypto::Buffer proposals;  // what waits for another admin (proposals.h)
  uint64_t rows = 0;         // of the chain of ops, with the hash of the newest
  Digest hash;
  uint64_t anchored = 0;  // counter of the newest anchor that was on disk before the last commit

  // None when this device has no circle yet.
  // Errors: INTEGRITY_FAILED, ROLLBACK when the stored log was tampered with.
  static kj::Promise<Result<kj::Maybe<StoredCircle>>> read(storage::Store& store);
  static Result<kj::Maybe<StoredCircle>> readFrom(storage::Database& db);

  // Puts a whole circle on a disk that held none.
  static kj::Promise<void> write(storage::Store& store, const crypto::MembershipLog& log);

  // A new circle with this device as its admin. The recovery key signs and is forgotten.
  static kj::Promise<void> found(const crypto::RecoveryKeys& recovery, const Identity& identity,
      storage::Store& store, const kj::Clock& clock, Entropy& entropy);

  // A circle that this device was brought into: its log as pairing gave it.
  // Errors: those of the log; NOT_AUTHORISED when this device's Add does not stand in it.
  static kj::Promise<Result<void>> join(
      const CircleId& circle, crypto::Bytes log, const Identity& identity, storage::Store& store);

  static kj::Promise<void> writeFreshness(storage::Store& store, const Freshness& fresh);
  // In one with a commit of ops: how new the anchor beside them is.
  static void writeAnchored(storage::Database& db, uint64_t counter);
  static kj::Promise<void> writeProposals(storage::Store& store, crypto::Buffer proposals);
};

}  // namespace hearth::devices
