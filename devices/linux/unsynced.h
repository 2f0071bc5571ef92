#pragma once
// What of a folder's files is not on disk yet. A single change is synced by itself, and does not wait for another
// program's gigabytes; several are synced with all that their disk has to write, which costs it one commit of its journal
// instead of one for each. The names of staged files have none of their own: one that is lost is staged again.

#include "devices/linux/folder-root.h"

#include <set>

namespace hearth::devices {

class Unsynced final {
 public:
  void staged(std::string_view name) { note(files, std::string(name)); }
  void noLongerStaged(const std::string& name) { files.erase(name); }
  void placed(const std::string& name, const FolderPath& directory) {
    if (files.erase(name) > 0) isMuch = true;  // under another name now
    changed(directory);
  }
  void changed(const FolderPath& directory) { note(directories, directory); }
  void keptChanged(const FolderPath& directory) { note(keptDirectories, directory); }
  void everything() { isMuch = true; }

  // Errors: FAILED, FULL: then all of it is unsynced as before.
  TreeResult<void> sync(KernelCalls& calls, const FolderRoot::Visit& visit);

 private:
  static constexpr size_t ONE_BY_ONE_MAX = 2;

  std::set<std::string> files;
  std::set<FolderPath> directories, keptDirectories;
  bool isMuch = false;

  template <typename T>
  void note(std::set<T>& among, T value) {
    if (isMuch) return;
    among.insert(kj::mv(value));
    isMuch = files.size() + directories.size() + keptDirectories.size() > ONE_BY_ONE_MAX;
  }
  bool syncOneByOne(KernelCalls& calls, const FolderRoot::Visit& visit);
};

}  // namespace hearth::devices
