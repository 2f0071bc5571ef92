#pragma once
// Strongly connected components of a graph (Tarjan, SIAM J. Comput. 1(2), 1972).

#include <cstddef>
#include <vector>

namespace hearth::crypto {

using Edges = std::vector<std::vector<size_t>>;  // by node: the nodes that it points to

// Among the nodes for which `alive` holds. Each component comes after all that it points to.
std::vector<std::vector<size_t>> strongComponents(
    const Edges& edges, const std::vector<bool>& alive);

}  // namespace hearth::crypto
