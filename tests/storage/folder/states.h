#pragma once
// Paths, devices and states of files for tests of folders' tables.

#include "storage/folder/record.h"

#include <cstring>

namespace hearth::storage {

inline DeviceId device(kj::byte seed) {
  DeviceId id;
  id.bytes[0] = seed;
  return id;
}

inline FolderPath path(std::string_view text) { return FolderPath::parse(text).value(); }

// A file of other bytes than those of any other number.
inline PathState file(uint32_t what) {
  PathState state{.kind = PathState::Kind::FILE, .attributes = {.mode = 0644, .modifiedNs = 5}};
  state.content.top.length = what;
  memcpy(state.content.top.hash.bytes, &what, sizeof(what));
  return state;
}

}  // namespace hearth::storage
