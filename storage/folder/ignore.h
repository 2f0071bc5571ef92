#pragma once
// Which files of a folder are left out: what its owner says in files named .hearthignore, in gitignore's syntax and with
// gitignore's precedence. Of the lines that match, the last one of the nearest file counts; in a directory that is left
// out nothing is let in again.

#include "storage/folder/folder-path.h"
#include "storage/folder/ignore-pattern.h"

#include <map>

namespace hearth::storage {

class IgnoreRules final {
 public:
  static constexpr std::string_view FILE_NAME = ".hearthignore";
  static constexpr size_t FILE_BYTES_MAX = 32 << 10, FILES_MAX = 10'000;

  // What nobody means when they say "my files" (docs/IGNORED.md has the list with reasons). Farther than every file:
  // any line can let it in again.
  static const std::string_view DEFAULTS;

  IgnoreRules();

  // What the file in that directory says, in place of what it said. Errors: LIMIT_EXCEEDED; then all is as before.
  Result<void> add(const FolderPath& directory, std::string_view text);
  void remove(const FolderPath& directory);

  // The folder itself never is.
  bool ignores(const FolderPath& path, bool isDirectory) const;

 private:
  using Patterns = std::vector<IgnorePattern>;

  Patterns defaults;
  std::map<FolderPath, Patterns> byDirectory;
  // Siblings are asked about one after another.
  mutable kj::Maybe<std::pair<FolderPath, bool>> lastDirectory;

  static Result<Patterns> parse(std::string_view text);
  bool ignoresItself(const FolderPath& path, bool isDirectory) const;
};

}  // namespace hearth::storage
