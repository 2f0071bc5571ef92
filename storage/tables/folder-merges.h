#pragma once
// What merging two versions of a text takes: the texts that files have had lately, for what both have come from; the
// conflicts that there are; and what a merged text that is about to be placed is made of.

#include "storage/tables/folder-versions.h"

namespace hearth::storage::folder_merges {

// All inside a transaction, where they change something.

// Of all folders together, packed; beyond it the oldest are forgotten.
constexpr uint64_t TEXTS_BYTES_MAX = 64 << 20;

// Again and again harmless. Requires isText().
void remember(Database& db, int64_t folder, const ContentId& content, std::string_view text);
kj::Maybe<std::string> rememberedText(Database& db, int64_t folder, const ContentId& content);

// Two versions of a file, each of which lies where it is shown, as far as this device knows.
struct Conflict {
  folders::Local file, beside;
};
// In the order of the paths of what is beside, from behind that one on. `last`: the last that was considered; none at the
// end.
struct Conflicts {
  std::vector<Conflict> some;
  kj::Maybe<FolderPath> last;
};
Conflicts conflicts(Database& db, int64_t folder, const FolderPath& behind, size_t most);

// These bytes at that path will be what has come of the versions: should this device end before it has said so, it says
// so when it finds them.
struct Plan {
  ContentId content;
  std::vector<RecordName> made;  // of these
};
void plan(Database& db, int64_t folder, const FolderPath& path, const Plan& plan);
kj::Maybe<Plan> planned(Database& db, int64_t folder, const FolderPath& path);
void done(Database& db, int64_t folder, const FolderPath& path);

}  // namespace hearth::storage::folder_merges
