#include "storage/crdt/differences.h"

#include <algorithm>

namespace hearth::storage {

namespace {

struct Step {
  bool erases;
  size_t at, from;
};

// Steps of the shortest way, the first first; none when it takes over CHANGES_MAX.
template <typename Same>
std::vector<Step> shortestWay(size_t first, size_t second, Same&& same) {
  auto width = static_cast<ptrdiff_t>(std::min(first + second, CHANGES_MAX));
  auto n = static_cast<ptrdiff_t>(first), m = static_cast<ptrdiff_t>(second);
  // furthest[k + width]: how far in the first sequence `d` changes get on diagonal k (Myers, Figure 2).
  std::vector<ptrdiff_t> furthest(static_cast<size_t>(2 * width + 2), 0);
  auto on = [&](ptrdiff_t k) -> ptrdiff_t& { return furthest[static_cast<size_t>(k + width)]; };
  std::vector<std::vector<ptrdiff_t>> rounds;
  auto isDown = [&](ptrdiff_t k, ptrdiff_t d) {
    return k == -d || (k != d && on(k - 1) < on(k + 1));
  };
  for (ptrdiff_t d = 0; d <= width; ++d) {
    rounds.emplace_back(furthest.begin() + (width - d), furthest.begin() + (width + d + 1));
    for (auto k = -d; k <= d; k += 2) {
      auto x = d == 0 ? 0 : isDown(k, d) ? on(k + 1) : on(k - 1) + 1;
      while (x < n && x - k < m && same(static_cast<size_t>(x), static_cast<size_t>(x - k))) ++x;
      on(k) = x;
      if (x < n || x - k < m) continue;
      std::vector<Step> way;
      auto y = x - k;
      for (auto back = d; back > 0; --back) {
        auto& before = rounds[static_cast<size_t>(back)];  // diagonals -back .. back
        auto was = [&](ptrdiff_t diagonal) {
          auto index = diagonal + back;
          return index < 0 || index >= static_cast<ptrdiff_t>(before.size())
              ? ptrdiff_t{0}
              : before[static_cast<size_t>(index)];
        };
        auto diagonal = x - y;
        bool down =
            diagonal == -back || (diagonal != back && was(diagonal - 1) < was(diagonal + 1));
        x = down ? was(diagonal + 1) : was(diagonal - 1);
        y = x - (down ? diagonal + 1 : diagonal - 1);
        way.push_back({!down, static_cast<size_t>(x), static_cast<size_t>(y)});
      }
      std::ranges::reverse(way);
      return way;
    }
  }
  return {};
}

}  // namespace

std::vector<Difference> differences(
    size_t first, size_t second, kj::FunctionParam<bool(size_t, size_t)> same) {
  size_t begin = 0, end = 0;
  while (begin < first && begin < second && same(begin, begin)) ++begin;
  while (end < first - begin && end < second - begin && same(first - 1 - end, second - 1 - end))
    ++end;
  auto n = first - begin - end, m = second - begin - end;
  if (n == 0 && m == 0) return {};
  std::vector<Difference> found;
  auto way = shortestWay(n, m, [&](size_t i, size_t j) { return same(begin + i, begin + j); });
  if (way.empty()) return {{begin, n, begin, m}};
  for (auto& step: way) {
    auto at = begin + step.at, from = begin + step.from;
    bool goesOn = !found.empty() && found.back().at + found.back().erased == at &&
        found.back().from + found.back().inserted == from;
    if (!goesOn) found.push_back({at, 0, from, 0});
    (step.erases ? found.back().erased : found.back().inserted) += 1;
  }
  return found;
}

}  // namespace hearth::storage
