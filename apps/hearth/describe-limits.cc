#include "apps/hearth/describe.h"

namespace hearth::cli {

void describeLimits(CLI::App& app, Common& common, LimitsOptions& options) {
  auto* limits = command(app, common, "limits",
      "bandwidth of blobs, folders and VAULTs on this device, and when they rest: shows it, or sets it");
  auto rate = [&](const char* name, std::string& value, const char* help) {
    limits->add_option(name, value, help)->type_name("RATE");
  };
  rate("--up", options.up, "what it sends, bytes a second: 500k, 2M, or none");
  rate("--down", options.down, "what it fetches, the same");
  limits->add_option("--with", options.with, "these are towards that device alone: name or id");
  limits
      ->add_option("--on-battery", options.onBattery,
          "go, rest, or at which charge it rests: 20%, while the battery is not charging")
      ->type_name("WHEN");
  limits->add_option("--on-metered", options.onMetered, "on a network that is metered: go or rest")
      ->check(CLI::IsMember({"go", "rest"}));
  auto* pause = command(
      app, common, "pause", "blobs, folders and VAULTs rest on this device; documents still go");
  pause->add_option("DURATION", options.duration, "30s, 10m, 2h; without it until hearth resume");
  command(app, common, "resume", "ends a pause");
}

}  // namespace hearth::cli
