#include "crypto/pairing/log-stream.h"

#include <algorithm>

namespace hearth::crypto {

kj::Vector<Buffer> sendLog(PairChannel& channel, Bytes log, kj::ArrayPtr<const PairHint> hints) {
  kj::Vector<Buffer> records;
  auto send = [&](uint8_t kind, Bytes body) {
    for (auto& record: channel.send(kind, body)) records.add(kj::mv(record));
  };
  for (size_t at = 0; at < log.size(); at += MESSAGE_BODY_BYTES_MAX)
    send(PAIRING_T4, log.slice(at, std::min(at + MESSAGE_BODY_BYTES_MAX, log.size())));
  send(PAIRING_HINTS, writeHints(hints));
  return records;
}

Result<void> LogReader::take(Bytes piece) {
  if (log.size() + piece.size() > PAIRING_LOG_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a membership log over the limit");
  log.addAll(piece);
  return {};
}

}  // namespace hearth::crypto
