#pragma once
// How far folders are from being up to date, for whoever waits for it.

#include "apps/hearth/client.h"
#include "apps/hearth/progress.h"

#include <optional>

namespace hearth::cli {

class FolderProgress final {
 public:
  explicit FolderProgress(bool asJson): asJson(asJson) {}

  // A folder that is not up to date.
  void at(local::Folder::Reader folder);

 private:
  enum class Phase : uint8_t { LOOKING, COMING, RESTING };

  bool asJson;
  std::string name;  // of the folder that is shown
  Phase phase = Phase::LOOKING;
  uint64_t most = 0;  // paths that were pending at once
  std::optional<Progress> shown;
};

}  // namespace hearth::cli
