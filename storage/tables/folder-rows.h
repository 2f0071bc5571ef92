#pragma once
// What rows of folders' tables are made of.

#include "crypto/primitives/bytes.h"
#include "storage/folder/folder-path.h"

#include <kj/string.h>

#include <string>
#include <string_view>

namespace hearth::storage {

inline kj::StringPtr text(const std::string& string) { return string.c_str(); }
inline std::string nameOf(const FolderPath& path) { return std::string(path.name()); }

inline crypto::Bytes bytesOf(const std::string& string) {
  return kj::arrayPtr(string.data(), string.size()).asBytes();
}

inline std::string_view viewOf(crypto::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

// Rows are authenticated: they hold what was written, and that was a path.
inline FolderPath pathOf(kj::StringPtr directory, kj::StringPtr name) {
  auto full = directory.size() == 0 ? std::string(name.cStr())
                                    : std::string(directory.cStr()) + "/" + name.cStr();
  return FolderPath::parse(full).value();
}

}  // namespace hearth::storage
