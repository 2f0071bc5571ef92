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

// "An author with more than 16 ops beyond one for each of its numbers floods the set"
std::set<DeviceId> Circle::floodersOf(const Ops& set) const {
  std::map<DeviceId, std::map<uint64_t, size_t>> written;
  for (auto o: set) {
    if (as<GenesisPayload>(o) || as<RecoveryResetPayload>(o))
      continue;  // recovery keys have no chain
    ++written[op(o).author][op(o).seq];
  }
  std::set<DeviceId> flooders;
  for (auto& [author, numbers]: written) {
    size_t surplus = 0;
    for (auto& [seq, times]: numbers) surplus += times - 1;
    if (surplus > 16) flooders.insert(author);
  }
  return flooders;
}

// "of its ops those alone count that are in the past of an op by somebody who does not flood"
Ops Circle::withoutFloods(const Ops& set, const std::set<DeviceId>& flooders) const {
  Ops counted;
  for (auto o: set) {
    if (flooders.contains(op(o).author)) continue;
    counted.insert(o);
    counted.insert(ops[o].past.begin(), ops[o].past.end());
  }
  return counted;
}

Resolution Circle::resolveAnew(const Ops& whole) {
  auto flooders = floodersOf(whole);
  auto set = withoutFloods(whole, flooders);
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
    auto judging = result;
    judging.flooders = floodersOf(ops[o].past);
    bool stays = isStandingRemoval(o) ||
        mayDo(fold(both(result.kept, ops[o].past), ops[o].past, judging), o);
    if (stays) result.kept.insert(o);
  }
  result.flooders = flooders;
  result.state = fold(result.kept, set, result);
  return result;
}

}  // namespace hearth::crypto::slow
