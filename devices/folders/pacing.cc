#include "devices/folders/pacing.h"

namespace hearth::devices {

kj::Promise<void> FolderPacing::begin(size_t ready) {
  if (ready >= FULL) return kj::READY_NOW;
  if (timer.now() - ended >= QUIET) inRow = 0;
  if (inRow++ < AT_ONCE) {
    pause = 0 * kj::MILLISECONDS;
    return kj::READY_NOW;
  }
  pause = kj::max(PAUSE, kj::min(pause * 2, PAUSE_MAX));
  return timer.afterDelay(pause);
}

}  // namespace hearth::devices
