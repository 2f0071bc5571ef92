#include "bindings/local/settings.h"

#include "bindings/local/json-tree.h"
#include "bindings/local/refuse.h"
#include "crypto/identity/display.h"
#include "devices/settings/shared-settings.h"

namespace hearth::local {

namespace {

using devices::SharedSettings;

void write(devices::Node& node, const devices::SettingView& view, SharedSetting::Builder out) {
  out.setKey(view.key.c_str());
  out.setJson(jsonOf(view.value, false).c_str());
  KJ_IF_MAYBE(device, view.device) {
    out.setDevice(node.nameOf(*device).c_str());
    out.setDeviceId(crypto::display(*device));
  }
  out.setLeftMs(view.leftMs);
  out.setHolds(view.holds);
  out.setProblem(view.problem);
}

void write(devices::Node& node, const std::vector<devices::SettingView>& views,
    capnp::List<SharedSetting>::Builder out) {
  for (kj::uint i = 0; i < views.size(); ++i) write(node, views[i], out[i]);
}

class SettingsServer final: public Settings::Server {
 public:
  explicit SettingsServer(kj::Own<NodeWhileThere> node): node(kj::mv(node)) {}

  kj::Promise<void> list(ListContext context) override {
    co_await node->there().data().ready();
    auto views = settings().list();
    write(node->there(), views,
        context.getResults().initSettings(static_cast<kj::uint>(views.size())));
  }

  kj::Promise<void> set(SetContext context) override {
    co_await node->there().data().ready();
    auto params = context.getParams();
    auto value = treeOf(params.getJson());
    if (!value) refuse(value.error());
    kj::Maybe<kj::Duration> lifetime;
    if (params.getLifetimeMs() > 0) {
      // What is too long for a Duration is too long for a setting.
      constexpr uint64_t MOST = devices::SETTING_LIFETIME_MAX / kj::MILLISECONDS + 1;
      lifetime = static_cast<int64_t>(kj::min(params.getLifetimeMs(), MOST)) * kj::MILLISECONDS;
    }
    auto done = co_await settings().set(
        params.getKey().cStr(), kj::mv(*value), deviceCalled(params.getDevice()), lifetime);
    if (!done) refuse(done.error());
  }

  kj::Promise<void> remove(RemoveContext context) override {
    co_await node->there().data().ready();
    auto params = context.getParams();
    auto done =
        co_await settings().remove(params.getKey().cStr(), deviceCalled(params.getDevice()));
    if (!done) refuse(done.error());
    context.getResults().setWasThere(*done);
  }

  kj::Promise<void> watch(WatchContext context) override {
    co_await node->there().data().ready();
    auto watcher = context.getParams().getWatcher();
    for (;;) {
      auto change = settings().changed();
      auto views = settings().list();
      auto request = watcher.changedRequest();
      write(node->there(), views, request.initSettings(static_cast<kj::uint>(views.size())));
      co_await request.send().ignoreResult();
      co_await change;
    }
  }

 private:
  kj::Own<NodeWhileThere> node;

  SharedSettings& settings() { return node->there().data().settings(); }

  kj::Maybe<DeviceId> deviceCalled(kj::StringPtr wanted) {
    if (wanted.size() == 0) return nullptr;
    auto found = node->there().device(wanted.cStr());
    if (!found) refuse(found.error());
    return found->id;
  }
};

}  // namespace

Settings::Client newSettings(kj::Own<NodeWhileThere> node) {
  return kj::heap<SettingsServer>(kj::mv(node));
}

}  // namespace hearth::local
