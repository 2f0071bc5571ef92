#include "crypto/membership/strong-components.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

// The search keeps its own stack: graphs come from peers, and may be as deep as they are large.
class Search {
 public:
  Search(const Edges& edges, const std::vector<bool>& alive)
      : edges(edges),
        alive(alive),
        order(edges.size(), 0),
        low(edges.size(), 0),
        isOpen(edges.size(), false) {}

  std::vector<std::vector<size_t>> run() {
    for (size_t node = 0; node < edges.size(); ++node) {
      if (alive[node] && order[node] == 0) visit(node);
    }
    return std::move(components);
  }

 private:
  struct Step {
    size_t node, next;  // `next`: which of its edges
  };

  const Edges& edges;
  const std::vector<bool>& alive;
  std::vector<size_t> order;  // of visits, from 1
  std::vector<size_t> low;
  std::vector<bool> isOpen;
  std::vector<size_t> open;
  std::vector<Step> path;
  size_t visited = 0;
  std::vector<std::vector<size_t>> components;

  void enter(size_t node) {
    order[node] = low[node] = ++visited;
    open.push_back(node);
    isOpen[node] = true;
    path.push_back({node, 0});
  }

  void visit(size_t root) {
    enter(root);
    while (!path.empty()) {
      auto& step = path.back();
      if (step.next == edges[step.node].size()) {
        leave(step.node);
        continue;
      }
      auto node = step.node;
      auto next = edges[node][step.next++];
      if (!alive[next]) continue;
      if (order[next] == 0) {
        enter(next);
      } else if (isOpen[next]) {
        low[node] = std::min(low[node], order[next]);
      }
    }
  }

  void leave(size_t node) {
    path.pop_back();
    if (!path.empty()) low[path.back().node] = std::min(low[path.back().node], low[node]);
    if (low[node] == order[node]) close(node);
  }

  void close(size_t root) {
    std::vector<size_t> component;
    do {
      component.push_back(open.back());
      isOpen[open.back()] = false;
      open.pop_back();
    } while (component.back() != root);
    components.push_back(std::move(component));
  }
};

}  // namespace

std::vector<std::vector<size_t>> strongComponents(
    const Edges& edges, const std::vector<bool>& alive) {
  return Search(edges, alive).run();
}

}  // namespace hearth::crypto
