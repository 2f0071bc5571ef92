#include "simulator/story/copiers.h"

#include "devices/clipboard/clipboard.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::sim {

namespace {

using devices::Clipboard;

constexpr auto LEAST = 2 * kj::SECONDS;
constexpr uint32_t KEPT_PERMILLE = 250;

kj::Promise<bool> copyNow(devices::Node& node, std::string text, kj::Maybe<kj::Duration> lifetime) {
  co_await node.data().ready();
  Clipboard::Copy copy{.mime = "text/plain", .lifetime = lifetime};
  copy.bytes = kj::heapArray<kj::byte>(kj::StringPtr(text.c_str()).asBytes());
  auto done = co_await node.data().clipboard().copy(kj::mv(copy));
  co_return done.has_value();
}

std::set<std::string> shownBy(devices::Node& node) {
  std::set<std::string> texts;
  for (auto& view: node.data().clipboard().list()) texts.insert(view.row.preview);
  return texts;
}

}  // namespace

kj::Promise<void> Copiers::copy(
    Device& device, uint32_t entries, kj::Duration span, kj::Duration longest) {
  auto chance = Chance::of(world.seed(), "copiers", device.index());
  for (uint32_t i = 0; i < entries; ++i) {
    co_await world.time.after(span / static_cast<int64_t>(entries));
    kj::Maybe<kj::Duration> lifetime = chance.between(LEAST, longest);
    if (chance.permille(KEPT_PERMILLE)) lifetime = nullptr;
    KJ_IF_MAYBE(node, device.node()) {
      auto number = made.size();
      auto text = device.called() + std::to_string(number);
      made.push_back({device.index(), text, world.time.now(), lifetime});
      bool acknowledged = false;
      try {
        acknowledged = co_await device.whileItRuns(copyNow(*node, text, lifetime));
      } catch (const kj::Exception& e) {
        world.history.add(
            device.index(), "step", kj::str("not copied: ", e.getDescription()).cStr());
      }
      made[number].acknowledged = acknowledged;
    }
  }
}

kj::Promise<void> Copiers::clear(Device& device) {
  KJ_IF_MAYBE(node, device.node()) {
    try {
      co_await device.whileItRuns(node->data().ready());
      auto shown = shownBy(*node);
      auto count = made.size();
      for (auto& entry: made) entry.mayBeCleared = true;
      co_await device.whileItRuns(node->data().clipboard().clear().ignoreResult());
      for (size_t i = 0; i < count; ++i) made[i].isCleared |= shown.contains(made[i].text);
    } catch (const kj::Exception& e) {
      world.history.add(
          device.index(), "step", kj::str("not cleared: ", e.getDescription()).cStr());
    }
  }
}

kj::Promise<void> Copiers::read(Device& device) {
  KJ_IF_MAYBE(node, device.node()) {
    co_await device.whileItRuns(node->data().ready());
    auto rows = co_await device.whileItRuns(device.process().database().read(
        [](storage::Database& db) { return storage::clips::all(db); }));
    auto& page = found[device.index()];
    page.shown = shownBy(*node);
    for (auto& row: rows) page.stored.insert(row.preview);
  }
}

size_t Copiers::acknowledged() const {
  return static_cast<size_t>(std::ranges::count(made, true, &Entry::acknowledged));
}

size_t Copiers::cleared() const {
  return static_cast<size_t>(std::ranges::count(made, true, &Entry::isCleared));
}

}  // namespace hearth::sim
