#include "apps/hearth/folder-progress.h"

#include <algorithm>

namespace hearth::cli {

void FolderProgress::at(local::Folder::Reader folder) {
  auto now = folder.getScanning()    ? Phase::LOOKING
      : folder.getRests().size() > 0 ? Phase::RESTING
                                     : Phase::COMING;
  if (!shown || name != folder.getName().cStr() || now != phase) {
    name = folder.getName().cStr();
    phase = now;
    most = 0;
    auto what = now == Phase::LOOKING ? ": looked at"
        : now == Phase::RESTING       ? std::string(": rests: ") + folder.getRests().cStr()
                                      : ": coming and going";
    shown.emplace(name + what, asJson, Progress::Unit::FILES);
  }
  if (phase == Phase::LOOKING) return shown->at(folder.getLookedAt(), 0);
  most = std::max(most, folder.getPending());
  if (most > 0) shown->at(most - folder.getPending(), most);
}

}  // namespace hearth::cli
