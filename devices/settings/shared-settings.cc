#include "devices/settings/shared-settings.h"

#include "devices/settings/known-settings.h"
#include "storage/crdt/varint.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <algorithm>

namespace hearth::devices {

using storage::Draft;
using storage::Path;
using storage::Tree;
using namespace setting_names;

namespace {

std::string hexOf(const DeviceId& id) { return kj::encodeHex(id.asBytes()).cStr(); }

Path pathOf(const kj::Maybe<DeviceId>& device) {
  KJ_IF_MAYBE(id, device) return {DEVICES, hexOf(*id)};
  return {ALL};
}

bool mayBeKey(const std::string& key) {
  return !key.empty() && key.size() <= SharedSettings::KEY_BYTES_MAX && storage::isUtf8(key) &&
      std::ranges::none_of(key, [](char c) { return c >= 0 && c <= ' '; });
}

}  // namespace

crypto::CollectionId settingsCollection() {
  auto hash = crypto::hash("hearth/collection/v1", {kj::StringPtr("settings").asBytes()});
  return crypto::CollectionId::from(hash.asBytes().slice(0, crypto::CollectionId::SIZE)).value();
}

kj::Promise<void> SharedSettings::start() {
  auto handle = co_await around.documents.open("settings");
  KJ_REQUIRE(handle.has_value(), "the settings", handle.error().because);
  opened = kj::mv(*handle);
}

Tree::Map SharedSettings::mapAt(const Path& path) {
  auto tree = storage::treeAt(handle()->document(), path);
  if (!tree) return {};
  auto map = std::get_if<Tree::Map>(&tree->value);
  return map == nullptr ? Tree::Map() : kj::mv(*map);
}

std::vector<SettingView> SharedSettings::list() const {
  return settingsIn(storage::treeOf(handle()->document()), around.self, nowMs());
}

kj::Maybe<Tree> SharedSettings::valueOf(const std::string& key) {
  for (auto& view: list()) {
    if (view.holds && view.key == key) return kj::mv(view.value);
  }
  return nullptr;
}

kj::Promise<Result<void>> SharedSettings::set(
    std::string key, Tree value, kj::Maybe<DeviceId> device, kj::Maybe<kj::Duration> lifetime) {
  if (!mayBeKey(key))
    co_return no(Errc::BAD_FORMAT, "a setting's key is 1 to 255 bytes of UTF-8 without spaces");
  if (auto fits = mayBe(key, value); !fits) co_return no(fits.error());
  KJ_IF_MAYBE(span, lifetime) {
    if (*span < 1 * kj::SECONDS || *span > SETTING_LIFETIME_MAX)
      co_return no(Errc::BAD_FORMAT, "a setting holds for one second to 365 days, or for good");
  }
  auto path = pathOf(device);
  auto present = mapAt(path);
  if (present.size() >= SETTINGS_MAX && !present.contains(key))
    co_return no(Errc::LIMIT_EXCEEDED, "there are 1024 settings: remove some");
  path.push_back(key);
  co_return co_await handle()->change(
      [path, value = kj::mv(value), lifetime, from = nowMs()](Draft& draft) -> Result<void> {
        auto at = [&](const char* name) {
          auto place = path;
          place.push_back(name);
          return place;
        };
        KJ_IF_MAYBE(span, lifetime) {
          int64_t ms = *span / kj::MILLISECONDS;
          return draft.set(at(UNTIL), {Tree::Map{{VALUE, value}, {FROM_MS, {from}}, {MS, {ms}}}});
        }
        // What stood for a while is over with what it stood before.
        return draft.set(path, {Tree::Map{{VALUE, value}}});
      });
}

kj::Promise<Result<bool>> SharedSettings::remove(std::string key, kj::Maybe<DeviceId> device) {
  auto path = pathOf(device);
  if (!mapAt(path).contains(key)) co_return false;
  path.push_back(key);
  auto done = co_await handle()->change([path](Draft& draft) { return draft.remove(path); });
  if (!done) co_return no(done.error());
  co_return true;
}

kj::Promise<void> SharedSettings::changed() {
  auto change = handle()->changed();
  kj::Maybe<uint64_t> next;
  for (auto& view: list()) {
    if (view.leftMs > 0) next = kj::min(next.orDefault(view.leftMs), view.leftMs);
  }
  KJ_IF_MAYBE(ms, next) {
    auto over = around.timer.afterDelay(static_cast<int64_t>(*ms) * kj::MILLISECONDS);
    return change.exclusiveJoin(kj::mv(over));
  }
  return change;
}

std::vector<std::string> SharedSettings::alarms() const {
  if (opened == nullptr) return {};
  std::vector<std::string> lines;
  for (auto& view: list()) {
    bool isMine = view.device == nullptr || view.device == around.self;
    if (view.problem.size() > 0 && isMine)
      lines.push_back("a setting is not used: " + std::string(view.problem.cStr()) +
          "; hearth settings set puts another one there");
  }
  return lines;
}

}  // namespace hearth::devices
