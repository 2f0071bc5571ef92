#pragma once
// What is done to the files of a folder at a time, on the executor for files: what is new is staged and made durable;
// then all is placed, what is made in the order of paths, so that directories come before what is in them, and what is
// removed the other way round; and made durable before anybody writes down that it is so.

#include "devices/folders/incoming.h"
#include "storage/tables/folder-versions.h"

#include <kj/time.h>

#include <optional>
#include <vector>

namespace hearth::devices {

// Something that shall be done to a path.
struct FolderStep {
  storage::FolderPath path;
  kj::Maybe<storage::folder_versions::Version> version;  // what shall be there
  kj::Maybe<storage::folders::Local> local;              // what is there
  kj::Maybe<storage::folders::Local>
      from;  // a file with those bytes, which shall go from where it is
  std::optional<FolderIncoming::Arrived> arrived{};

  bool shallBe(storage::PathState::Kind kind) const;
};

struct FolderPlaced {
  FolderStep step;
  storage::TreeResult<kj::Maybe<storage::FileState>> how;  // none: nothing is there now
  storage::FileAttributes has;                             // of a file that was placed
  std::optional<std::string> text;                         // of one that has come and may be merged
};

// Where what is replaced or removed at a path just now is kept.
storage::FolderPath keptNameOf(
    const storage::FolderPath& path, const kj::Clock& clock, Entropy& entropy);

class FolderPlacing final {
 public:
  // Both outlive this object.
  FolderPlacing(const kj::Clock& clock, Entropy& entropy): clock(clock), entropy(entropy) {}

  // The steps are in the order of their paths.
  std::vector<FolderPlaced> place(storage::FileTree& files, std::vector<FolderStep> steps);

 private:
  const kj::Clock& clock;
  Entropy& entropy;

  storage::TreeResult<kj::Maybe<storage::FileState>> placeOne(
      storage::FileTree& files, FolderStep& step);
  storage::TreeResult<void> clear(storage::FileTree& files, FolderStep& step);
  static storage::TreeResult<void> stage(storage::FileTree& files, FolderPlaced& one);
};

}  // namespace hearth::devices
