#pragma once
// What the parts of a folder share.

#include "devices/data/blob-circle.h"
#include "devices/folders/folder-system.h"
#include "devices/folders/tree-work.h"
#include "storage/log/log.h"
#include "storage/tables/folder-versions.h"
#include "transport/link/links.h"

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
  transport::Links& links;
  DeviceId self;
  Executor& files;
  FolderSystem& system;
};

// Paths with which something is wrong, and what: for people. As many as fit are told one by one.
class FolderTroubles final {
 public:
  static constexpr size_t MAX = 64;

  struct Trouble {
    std::string what;
    bool isLeftOut = false;  // it stays here alone, and nothing is amiss otherwise
  };

  void set(const std::string& path, kj::StringPtr what) { put(path, {what.cStr(), false}); }
  void leaveOut(const std::string& path, kj::StringPtr what) { put(path, {what.cStr(), true}); }
  void clear(const std::string& path) { all.erase(path); }
  const std::map<std::string, Trouble>& told() const { return all; }

 private:
  std::map<std::string, Trouble> all;

  void put(const std::string& path, Trouble trouble) {
    if (all.size() < MAX || all.contains(path)) all[path] = kj::mv(trouble);
  }
};

}  // namespace hearth::devices
