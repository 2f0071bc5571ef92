#pragma once
// A file that is there whole or as it was before.

#include <string>

namespace hearth::cli {

// Written beside what is there, and put in its place. What is no ordinary file, as a pipe or a link, is written
// into. Throws Failure; then what was there is there still.
void writeWhole(const std::string& path, const std::string& content);

}  // namespace hearth::cli
