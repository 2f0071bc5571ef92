#pragma once
// What the document of the settings says, and which of it a device goes by. Others have written it: it may be anything.
//
//   all       KEY -> {value, until: {value, from_ms, ms}}
//   devices   device id, hex -> KEY -> the same
//
// `until` stands before `value` for so long; then `value` holds again. Times are by the clock of whoever wrote them,
// and so a device goes by an `until` only while its own clock is within it, a day before its beginning at most.
//
// What a device goes by is the first of these that is there and that it can go by: its own for a while, its own, that
// of all for a while, that of all.

#include "storage/crdt/tree.h"

#include <kj/time.h>

namespace hearth::devices {

constexpr size_t SETTINGS_MAX =
    1'024;  // of all devices together, and of each; of what is more nobody is told
constexpr kj::Duration SETTING_LIFETIME_MAX = 365 * kj::DAYS;
constexpr kj::Duration SETTING_AHEAD_MAX = 24 * kj::HOURS;  // of a clock that is taken for right

struct SettingView {
  std::string key;
  kj::Maybe<DeviceId> device;  // none: it is for all
  storage::Tree value;
  uint64_t leftMs = 0;    // of its lifetime; 0: it has none
  bool holds = false;     // this device goes by it
  kj::StringPtr problem;  // why nobody can go by it; empty: none
};

// By key; under each that of all first, and behind what stands for a while what holds after it.
std::vector<SettingView> settingsIn(
    const storage::Tree& document, const DeviceId& self, int64_t nowMs);

// The names in the document.
namespace setting_names {
constexpr const char *ALL = "all", *DEVICES = "devices", *VALUE = "value", *UNTIL = "until",
                     *FROM_MS = "from_ms", *MS = "ms";
}  // namespace setting_names

}  // namespace hearth::devices
