#include "crypto/membership/names.h"

#include <utility>

namespace hearth::crypto {

namespace {

kj::Maybe<std::string> read(const OpRecord& record, const EpochKeys& epochs) {
  auto& sealed = record.as<DeviceMetaPayload>()->sealed;
  auto bytes = kj::arrayPtr(sealed.data(), sealed.size());
  auto plain = openForMembers(record.op(), epochs, bytes);
  if (!plain) return nullptr;
  auto names = DeviceNames::decode(*plain);
  if (!names) return nullptr;
  return std::string(names->name.cStr());
}

}  // namespace

// Secrets are never forgotten: what has been opened stays so, and what has not is tried again when there
// are more.
void Names::look(const MembershipLog& log, const EpochKeys& epochs) {
  if (epochs.secretsHeld() != secretsThen) {
    secretsThen = epochs.secretsHeld();
    for (auto op: std::exchange(closed, {})) tryToRead(log, epochs, op);
  }
  for (; looked < log.size(); ++looked) {
    auto op = static_cast<OpIndex>(looked);
    if (log.ops()[op].as<DeviceMetaPayload>()) tryToRead(log, epochs, op);
  }
}

void Names::tryToRead(const MembershipLog& log, const EpochKeys& epochs, OpIndex op) {
  ++tries;
  KJ_IF_MAYBE(name, crypto::read(log.ops()[op], epochs)) {
    read[op] = kj::mv(*name);
  } else {
    closed.insert(op);
  }
}

std::map<DeviceId, std::string> Names::in(const MembershipLog& log, const EpochKeys& epochs) {
  look(log, epochs);
  std::map<DeviceId, std::pair<uint64_t, OpHash>> newest;
  std::map<DeviceId, std::string> said;
  for (auto& [op, name]: read) {
    auto& record = log.ops()[op];
    std::pair rank{record.op().lamport, record.sealed.hash};
    auto& best = newest[record.op().author];
    if (rank < best || !log.applies(record.sealed.hash)) continue;
    best = rank;
    said[record.op().author] = name;
  }
  // In order of ids a device may come before the one that it was: as many rounds as there were keys.
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& [id, member]: log.state().devices) {
      if (said.contains(id)) continue;
      for (auto& old: member.rotatedFrom) {
        auto found = said.find(old);
        if (found == said.end()) continue;
        said[id] = std::string(found->second);
        moved = true;
        break;
      }
    }
  }
  return said;
}

}  // namespace hearth::crypto
