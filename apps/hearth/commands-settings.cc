// hearth settings: values that all devices share, and those that one has for itself.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/spans.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace hearth::cli {

namespace {

using nlohmann::json;
using All = capnp::List<local::SharedSetting>::Reader;

json jsonOf(local::SharedSetting::Reader setting) {
  json value{{"key", setting.getKey().cStr()}, {"value", json::parse(setting.getJson().cStr())},
      {"holds", setting.getHolds()}};
  if (setting.getDevice().size() > 0) {
    value["device"] = setting.getDevice().cStr();
    value["device_id"] = setting.getDeviceId().cStr();
  }
  if (setting.getLeftMs() > 0) value["left_ms"] = setting.getLeftMs();
  if (setting.getProblem().size() > 0) value["problem"] = setting.getProblem().cStr();
  return value;
}

std::string remarkOn(local::SharedSetting::Reader setting) {
  if (setting.getProblem().size() > 0)
    return std::string("not used: ") + setting.getProblem().cStr();
  std::string remark = setting.getHolds() ? "holds here" : "";
  if (setting.getLeftMs() == 0) return remark;
  return remark + (remark.empty() ? "for " : ", for ") + spanText(setting.getLeftMs());
}

void print(const Common& common, All all) {
  if (common.json) {
    auto settings = json::array();
    for (auto setting: all) settings.push_back(jsonOf(setting));
    return printJson({{"settings", settings}});
  }
  if (all.size() == 0) {
    std::cout << "nothing is set\n" << std::flush;
    return;
  }
  std::vector<std::vector<std::string>> rows{{"KEY", "VALUE", "DEVICE", ""}};
  for (auto setting: all) {
    std::string device = setting.getDevice().cStr();
    rows.push_back({setting.getKey().cStr(), setting.getJson().cStr(),
        device.empty() ? "all" : device, remarkOn(setting)});
  }
  printTable(rows);
}

class Watcher final: public local::SettingsWatcher::Server {
 public:
  explicit Watcher(const Common& common): common(common) {}

  kj::Promise<void> changed(ChangedContext context) override {
    print(common, context.getParams().getSettings());
    return kj::READY_NOW;
  }

 private:
  const Common& common;
};

// What is no JSON is a text, so that nobody has to quote twice.
std::string valueOf(const std::string& typed) {
  return json::accept(typed) ? typed : json(typed).dump();
}

bool isMeant(local::SharedSetting::Reader setting, const SettingsOptions& options) {
  if (setting.getKey() != options.key.c_str()) return false;
  if (options.device.empty()) return setting.getHolds();
  return setting.getDevice() == options.device.c_str() ||
      setting.getDeviceId().startsWith(options.device.c_str());
}

int get(const Common& common, All all, const SettingsOptions& options) {
  for (auto setting: all) {
    if (!isMeant(setting, options)) continue;
    if (common.json) {
      printJson(jsonOf(setting));
    } else {
      std::cout << setting.getJson().cStr() << "\n" << std::flush;
    }
    return DONE;
  }
  throw Failure{FAILED, options.key + " is not set: hearth settings list shows what is"};
}

}  // namespace

int settings(const Common& common, const std::string& what, const SettingsOptions& options) {
  Client client(common.home.c_str());
  auto settings = client.daemon().settingsRequest().send().getSettings();
  if (what == "watch") {
    auto request = settings.watchRequest();
    request.setWatcher(kj::heap<Watcher>(common));
    client.untilInterrupted(request.send().ignoreResult());
  } else if (what == "set") {
    auto request = settings.setRequest();
    request.setKey(options.key.c_str());
    request.setJson(valueOf(options.value).c_str());
    request.setDevice(options.device.c_str());
    if (!options.lifetime.empty()) request.setLifetimeMs(spanOf(options.lifetime));
    request.send().wait(client.waitScope());
  } else if (what == "remove") {
    auto request = settings.removeRequest();
    request.setKey(options.key.c_str());
    request.setDevice(options.device.c_str());
    auto removed = request.send().wait(client.waitScope());
    if (!removed.getWasThere()) throw Failure{FAILED, options.key + " is not set"};
  } else {
    auto listed = settings.listRequest().send().wait(client.waitScope());
    if (what == "get") return get(common, listed.getSettings(), options);
    print(common, listed.getSettings());
  }
  return DONE;
}

}  // namespace hearth::cli
