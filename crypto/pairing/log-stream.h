#pragma once
// How a whole membership log goes through the channel of a pairing or a recovery: in as many t4 as
// that takes, and the hints end it.

#include "crypto/pairing/channel.h"
#include "crypto/pairing/payloads.h"

namespace hearth::crypto {

// Whole records, in order. `log` is a stream of membership messages.
kj::Vector<Buffer> sendLog(PairChannel& channel, Bytes log, kj::ArrayPtr<const PairHint> hints);

class LogReader final {
 public:
  // Errors: LIMIT_EXCEEDED for a log over PAIRING_LOG_BYTES_MAX.
  Result<void> take(Bytes piece);
  bool empty() const { return log.empty(); }
  Buffer finish() { return log.releaseAsArray(); }

 private:
  kj::Vector<kj::byte> log;
};

}  // namespace hearth::crypto
