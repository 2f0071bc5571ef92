#include "devices/node/policy-settings.h"

#include <charconv>
#include <iterator>

namespace hearth::devices {

using crypto::Assurance;
using crypto::Policy;

namespace {

constexpr Error NO_SETTING = {Errc::BAD_FORMAT,
    "a policy has public, personal, health and secret (A0 to A3), stale-days (1 to 30) and, set "
    "alone, min-suite: KEY=VALUE"_kj};
constexpr Error NOT_ALONE = {Errc::BAD_FORMAT,
    "min-suite is set alone, for no change takes it back: set the rest by a command of its own"_kj};
constexpr const char* LABEL_NAMES[] = {"public", "personal", "health", "secret"};
static_assert(std::size(LABEL_NAMES) == crypto::LABELS);
constexpr const char* STALE_DAYS = "stale-days";

std::string nameOf(Assurance level) { return "A" + std::to_string(static_cast<int>(level)); }

// A4 is for later: nothing proves it (SECURITY.md §7.1), and what asks for it would run nowhere.
Result<void> setLevel(Assurance& level, const std::string& value) {
  for (auto each: {Assurance::A0, Assurance::A1, Assurance::A2, Assurance::A3}) {
    if (value != nameOf(each)) continue;
    level = each;
    return {};
  }
  return no(NO_SETTING);
}

Result<void> setDays(uint16_t& days, const std::string& value) {
  uint16_t said = 0;
  auto* end = value.data() + value.size();
  auto read = std::from_chars(value.data(), end, said);
  bool whole = read.ec == std::errc() && read.ptr == end;
  if (!whole || said < Policy::STALE_DAYS_MIN || said > Policy::STALE_DAYS_MAX)
    return no(NO_SETTING);
  days = said;
  return {};
}

Result<void> set(Policy& policy, const Setting& wanted) {
  if (wanted.key == MIN_SUITE) return no(NOT_ALONE);
  if (wanted.key == STALE_DAYS) return setDays(policy.staleDays, wanted.value);
  for (size_t label = 0; label < crypto::LABELS; ++label) {
    if (wanted.key == LABEL_NAMES[label]) return setLevel(policy.levels[label], wanted.value);
  }
  return no(NO_SETTING);
}

}  // namespace

std::vector<Setting> settingsOf(const Policy& policy) {
  std::vector<Setting> all;
  for (size_t label = 0; label < crypto::LABELS; ++label)
    all.push_back({LABEL_NAMES[label], nameOf(policy.levels[label])});
  all.push_back({STALE_DAYS, std::to_string(policy.staleDays)});
  return all;
}

Result<Policy> withSettings(Policy policy, const std::vector<Setting>& wanted) {
  for (auto& setting: wanted) {
    if (auto done = set(policy, setting); !done) return no(done.error());
  }
  return policy;
}

std::string changesOf(const Policy& before, const Policy& after) {
  std::string all;
  auto say = [&](const std::string& change) { all += (all.empty() ? "" : ", ") + change; };
  auto old = settingsOf(before), now = settingsOf(after);
  for (size_t i = 0; i < now.size(); ++i) {
    if (old[i].value != now[i].value)
      say(now[i].key + " from " + old[i].value + " to " + now[i].value);
  }
  auto list = [&](const char* what, auto& was, auto& is) {
    if (was != is)
      say(std::string("other ") + what + " (" + std::to_string(is.size()) + " instead of " +
          std::to_string(was.size()) + ")");
  };
  list("plugins", before.plugins, after.plugins);
  list("signers", before.signers, after.signers);
  list("least versions", before.minimums, after.minimums);
  list("daemons", before.daemons, after.daemons);
  list("sandbox profiles", before.profiles, after.profiles);
  list("ceilings of devices", before.ceilings, after.ceilings);
  list("places outside", before.egress, after.egress);
  if (before.caps != after.caps) say("other quotas");
  if (before.gpuLabels != after.gpuLabels) say("other labels for GPUs");
  if (before.broker != after.broker)
    say(after.broker ? "a broker to the outside" : "no broker to the outside");
  return all.empty() ? "nothing" : all;
}

}  // namespace hearth::devices
