#include "crypto/membership/floods.h"

namespace hearth::crypto {

namespace {

std::map<DeviceId, size_t> surpluses(const OpTable& table, const OpSet& set) {
  std::map<DeviceId, size_t> surplus;
  for (auto& [place, rivals]: table.rivals()) {
    auto there = (rivals & set).count();
    if (there > 1) surplus[place.first] += there - 1;
  }
  return surplus;
}

}  // namespace

Floods floodsIn(const OpTable& table, const OpSet& set) {
  Floods floods;
  for (auto& [author, surplus]: surpluses(table, set)) {
    if (surplus > SURPLUS_MAX) floods.authors.insert(author);
  }
  if (floods.authors.empty()) return floods;
  OpSet counted;
  for (auto op: set) {
    if (floods.authors.contains(table[op].op().author)) continue;
    counted |= table[op].past;
    counted.insert(op);
  }
  floods.outside = set - counted;
  return floods;
}

bool hasFlooded(const OpTable& table, const DeviceId& author) {
  size_t surplus = 0;
  auto& rivals = table.rivals();
  for (auto place = rivals.lower_bound({author, 0});
      place != rivals.end() && place->first.first == author; ++place)
    surplus += place->second.count() - 1;
  return surplus > SURPLUS_MAX;
}

Result<void> checkFloods(const OpTable& table, const OpSet& past) {
  if (floodsIn(table, past).outside.empty()) return {};
  return no(Errc::LIMIT_EXCEEDED, "an op that rests on more rivals of one author than it may");
}

}  // namespace hearth::crypto
