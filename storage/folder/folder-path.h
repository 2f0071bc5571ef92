#pragma once
// Where something is in a folder: names from the folder down, with "/" between them, the same on every device.

#include "core/base/result.h"

#include <compare>
#include <string>
#include <string_view>

namespace hearth::storage {

class FolderPath final {
 public:
  static constexpr size_t NAME_BYTES_MAX = 255, BYTES_MAX = 4'096, DEPTH_MAX = 128;

  // Hearth's own directory in a folder: what arrives, what was replaced, and the mark by which the folder is known.
  static constexpr std::string_view OWN = ".hearth";

  FolderPath() = default;  // the folder itself

  // Errors: BAD_FORMAT for what is no path of one name or more that every device may have: empty names, "." and
  // "..", control characters, what is not UTF-8, Hearth's own directory and whatever some file system takes for it;
  // LIMIT_EXCEEDED for what is too long.
  static Result<FolderPath> parse(std::string_view text);

  // Errors: those of parse() for `name`.
  Result<FolderPath> child(std::string_view name) const;

  bool isFolder() const { return text.empty(); }
  std::string_view name() const;  // the last one; empty for the folder itself
  FolderPath directory() const;   // that it is in; requires that it is not the folder itself
  bool isWithin(const FolderPath& directory) const;  // at any depth, or the same
  const std::string& str() const { return text; }

  auto operator<=>(const FolderPath&) const = default;

 private:
  std::string text;

  explicit FolderPath(std::string text): text(std::move(text)) {}
};

}  // namespace hearth::storage
