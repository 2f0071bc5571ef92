#pragma once
// A folder's directory and the mark in it: `.hearth/folder` holds the folder's id, 32 hex digits and a newline. Without
// it the folder is GONE, not empty: so a disk that is not mounted never looks as if its owner had deleted everything.
//
// No descriptor is held without a visit, else nobody could unmount the disk. A batch is one visit, and so are changes
// that follow each other.

#include "devices/linux/tree-files.h"

#include <memory>

namespace hearth::devices {

using storage::FolderId;

class FolderRoot final {
 public:
  // Below the own directory, whose mode is 0700.
  static constexpr auto STAGED = "staged", VERSIONS = "versions", ASIDE = "aside";

  // `path` is absolute and without links.
  FolderRoot(std::string path, FolderId id): path(kj::mv(path)), id(id) {}

  struct Visit {
    kj::AutoCloseFd folder, own;
    dev_t disk;
    kj::AutoCloseFd staged, versions, aside;  // of a batch
  };
  using Visiting = std::shared_ptr<const Visit>;
  // Errors: GONE, DENIED.
  TreeResult<Visiting> visit();
  // The same for all changes until leave().
  TreeResult<Visiting> visitToChange();
  // From now on until leave() all visits are the same.
  void hold() { isHeld = true; }
  void leave() {
    renew();
    isHeld = false;
  }
  // The next visit looks the folder up again.
  void renew() { batch = nullptr; }

  const std::string& where() const { return path; }

 private:
  std::string path;
  FolderId id;
  struct stat mark = {};  // as it was when its content was read
  std::shared_ptr<Visit> batch;
  bool isHeld = false;

  TreeResult<std::shared_ptr<Visit>> begin();

  bool isMark(int own, const struct stat& found);
};

// Why a directory is no folder, and where what stands in the way is.
struct NotAFolder {
  TreeError error;
  std::string where;
};
// In words, for people: where, and why.
kj::String describe(const NotAFolder& why);

template <typename T>
using FolderResult = std::expected<T, NotAFolder>;

// Makes the directory a folder, durably; it may be that folder already. Returns its path without links.
// Errors: MISSING; TAKEN with the path of the other folder; DENIED, FULL.
FolderResult<std::string> markFolder(const std::string& path, const FolderId& id);

}  // namespace hearth::devices
