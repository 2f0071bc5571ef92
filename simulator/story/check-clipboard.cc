#include "simulator/story/check-clipboard.h"

#include "devices/clipboard/clipboard.h"
#include "simulator/story/circles.h"

namespace hearth::sim {

namespace {

// A device that was off while its wall clock was set back may give an entry its time once more. Then it is to be
// noticed and overwritten.
bool isOver(Run& run, const Copiers::Entry& entry) {
  constexpr auto WITHIN =
      devices::Clipboard::LOOKED_AT_EVERY + devices::Clipboard::TRIED_AGAIN_AFTER;
  KJ_IF_MAYBE(lifetime, entry.lifetime) return now(run) > entry.begun + 2 * *lifetime + WITHIN;
  return false;
}

}  // namespace

Violations clipboardForgets(Run& run) {
  Violations found;
  if (run.copiers.entries().empty()) return found;
  for (auto& circle: circles(run)) {
    for (auto& one: membersOf(circle)) {
      if (one.node.circle().ownRole() == crypto::Role::VAULT) continue;
      auto tell = [&](std::string text) {
        found.push_back({now(run), one.device.index(), "clipboard", one.device.called() + text});
      };
      auto page = run.copiers.pages().find(one.device.index());
      if (page == run.copiers.pages().end()) {
        tell(" could not read its clipboard");
        continue;
      }
      auto& [shown, stored] = page->second;
      for (auto& entry: run.copiers.entries()) {
        if (run.circleOf(run.world.device(entry.by)) != run.circleOf(one.device)) continue;
        bool hasIt = shown.contains(entry.text) || stored.contains(entry.text);
        if (hasIt && isOver(run, entry)) tell(" has " + entry.text + " after its lifetime");
        if (hasIt && entry.isCleared) tell(" has " + entry.text + ", which was cleared away");
        bool isKept = entry.acknowledged && entry.lifetime == nullptr && !entry.mayBeCleared;
        if (isKept && !shown.contains(entry.text))
          tell(" lacks " + entry.text + ", which was acknowledged");
      }
    }
  }
  return found;
}

}  // namespace hearth::sim
