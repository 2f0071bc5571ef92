#pragma once
// The comparison of two screens: seven pictures, or seven digits for those who cannot see them.

#include <string>
#include <vector>

namespace hearth::cli {

struct ShownPicture {
  std::string name;
  uint32_t codePoint;
};

// Shows them and waits for the answer: "yes" or "y", nothing else. With --json the question is one
// object, {"event": "compare", "pictures": [name, ...], "digits"}, and the answer the next line of
// standard input.
bool askWhetherSame(
    const std::vector<ShownPicture>& pictures, const std::string& digits, bool asJson);

}  // namespace hearth::cli
