#include "storage/blob/server.h"

#include <utility>

namespace hearth::storage {

Result<void> BlobServer::received(const AskParts& ask) {
  for (auto& part: ask.parts) {
    if (asked.size() < ASKED_MAX) {
      asked.push_back(part);
    } else if (busy.size() < ASKED_MAX) {
      busy.push_back(part.ticket);
    } else {
      return no(Errc::LIMIT_EXCEEDED, "a peer that asks without waiting");
    }
  }
  if (unknown > UNKNOWN_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a peer that asks for what is not here");
  return {};
}

// As many parts as fit; what is lacking and what was too much is told once there is nothing else in the way.
kj::Maybe<crypto::Buffer> BlobServer::next() {
  std::vector<crypto::Buffer> bytes;
  GiveParts parts;
  size_t size = 1;
  while (!asked.empty() && lacks.size() < ASKED_MAX) {
    auto& first = asked.front();
    if (held == nullptr) held = source.part(first.content, first.level, first.offset);
    KJ_IF_MAYBE(part, held) {
      if (size + partBytes(part->size()) > BLOB_MESSAGE_BYTES_MAX) break;
      size += partBytes(part->size());
      parts.parts.push_back({first.ticket, *part});
      bytes.push_back(kj::mv(*part));
      held = nullptr;
    } else {
      ++unknown;
      lacks.push_back(first.ticket);
    }
    asked.pop_front();
  }
  if (!parts.parts.empty()) return encode(parts);
  if (!lacks.empty()) return encode(LackParts{std::exchange(lacks, {})});
  if (!busy.empty()) return encode(BusyParts{std::exchange(busy, {})});
  return nullptr;
}

}  // namespace hearth::storage
