#pragma once
// Battery and network of a Linux machine: the battery from /sys, whether the network is metered from NetworkManager over
// D-Bus, where there is one.

#include "core/loop/executor.h"
#include "devices/facts/outlook.h"

#include <kj/filesystem.h>

namespace hearth::devices {

class LinuxOutlook final: public OutlookSource {
 public:
  // Both outlive it. `system` is the root of the file system; both are asked on `aside`.
  LinuxOutlook(const kj::ReadableDirectory& system, Executor& aside)
      : system(system),
        aside(aside) {}

  kj::Promise<Outlook> look() override;

 private:
  const kj::ReadableDirectory& system;
  Executor& aside;
};

}  // namespace hearth::devices
