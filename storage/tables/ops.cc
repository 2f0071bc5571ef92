#include "storage/tables/ops.h"

#include <kj/debug.h>

namespace hearth::storage::ops {

void append(Database& db, crypto::Bytes envelope) {
  KJ_REQUIRE(envelope.size() <= ENVELOPE_BYTES_MAX, envelope.size());
  chain::append(db, "ops", envelope);
}

Result<std::vector<crypto::Buffer>> all(Database& db) {
  std::vector<crypto::Buffer> envelopes;
  auto rows = chain::rows(db, "ops");
  for (;;) {
    auto more = rows.tryStep();
    if (!more) return no(more.error());
    if (!*more) return envelopes;
    envelopes.push_back(kj::heapArray<kj::byte>(rows.blob(0)));
  }
}

}  // namespace hearth::storage::ops
