#include "tests/storage/crdt/histories/story.h"

#include <algorithm>

namespace hearth::storage {

namespace {

constexpr size_t STEPS_LEAST = 20, STEPS_MORE = 70;

Step::What someStep(Luck& luck) {
  using What = Step::What;
  constexpr struct {
    What what;
    size_t weight;
  } OFTEN[] = {{What::CHANGE, 34}, {What::TYPE, 16}, {What::DELIVER, 22}, {What::EXCHANGE, 6},
      {What::CUT, 2}, {What::HEAL, 2}, {What::RESTART, 3}, {What::TAKE_BACK, 6},
      {What::MAKE_AGAIN, 3}, {What::NOTE, 3}, {What::OPPOSE, 3}};
  size_t all = 0;
  for (auto& entry: OFTEN) all += entry.weight;
  auto drawn = luck.below(all);
  for (auto& entry: OFTEN) {
    if (drawn < entry.weight) return entry.what;
    drawn -= entry.weight;
  }
  KJ_UNREACHABLE;
}

}  // namespace

Story storyOf(uint64_t seed) {
  Luck luck(seed);
  Story story{.devices = 2 + luck.below(Story::DEVICES_MAX - 1), .steps = {}};
  // Mostly they have something in common that they can disagree about.
  if (luck.below(4) > 0) story.steps.push_back({Step::What::BEGIN, 0, 1, luck.next()});
  auto count = STEPS_LEAST + luck.below(STEPS_MORE);
  while (story.steps.size() < count) {
    auto who = luck.below(story.devices);
    auto other = (who + 1 + luck.below(story.devices - 1)) % story.devices;
    story.steps.push_back({someStep(luck), who, other, luck.next()});
  }
  return story;
}

// Parts are left out, half of it at first and then ever smaller ones, until none can be.
Story shrunk(Story story, const std::function<bool(const Story&)>& fails) {
  for (auto part = std::max<size_t>(story.steps.size() / 2, 1);;) {
    bool anyLess = false;
    for (size_t begin = 0; begin < story.steps.size();) {
      auto less = story;
      auto from = less.steps.begin() + static_cast<ptrdiff_t>(begin);
      less.steps.erase(
          from, from + static_cast<ptrdiff_t>(std::min(part, story.steps.size() - begin)));
      if (fails(less)) {
        story = std::move(less);
        anyLess = true;
      } else {
        begin += part;
      }
    }
    if (part == 1 && !anyLess) return story;
    if (part > 1) part /= 2;
  }
}

}  // namespace hearth::storage
