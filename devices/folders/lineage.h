#pragma once
// What the versions of a file have come from, as the operation log has it.

#include "devices/folders/surroundings.h"

#include <map>

namespace hearth::devices {

class FolderLineage final {
 public:
  static constexpr size_t STEPS_MAX = 1'024;  // versions that are looked at

  FolderLineage(FolderSurroundings& around, const storage::folders::Folder& folder)
      : around(around),
        folder(folder) {}

  // The newest state that both versions have come from. None: there is none, or it is too far back, or not here.
  kj::Promise<kj::Maybe<storage::PathState>> common(
      storage::RecordName one, storage::RecordName other);

 private:
  using Name = storage::RecordName;

  struct Said {
    uint64_t time = 0;
    storage::FolderRecord record;
  };

  FolderSurroundings& around;
  const storage::folders::Folder& folder;

  kj::Promise<kj::Maybe<Said>> said(const Name& name);
};

}  // namespace hearth::devices
