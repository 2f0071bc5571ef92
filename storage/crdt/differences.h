#pragma once
// How one sequence becomes another with few changes (Myers, An O(ND) Difference Algorithm, 1986).

#include <kj/function.h>

#include <cstddef>
#include <vector>

namespace hearth::storage {

// `erased` of the first sequence from `at` on make room for `inserted` of the second from `from` on.
struct Difference {
  size_t at, erased;
  size_t from, inserted;

  bool operator==(const Difference&) const = default;
};

// Beyond so many single changes what lies between the common beginning and end is replaced as a whole.
constexpr size_t CHANGES_MAX = 2'000;

// Of sequences of that many; ascending, apart from each other.
std::vector<Difference> differences(
    size_t first, size_t second, kj::FunctionParam<bool(size_t, size_t)> same);

}  // namespace hearth::storage
