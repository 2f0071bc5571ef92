#include "simulator/wire/eavesdropper.h"

#include "crypto/handshake/records.h"

#include <cstring>

namespace hearth::sim {

namespace {

constexpr auto HEADER_BYTES = crypto::RECORD_HEADER_BYTES;
constexpr size_t INDEX_BYTES = 4;  // of the receiver's keys, before the ciphertext

}  // namespace

// Writes begin with a record, and mostly hold whole ones.
void Eavesdropper::heard(uint64_t connection, DeviceIndex to, kj::ArrayPtr<const kj::byte> bytes) {
  while (bytes.size() > HEADER_BYTES) {
    auto header = crypto::readRecordHeader(bytes.slice(0, HEADER_BYTES));
    if (!header || header->bodyBytes > bytes.size() - HEADER_BYTES) return;
    auto end = HEADER_BYTES + header->bodyBytes;
    if (header->type == crypto::RecordType::HS_INIT) calls[to] = kj::heapArray(bytes.slice(0, end));
    if (header->type == crypto::RecordType::DATA)
      compare(connection, bytes.slice(HEADER_BYTES, end));
    bytes = bytes.slice(end, bytes.size());
  }
}

void Eavesdropper::compare(uint64_t connection, kj::ArrayPtr<const kj::byte> body) {
  uint64_t head = 0;
  if (body.size() < INDEX_BYTES + sizeof(head)) return;
  memcpy(&head, body.begin() + INDEX_BYTES, sizeof(head));
  auto& known = heads[connection];
  if (known.size() >= RECORDS_MAX) return;
  if (!known.insert(head).second) ++repeatCount;
  if (heads.size() > LINKS_MAX) heads.erase(heads.begin());
}

kj::Maybe<kj::ArrayPtr<const kj::byte>> Eavesdropper::callTo(DeviceIndex device) const {
  auto found = calls.find(device);
  if (found == calls.end()) return nullptr;
  return found->second.asPtr();
}

}  // namespace hearth::sim
