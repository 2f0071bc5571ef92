#include "storage/folder/ignore.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::storage {

const std::string_view IgnoreRules::DEFAULTS = R"(
.DS_Store
._*
.Spotlight-V100/
.Trashes/
.fseventsd/
Thumbs.db
ehthumbs.db
desktop.ini
$RECYCLE.BIN/
System Volume Information/
.Trash-*/
.directory
lost+found/
.nfs*
.fuse_hidden*
*~
.#*
\#*#
*.swp
.*.sw[a-p]
~$*
.~lock.*#
*.part
*.partial
*.crdownload
.hearth/
)";

IgnoreRules::IgnoreRules(): defaults(parse(DEFAULTS).value()) {}

Result<IgnoreRules::Patterns> IgnoreRules::parse(std::string_view text) {
  if (text.size() > FILE_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a .hearthignore of more than 32 KiB");
  constexpr std::string_view BYTE_ORDER_MARK = "\xef\xbb\xbf";
  if (text.starts_with(BYTE_ORDER_MARK)) text.remove_prefix(BYTE_ORDER_MARK.size());
  Patterns patterns;
  while (!text.empty()) {
    auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    auto pattern = IgnorePattern::parse(line);
    if (!pattern) return no(pattern.error());
    KJ_IF_MAYBE(one, *pattern) patterns.push_back(kj::mv(*one));
  }
  return patterns;
}

Result<void> IgnoreRules::add(const FolderPath& directory, std::string_view text) {
  auto patterns = parse(text);
  if (!patterns) return no(patterns.error());
  if (byDirectory.size() >= FILES_MAX && !byDirectory.contains(directory))
    return no(Errc::LIMIT_EXCEEDED, "more than 10000 .hearthignore files in one folder");
  byDirectory[directory] = kj::mv(*patterns);
  lastDirectory = nullptr;
  return Result<void>();
}

void IgnoreRules::remove(const FolderPath& directory) {
  byDirectory.erase(directory);
  lastDirectory = nullptr;
}

bool IgnoreRules::ignores(const FolderPath& path, bool isDirectory) const {
  if (path.isFolder()) return false;
  auto directory = path.directory();
  auto isKnown = [&]() {
    KJ_IF_MAYBE(last, lastDirectory) return last->first == directory;
    return false;
  };
  if (!isKnown()) {
    bool isOut = ignores(directory, true);
    lastDirectory = std::pair(directory, isOut);
  }
  if (KJ_ASSERT_NONNULL(lastDirectory).second) return true;
  return ignoresItself(path, isDirectory);
}

// The directories that it is in aside.
bool IgnoreRules::ignoresItself(const FolderPath& path, bool isDirectory) const {
  auto lastMatching = [&](const Patterns& patterns, std::string_view from) -> kj::Maybe<bool> {
    for (auto pattern = patterns.rbegin(); pattern != patterns.rend(); ++pattern) {
      if (pattern->matches(from, isDirectory)) return !pattern->isNegative();
    }
    return nullptr;
  };
  for (auto directory = path; !directory.isFolder();) {
    directory = directory.directory();
    auto rules = byDirectory.find(directory);
    if (rules == byDirectory.end()) continue;
    auto from = std::string_view(path.str());
    if (!directory.isFolder()) from.remove_prefix(directory.str().size() + 1);
    KJ_IF_MAYBE(isOut, lastMatching(rules->second, from)) return *isOut;
  }
  return lastMatching(defaults, path.str()).orDefault(false);
}

}  // namespace hearth::storage
