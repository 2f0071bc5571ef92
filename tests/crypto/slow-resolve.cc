#include "tests/crypto/slow-resolve.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::crypto::slow {

Resolution Circle::resolve(const Ops& set) {
  auto found = resolutions.find(set);
  if (found == resolutions.end()) found = resolutions.emplace(set, resolveAnew(set)).first;
  return found->second;
}

Resolution Circle::all() {
  Ops set;
  for (size_t o = 0; o < ops.size(); ++o) set.insert(o);
  return resolve(set);
}

Resolution Circle::resolveAnew(const Ops& set) {
  Ops valid;
  for (auto o: set) {
    if (judge(o).authorised) valid.insert(o);
  }
  std::vector<Node> nodes;
  for (auto o: valid) {
    if (isRemoval(o) || isMaker(o)) nodes.push_back({.op = o});
  }
  for (auto& fork: forksOf(set)) nodes.push_back({.fork = fork});

  size_t count = nodes.size();
  std::vector<std::vector<bool>> attack(count, std::vector<bool>(count, false));
  for (size_t n = 0; n < count; ++n) {
    for (size_t m = 0; m < count; ++m) attack[n][m] = n != m && attacks(nodes[n], nodes[m], valid);
  }

  Resolution result;
  Ops voided;
  for (auto o: set) {
    if (!valid.contains(o)) voided.insert(o);
  }
  std::vector<bool> undecided(count, true);
  std::set<size_t> standing;  // nodes, in either way
  while (std::ranges::count(undecided, true) > 0) {
    // reach[n][m]: n attacks m over undecided nodes.
    auto reach = attack;
    for (size_t k = 0; k < count; ++k) {
      for (size_t n = 0; n < count; ++n) {
        for (size_t m = 0; m < count; ++m) {
          if (undecided[n] && undecided[k] && undecided[m] && reach[n][k] && reach[k][m])
            reach[n][m] = true;
        }
      }
    }
    auto together = [&](size_t n, size_t m) { return n == m || (reach[n][m] && reach[m][n]); };
    std::vector<size_t> decided;
    for (size_t n = 0; n < count; ++n) {
      if (!undecided[n]) continue;
      bool attacked = false;
      for (size_t member = 0; member < count; ++member) {
        if (!undecided[member] || !together(n, member)) continue;
        for (size_t from = 0; from < count; ++from)
          attacked = attacked || (undecided[from] && !together(n, from) && attack[from][member]);
      }
      if (!attacked) decided.push_back(n);
    }
    KJ_ASSERT(!decided.empty());
    std::vector<size_t> fallen;
    for (auto n: decided) {
      bool alone =
          std::ranges::none_of(decided, [&](size_t m) { return m != n && together(n, m); });
      if (nodes[n].fork) {
        result.forks.push_back(*nodes[n].fork);
        standing.insert(n);
      } else if (alone) {
        result.standing.insert(*nodes[n].op);
        standing.insert(n);
      } else if (isRemoval(*nodes[n].op)) {
        result.suspending.insert(*nodes[n].op);
        standing.insert(n);
      }  // else a maker in a component: void, as it does not stand
      for (size_t m = 0; m < count; ++m) {
        if (undecided[m] && attack[n][m] && !together(n, m)) fallen.push_back(m);
      }
    }
    for (auto n: decided) undecided[n] = false;
    for (auto m: fallen) undecided[m] = false;
  }

  auto isStandingRemoval = [&](size_t o) {
    return result.suspending.contains(o) || (result.standing.contains(o) && isRemoval(o));
  };
  for (size_t n = 0; n < count; ++n) {
    if (!standing.contains(n)) {
      if (nodes[n].op) voided.insert(*nodes[n].op);
      continue;
    }
    for (auto o: hitsOf(nodes[n], valid)) {
      if (!isStandingRemoval(o)) voided.insert(o);
    }
  }

  for (auto o: set) {  // they were given in a topological order
    if (voided.contains(o)) continue;
    bool stays =
        isStandingRemoval(o) || mayDo(fold(both(result.kept, ops[o].past), ops[o].past, result), o);
    if (stays) result.kept.insert(o);
  }
  result.state = fold(result.kept, set, result);
  return result;
}

}  // namespace hearth::crypto::slow
