#include "crypto/membership/names.h"

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

std::map<DeviceId, std::string> namesIn(const MembershipLog& log, const EpochKeys& epochs) {
  std::map<DeviceId, std::pair<uint64_t, OpHash>> newest;
  std::map<DeviceId, std::string> said;
  for (auto& record: log.ops()) {
    if (!record.as<DeviceMetaPayload>() || !log.applies(record.sealed.hash)) continue;
    std::pair rank{record.op().lamport, record.sealed.hash};
    auto& best = newest[record.op().author];
    if (rank < best) continue;
    KJ_IF_MAYBE(name, read(record, epochs)) {
      best = rank;
      said[record.op().author] = kj::mv(*name);
    }
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
