#pragma once
// What would show that a device's disk was put back to an older copy (SECURITY.md §10.4), for `hearth status`.

#include <cstddef>
#include <string>

namespace hearth::devices {

struct AnchorSources {
  bool file = false;         // beside the database: shows that the database alone was put back
  std::string counter;       // what it is; empty: none
  std::string counterFails;  // why there is none, or why it cannot be asked
  size_t witnesses = 0;      // other devices of the circle: they know, at the next contact

  // A line for people; it says so where there is nothing.
  std::string words() const;
};

}  // namespace hearth::devices
