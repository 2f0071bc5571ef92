#include "crypto/membership/verdicts.h"

#include "crypto/membership/strong-components.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

// What fights: a removal, a RecoveryReset, a maker of an ADMIN, or a fork.
struct Node {
  OpIndex op = 0;  // of all but forks
  const Fork* fork = nullptr;
  OpSet hits;  // ops that it makes void if it stands
};

template <typename Predicate>
OpSet authorisedWhere(const OpTable& table, const OpSet& among, Predicate predicate) {
  OpSet found;
  for (auto op: among) {
    if (table[op].authorised && predicate(table[op], op)) found.insert(op);
  }
  return found;
}

// Rules 2, 3 and 5: what its target signed beside a removal, unless that is heavier. By signing its
// own removal a device does not take back what it did to others.
OpSet hitsOfRemoval(const OpTable& table, const OpSet& set, OpIndex removal) {
  auto& n = table[removal];
  auto target = n.target();
  bool ownWish = n.isSignedBy(target);
  return authorisedWhere(table, table.signedBy(target) & set, [&](const OpRecord& o, OpIndex op) {
    return table.concurrent(removal, op) && o.weight <= n.weight && !(ownWish && o.isGrave());
  });
}

// Rule 1: everything beside it; of two by one recovery key, the one with the smaller hash wins.
OpSet hitsOfReset(const OpTable& table, const OpSet& set, OpIndex reset) {
  auto& n = table[reset];
  return authorisedWhere(table, set - n.past, [&](const OpRecord& o, OpIndex op) {
    if (!table.concurrent(reset, op)) return false;
    if (!o.as<RecoveryResetPayload>()) return true;
    return o.op().author == n.op().author && o.sealed.hash > n.sealed.hash;
  });
}

// Rule 8: one signature must not profit from the time when there were fewer admins.
OpSet hitsOfMaker(const OpTable& table, const OpSet& set, OpIndex maker) {
  return authorisedWhere(table, set - table[maker].past, [&](const OpRecord& o, OpIndex op) {
    return o.isGrave() && o.weight == 1 && table.concurrent(maker, op);
  });
}

// Rule 7: rotations and rivals of rows 2 and 3 on its branches.
OpSet hitsOfFork(const OpTable& table, const OpSet& set, const Fork& fork) {
  return authorisedWhere(
      table, table.writtenBy(fork.author) & set, [&](const OpRecord& o, OpIndex) {
        bool onBranch = o.op().seq >= fork.seq && (fork.ops & o.past).count() < 2;
        bool grave = o.isGrave() && static_cast<int32_t>(o.weight) <= fork.force;
        return onBranch && (grave || o.as<RotateKeysPayload>());
      });
}

// The weight that its author's branches reached, save the heaviest of them.
int32_t forceOf(const OpTable& table, const OpSet& set, const Fork& fork) {
  std::vector<int32_t> weights;
  auto graver = authorisedWhere(table, table.writtenBy(fork.author) & set,
      [&](const OpRecord& o, OpIndex) { return o.isGrave() || o.as<LeavePayload>(); });
  for (auto branch: fork.ops) {
    int32_t weight = -1;
    for (auto op: graver) {
      auto seen = table[op].past & fork.ops;
      if (fork.ops.contains(op)) seen.insert(op);
      if (seen.count() == 1 && seen.contains(branch))
        weight = std::max(weight, static_cast<int32_t>(table[op].weight));
    }
    weights.push_back(weight);
  }
  std::ranges::sort(weights, std::greater());
  return weights[1];
}

std::vector<Fork> forksIn(const OpTable& table, const OpSet& set) {
  std::vector<Fork> forks;
  for (auto& [place, rivals]: table.rivals()) {
    Fork fork{.author = place.first, .seq = place.second, .ops = rivals & set};
    if (fork.ops.count() < 2) continue;
    fork.force = forceOf(table, set, fork);
    forks.push_back(kj::mv(fork));
  }
  return forks;
}

std::vector<Node> nodesIn(const OpTable& table, const OpSet& set, const std::vector<Fork>& forks) {
  std::vector<Node> nodes;
  for (auto op: set) {
    auto& record = table[op];
    if (!record.authorised) continue;
    if (record.as<RecoveryResetPayload>()) {
      nodes.push_back({.op = op, .hits = hitsOfReset(table, set, op)});
    } else if (record.isRemoval()) {
      nodes.push_back({.op = op, .hits = hitsOfRemoval(table, set, op)});
    } else if (record.makesAdmin() && record.weight >= 2) {
      nodes.push_back({.op = op, .hits = hitsOfMaker(table, set, op)});
    }
  }
  for (auto& fork: forks) nodes.push_back({.fork = &fork, .hits = hitsOfFork(table, set, fork)});
  return nodes;
}

// A fork is settled by a Remove of its author, by others who knew one branch at most, and by a
// RecoveryReset of the same kind.
bool settles(const OpTable& table, OpIndex op, const Fork& fork) {
  auto& record = table[op];
  if (auto* remove = record.as<RemovePayload>()) {
    bool byOthers = remove->target == fork.author && !record.isSignedBy(fork.author);
    if (!byOthers || static_cast<int32_t>(record.weight) < fork.force) return false;
  } else if (!record.as<RecoveryResetPayload>()) {
    return false;
  }
  for (auto branch: fork.ops) {
    if (table[branch].past.contains(op)) return false;
  }
  return (fork.ops & record.past).count() <= 1;
}

bool attacks(const OpTable& table, const Node& n, const Node& m) {
  if (m.fork != nullptr) return n.fork == nullptr && settles(table, n.op, *m.fork);
  return n.hits.contains(m.op) || n.hits.intersects(table[m.op].rests);
}

Edges attacksAmong(const OpTable& table, const std::vector<Node>& nodes) {
  Edges edges(nodes.size());
  for (size_t n = 0; n < nodes.size(); ++n) {
    for (size_t m = 0; m < nodes.size(); ++m) {
      bool harmless = nodes[n].hits.empty() && nodes[m].fork == nullptr;
      if (n != m && !harmless && attacks(table, nodes[n], nodes[m])) edges[n].push_back(m);
    }
  }
  return edges;
}

// The components that no other undecided one attacks are decided first; what they attack falls.
class Contest {
 public:
  Contest(const OpTable& table, const std::vector<Node>& nodes)
      : table(table),
        nodes(nodes),
        edges(attacksAmong(table, nodes)),
        undecided(nodes.size(), true) {}

  Verdicts run() {
    for (auto left = nodes.size(); left > 0;) {
      auto free = unattacked(strongComponents(edges, undecided));
      for (auto& component: free) decide(component);
      left = static_cast<size_t>(std::ranges::count(undecided, true));
    }
    return kj::mv(verdicts);
  }

 private:
  using Component = std::vector<size_t>;

  const OpTable& table;
  const std::vector<Node>& nodes;
  Edges edges;
  std::vector<bool> undecided;
  Verdicts verdicts;

  std::vector<Component> unattacked(std::vector<Component> components) const {
    std::vector<size_t> componentOf(nodes.size(), 0);
    for (size_t i = 0; i < components.size(); ++i) {
      for (auto node: components[i]) componentOf[node] = i;
    }
    std::vector<bool> attacked(components.size(), false);
    for (size_t n = 0; n < nodes.size(); ++n) {
      if (!undecided[n]) continue;
      for (auto m: edges[n]) {
        if (undecided[m] && componentOf[n] != componentOf[m]) attacked[componentOf[m]] = true;
      }
    }
    std::vector<Component> free;
    for (size_t i = 0; i < components.size(); ++i) {
      if (!attacked[i]) free.push_back(kj::mv(components[i]));
    }
    return free;
  }

  void decide(const Component& component) {
    for (auto node: component) undecided[node] = false;
    for (auto node: component) {
      component.size() == 1 ? stand(nodes[node]) : suspend(nodes[node]);
      for (auto victim: edges[node]) {
        if (undecided[victim]) fall(victim);
      }
    }
  }

  void stand(const Node& node) {
    if (node.fork != nullptr) {
      verdicts.standing.forks.push_back(*node.fork);
    } else {
      verdicts.standing.nodes.insert(node.op);
    }
    verdicts.fallen |= node.hits;
  }

  // Rule 4.
  void suspend(const Node& node) {
    if (node.fork != nullptr) {
      verdicts.standing.forks.push_back(*node.fork);
    } else if (table[node.op].makesAdmin()) {
      verdicts.fallen.insert(node.op);
      return;
    } else {
      verdicts.standing.suspending.insert(node.op);
    }
    verdicts.fallen |= node.hits;
  }

  void fall(size_t victim) {
    undecided[victim] = false;
    if (nodes[victim].fork == nullptr) verdicts.fallen.insert(nodes[victim].op);
  }
};

// Removals that stand apply whatever else stands.
OpSet standingRemovals(const OpTable& table, const Standing& standing) {
  auto removals = standing.suspending;
  for (auto op: standing.nodes) {
    if (!table[op].makesAdmin()) removals.insert(op);
  }
  return removals;
}

}  // namespace

Verdicts judgeNodes(const OpTable& table, const OpSet& set) {
  auto forks = forksIn(table, set);
  auto nodes = nodesIn(table, set, forks);
  auto verdicts = Contest(table, nodes).run();
  std::ranges::sort(verdicts.standing.forks, [](const Fork& a, const Fork& b) {
    return std::tie(a.author, a.seq) < std::tie(b.author, b.seq);
  });
  verdicts.fallen -= standingRemovals(table, verdicts.standing);
  return verdicts;
}

}  // namespace hearth::crypto
