// What `hearth settings` takes.

#include "apps/hearth/describe.h"

namespace hearth::cli {

void describeSettings(CLI::App& app, Common& common, SettingsOptions& options) {
  auto* settings = app.add_subcommand("settings", "values that all devices share");
  settings->require_subcommand(1);
  auto keyed = [&](const char* what, const char* help) {
    auto* sub = command(*settings, common, what, help);
    sub->add_option("KEY", options.key, "as list shows it: clipboard.lifetime")->required();
    return sub;
  };
  auto forOne = [&](CLI::App* sub) {
    sub->add_option("--device", options.device, "that device's own, by name or id");
  };
  forOne(keyed("get", "what holds on this device, or what one device has for itself"));
  auto* set = keyed("set", "sets a value for all devices, or for one");
  set->add_option("VALUE", options.value, "JSON; what is none is a text: 10m, or \"10m\"")
      ->required();
  forOne(set);
  set->add_option("--for", options.lifetime,
      "for how long: 90s, 10m, 1h30m, 2d; then what was there before holds again");
  forOne(keyed("remove", "takes a value away, for all devices or for one"));
  command(*settings, common, "list", "all of them");
  command(*settings, common, "watch", "tells them, and again whenever one is something else");
}

}  // namespace hearth::cli
