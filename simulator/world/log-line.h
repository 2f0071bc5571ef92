#pragma once
// A line of a log as it reads on every machine: KJ puts the path of a source file into it, and
// where somebody has built Hearth is nothing that a run's history should depend on.

#include <string>

namespace hearth::sim {

// Paths of source places ("/home/me/hearth/core/a.cc:7") become relative to the tree
// ("core/a.cc:7"), those of libraries lose their folders. All else stays.
std::string withoutFolders(const std::string& line);

}  // namespace hearth::sim
