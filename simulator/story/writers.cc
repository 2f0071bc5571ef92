#include "simulator/story/writers.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::sim {

namespace {

using storage::Draft;
using storage::Path;
using storage::Tree;

constexpr auto DOCUMENT = "notes", TEXT = "text", LIST = "list", COUNT = "count";

kj::Promise<Result<void>> commit(devices::Node& node, kj::Function<Result<void>(Draft&)> make) {
  co_await node.data().ready();
  auto opened = co_await node.data().documents().open(DOCUMENT);
  if (!opened) co_return no(opened.error());
  co_return co_await (*opened)->change(kj::mv(make));
}

kj::Promise<Tree> contentOf(devices::Node& node) {
  co_await node.data().ready();
  auto opened = co_await node.data().documents().open(DOCUMENT);
  KJ_REQUIRE(opened.has_value(), opened.error().because);
  co_return storage::treeOf((*opened)->document());
}

// The key itself, and beside it something that others change as well.
Result<void> say(Draft& draft, const std::string& key, uint32_t luck) {
  if (auto set = draft.set({key}, {true}); !set) return set;
  switch (luck) {
    case 0:
      return draft.set({LIST, "-"}, {key});
    case 1:
      return draft.edit({TEXT}, 0, 0, key);
    case 2:
      return draft.add({COUNT}, 1);
    default:
      return {};
  }
}

// Where nobody has begun yet: what there is to change.
Result<void> begin(Draft& draft) {
  if (auto set = draft.set({LIST}, {Tree::List()}); !set) return set;
  if (auto set = draft.set({TEXT}, {Tree::Written{"in front of this"}}); !set) return set;
  return draft.set({COUNT}, {Tree::Counted{0}});
}

}  // namespace

kj::Promise<void> Writers::write(Device& device, uint32_t changes, kj::Duration span) {
  auto chance = Chance::of(world.seed(), "writers", device.index());
  for (uint32_t i = 0; i < changes; ++i) {
    co_await world.time.after(span / static_cast<int64_t>(changes));
    auto luck = static_cast<uint32_t>(chance.below(4));
    KJ_IF_MAYBE(node, device.node()) {
      auto number = made.size();
      made.push_back({device.index(), device.called() + std::to_string(number)});
      bool acknowledged = false;
      try {
        auto done = co_await device.whileItRuns(
            commit(*node, [key = made[number].key, luck](Draft& draft) -> Result<void> {
              if (auto said = say(draft, key, luck)) return said;
              if (auto begun = begin(draft); !begun) return begun;
              return draft.set({key}, {true});
            }));
        acknowledged = done.has_value();
      } catch (const kj::Exception& e) {
        world.history.add(
            device.index(), "step", kj::str("a change is lost: ", e.getDescription()).cStr());
      }
      made[number].acknowledged = acknowledged;
    }
  }
}

kj::Promise<void> Writers::read(Device& device) {
  KJ_IF_MAYBE(node, device.node()) {
    auto content = co_await device.whileItRuns(contentOf(*node));
    found[device.index()] = kj::mv(content);
  }
}

size_t Writers::acknowledged() const {
  return static_cast<size_t>(std::ranges::count(made, true, &Change::acknowledged));
}

}  // namespace hearth::sim
