#pragma once
// Whether everything in a database is what was written: its pages, its tables and indexes, and its hash chains.

#include "storage/sql/database.h"

#include <string>
#include <vector>

namespace hearth::storage {

struct Checkup {
  uint64_t pages = 0;
  std::vector<std::string> problems;  // a line each, at most PROBLEMS_MAX
};

constexpr size_t PROBLEMS_MAX = 100;

// Reads all of it: a second for some 100 MiB.
Checkup checkUp(Database& db);

}  // namespace hearth::storage
