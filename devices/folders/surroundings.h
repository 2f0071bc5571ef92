#pragma once
// What the parts of a folder share.

#include "devices/data/blob-circle.h"
#include "devices/folders/folder-system.h"
#include "devices/folders/tree-work.h"
#include "storage/log/log.h"
#include "storage/tables/folder-versions.h"

#include <kj/timer.h>

namespace hearth::devices {

// All outlive the folders.
struct FolderSurroundings {
  kj::Timer& timer;
  const kj::Clock& clock;
  Entropy& entropy;
  storage::Store& store;
  storage::Log& log;
  BlobFetching& exchange;
  const BlobCircle& circle;
  DeviceId self;
  Executor& files;
  FolderSystem& system;
};

// Paths with which something is wrong, and what: for people. As many as fit are told one by one.
class FolderTroubles final {
 public:
  static constexpr size_t MAX = 64;

  void set(const std::string& path, kj::StringPtr what) {
    if (all.size() < MAX || all.contains(path)) all[path] = what.cStr();
  }
  void clear(const std::string& path) { all.erase(path); }
  const std::map<std::string, std::string>& told() const { return all; }

 private:
  std::map<std::string, std::string> all;
};

}  // namespace hearth::devices
