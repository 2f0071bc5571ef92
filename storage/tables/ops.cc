#include "storage/tables/ops.h"

#include "crypto/primitives/row-hash.h"

#include <kj/debug.h>

namespace hearth::storage::ops {

namespace {

constexpr kj::StringPtr TABLE = "ops"_kj;

struct Tail {
  int64_t rows = 0;
  Digest hash;
};

Tail tailOf(Database& database) {
  Statement statement(database, "SELECT i, hash FROM ops ORDER BY i DESC LIMIT 1");
  if (!statement.step()) return {};
  auto hash = Digest::from(statement.blob(1));
  KJ_REQUIRE(hash.has_value(), "a row of ops has no hash");
  return {statement.integer(0) + 1, *hash};
}

}  // namespace

void append(Database& database, kj::ArrayPtr<const kj::byte> envelope) {
  auto tail = tailOf(database);
  auto hash = crypto::rowHash(TABLE, static_cast<uint64_t>(tail.rows), tail.hash, envelope);
  Statement(database, "INSERT INTO ops (i, envelope, hash) VALUES (?, ?, ?)")
      .bind(tail.rows)
      .bind(envelope)
      .bind(hash.asBytes())
      .run();
}

Result<std::vector<kj::Array<kj::byte>>> all(Database& database) {
  Statement statement(database, "SELECT i, envelope, hash FROM ops ORDER BY i");
  std::vector<kj::Array<kj::byte>> envelopes;
  Digest previous;
  while (statement.step()) {
    auto envelope = statement.blob(1);
    auto index = static_cast<uint64_t>(statement.integer(0));
    previous = crypto::rowHash(TABLE, envelopes.size(), previous, envelope);
    if (index != envelopes.size() || statement.blob(2).asPtr() != previous.asBytes())
      return no(Errc::INTEGRITY_FAILED, "the stored membership log was changed");
    envelopes.push_back(kj::mv(envelope));
  }
  return envelopes;
}

}  // namespace hearth::storage::ops
