#include "devices/settings/settings-view.h"

#include "devices/settings/known-settings.h"

#include <kj/encoding.h>

#include <algorithm>

namespace hearth::devices {

using storage::Tree;
using namespace setting_names;

namespace {

kj::Maybe<DeviceId> deviceOf(const std::string& hex) {
  auto bytes = kj::decodeHex(kj::arrayPtr(hex.data(), hex.size()));
  auto id = DeviceId::from(bytes);
  if (bytes.hadErrors || !id) return nullptr;
  return *id;
}

const Tree* in(const Tree& entry, const char* name) {
  auto map = std::get_if<Tree::Map>(&entry.value);
  if (map == nullptr || !map->contains(name)) return nullptr;
  return &map->at(name);
}

const Tree::Map* mapIn(const Tree& entry, const char* name) {
  auto* found = in(entry, name);
  return found == nullptr ? nullptr : std::get_if<Tree::Map>(&found->value);
}

int64_t numberIn(const Tree& entry, const char* name) {
  auto* found = in(entry, name);
  auto* number = found == nullptr ? nullptr : std::get_if<int64_t>(&found->value);
  return number == nullptr ? 0 : *number;
}

// Milliseconds that are left of what stands for a while; 0: it is over, or no clock can be right by which it is not.
uint64_t leftOf(const Tree& until, int64_t nowMs) {
  constexpr int64_t LONGEST = SETTING_LIFETIME_MAX / kj::MILLISECONDS,
                    AHEAD = SETTING_AHEAD_MAX / kj::MILLISECONDS, FROM_MAX = int64_t{1} << 50;
  auto from = numberIn(until, FROM_MS), ms = numberIn(until, MS);
  bool isSane = ms > 0 && ms <= LONGEST && from >= 0 && from <= FROM_MAX;
  if (!isSane || from > nowMs + AHEAD) return 0;
  auto left = std::min(from + ms - nowMs, ms);
  return left > 0 ? static_cast<uint64_t>(left) : 0;
}

void add(std::vector<SettingView>& all, const std::string& key, kj::Maybe<DeviceId> device,
    const Tree& value, uint64_t leftMs) {
  SettingView view{.key = key, .device = device, .value = value, .leftMs = leftMs};
  if (auto fits = mayBe(key, value); !fits) view.problem = fits.error().because;
  all.push_back(kj::mv(view));
}

void addAll(std::vector<SettingView>& all, kj::Maybe<DeviceId> device, const Tree::Map& entries,
    int64_t nowMs) {
  size_t count = 0;
  for (auto& [key, entry]: entries) {
    if (count++ == SETTINGS_MAX) return;
    auto* until = in(entry, UNTIL);
    auto* meanwhile = until == nullptr ? nullptr : in(*until, VALUE);
    auto left = meanwhile == nullptr ? 0 : leftOf(*until, nowMs);
    if (left > 0) add(all, key, device, *meanwhile, left);
    if (auto* value = in(entry, VALUE)) add(all, key, device, *value, 0);
  }
}

// Of one key the first that the device can go by, its own before that of all.
void markWhatHolds(std::vector<SettingView>& all, const DeviceId& self) {
  auto isOwn = [&](const SettingView& view) { return view.device == self; };
  std::map<std::string, size_t> holding;
  for (size_t i = 0; i < all.size(); ++i) {
    bool isForIt = all[i].device == nullptr || isOwn(all[i]);
    if (!isForIt || all[i].problem.size() > 0) continue;
    auto [found, isFirst] = holding.try_emplace(all[i].key, i);
    if (!isFirst && isOwn(all[i]) && !isOwn(all[found->second])) found->second = i;
  }
  for (auto& [key, i]: holding) all[i].holds = true;
}

}  // namespace

std::vector<SettingView> settingsIn(const Tree& document, const DeviceId& self, int64_t nowMs) {
  std::vector<SettingView> all;
  if (auto* entries = mapIn(document, ALL)) addAll(all, nullptr, *entries, nowMs);
  if (auto* devices = mapIn(document, DEVICES)) {
    size_t count = 0;
    for (auto& [hex, entries]: *devices) {
      auto* its = std::get_if<Tree::Map>(&entries.value);
      auto device = deviceOf(hex);
      if (its == nullptr || device == nullptr || count++ >= SETTINGS_MAX) continue;
      addAll(all, device, *its, nowMs);
    }
  }
  std::ranges::stable_sort(all, {}, &SettingView::key);
  markWhatHolds(all, self);
  return all;
}

}  // namespace hearth::devices
