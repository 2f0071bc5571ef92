#pragma once
// A folder's files as the machine has them (a seam, DESIGN §3): on Linux directories and system calls; in memory for
// tests and the simulator. Every call may block: off the loop.
//
// No path is followed out of the folder: where a name on the way is a symbolic link, it is LINKED. A file is never
// written where its owner sees it: it is staged, made durable with all others of its batch, and then placed.

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"
#include "storage/folder/folder-path.h"

#include <kj/array.h>
#include <kj/memory.h>

#include <expected>
#include <map>
#include <vector>

namespace hearth::storage {

using FolderId = Id<struct FolderTag, 16>;

enum class TreeError : uint8_t {
  MISSING,      // there is nothing
  CHANGED,      // there is something else than was expected
  NOT_EMPTY,    // a directory with something in it
  LINKED,       // a symbolic link is on the way
  DENIED,       // by the machine
  FULL,         // the disk
  UNSUPPORTED,  // by the file system: a name, a link, an attribute
  GONE,         // the folder itself: unmounted, moved or removed
  TAKEN,        // another folder of Hearth is there, around it or in it
  FAILED,       // anything else that the disk says
};
// In words, for people.
kj::StringPtr describe(TreeError error);

template <typename T>
using TreeResult = std::expected<T, TreeError>;

inline std::unexpected<TreeError> no(TreeError error) { return std::unexpected(error); }

// What one state of a file is told by from another: its inode, size and times. Equal only if nobody has written, or
// just before it was taken (FileState::isFresh). Of a directory it is the inode alone: the rest is what is in it.
struct FileStamp {
  uint64_t inode = 0, size = 0;
  int64_t modifiedNs = 0, changedNs = 0;  // mtime and ctime, since 1970

  auto operator<=>(const FileStamp&) const = default;
};

struct FileState {
  // OTHER: socket, device, pipe, a directory of another disk
  enum class Kind : uint8_t { FILE = 1, DIRECTORY = 2, SYMLINK = 3, OTHER = 4 };

  Kind kind = Kind::OTHER;
  uint32_t mode = 0;  // permission bits, 0777
  FileStamp stamp;
  // Of a file that is open: changed so lately that its stamp may stay what it is when somebody writes now, as clocks of
  // file systems tick slowly.
  bool isFresh = false;
};

// What is kept of a file beside its bytes. What is extended and goes beyond the limits is left out.
struct FileAttributes {
  static constexpr size_t EXTENDED_MAX = 64, EXTENDED_BYTES_MAX = 16 << 10;  // of all together

  uint32_t mode = 0;
  int64_t modifiedNs = 0;
  std::map<std::string, std::string> extended;  // "user.*"

  bool operator==(const FileAttributes&) const = default;
};

class FileTree {
 public:
  virtual ~FileTree() noexcept(false) = default;

  class Reading {
   public:
    virtual ~Reading() noexcept(false) = default;
    // As many bytes as there are, up to `out`.
    virtual TreeResult<size_t> read(uint64_t offset, kj::ArrayPtr<kj::byte> out) = 0;
    virtual TreeResult<FileState> state() = 0;  // as it is now
    virtual TreeResult<FileAttributes> attributes() = 0;
  };

  // A file under way, in the folder's own directory. Stays there until it is placed or dropped, also over restarts.
  class Staged {
   public:
    virtual ~Staged() noexcept(false) = default;
    virtual TreeResult<size_t> read(uint64_t offset, kj::ArrayPtr<kj::byte> out) = 0;
    // It may wait in memory until flush(): only then whoever opens the file anew sees it. Errors: of what waited, too.
    virtual TreeResult<void> write(uint64_t offset, crypto::Bytes bytes) = 0;
    virtual TreeResult<void> flush() = 0;
    // By the machine's own means where it has some (reflink, copy_file_range). Errors: CHANGED where the other file is
    // shorter; then it may have copied a part.
    virtual TreeResult<void> copy(Reading& from, uint64_t offset, uint64_t bytes, uint64_t to) = 0;
    // Its final length, and what it shall have beside its bytes. What the file system does not take of that is left
    // out: returns what it has now.
    virtual TreeResult<FileAttributes> finish(
        uint64_t length, const FileAttributes& attributes) = 0;
  };

  struct Listed {
    std::string name;  // as it is there: any bytes
    FileState state;
  };

  // The directory's names, without Hearth's own.
  virtual TreeResult<std::vector<Listed>> list(const FolderPath& directory) = 0;
  virtual TreeResult<FileState> state(const FolderPath& path) = 0;
  virtual TreeResult<kj::Own<Reading>> open(const FolderPath& path) = 0;
  virtual TreeResult<std::string> target(const FolderPath& link) = 0;

  // New, or what there is under that name already. `name`: one that parse() takes.
  virtual TreeResult<kj::Own<Staged>> stage(std::string_view name) = 0;
  virtual TreeResult<std::vector<std::string>> staged() = 0;
  virtual TreeResult<void> dropStaged(std::string_view name) = 0;

  // Makes durable whatever was staged, placed, made, moved or removed before.
  virtual TreeResult<void> sync() = 0;

  // All of these change what the owner sees, each in one step, and only where there is what is `expected`: a file with
  // that stamp, or nothing. CHANGED, and everything as it was, otherwise; MISSING where the directory is not there that
  // it shall be in. Paths have one name or more.
  using Expect = const FileStamp*;  // null: nothing is there

  // What was there goes to `keep`, below the own directory's "versions", or is gone where that is null. Nothing may be
  // under that name yet: CHANGED. A program that has the file open still writes into what is kept.
  using Keep = const FolderPath*;

  virtual TreeResult<FileState> place(
      std::string_view stagedName, const FolderPath& path, Expect expected, Keep keep) = 0;
  // UNSUPPORTED for a target that no link has: none, one with a zero in it, or one that is too long.
  static constexpr size_t TARGET_BYTES_MAX = 4'095;
  static bool isTarget(std::string_view target) {
    return !target.empty() && target.size() <= TARGET_BYTES_MAX &&
        target.find('\0') == std::string_view::npos;
  }
  virtual TreeResult<FileState> placeLink(
      const std::string& target, const FolderPath& path, Expect expected, Keep keep) = 0;
  virtual TreeResult<FileState> makeDirectory(const FolderPath& path, uint32_t mode) = 0;
  virtual TreeResult<FileState> move(
      const FolderPath& from, const FileStamp& expected, const FolderPath& to) = 0;
  // A file or a symbolic link.
  virtual TreeResult<void> remove(const FolderPath& path, const FileStamp& expected, Keep keep) = 0;
  virtual TreeResult<void> removeDirectory(const FolderPath& path) = 0;  // CHANGED: none
  virtual TreeResult<FileState> setAttributes(
      const FolderPath& path, const FileStamp& expected, const FileAttributes& attributes) = 0;

  struct Kept {
    FolderPath path;
    FileState state;
  };
  // What was replaced or removed, oldest name first.
  virtual TreeResult<std::vector<Kept>> kept() = 0;
  virtual TreeResult<kj::Own<Reading>> openKept(const FolderPath& path) = 0;
  virtual TreeResult<void> dropKept(const FolderPath& path) = 0;

  // Bytes that are free on the folder's disk.
  virtual TreeResult<uint64_t> room() = 0;

  // While one lives, the folder's directory is looked up once, and its disk is held: it cannot be unmounted.
  class Batch final {
   public:
    explicit Batch(FileTree& tree): tree(tree) { tree.beginBatch(); }
    ~Batch() { tree.endBatch(); }
    KJ_DISALLOW_COPY_AND_MOVE(Batch);

   private:
    FileTree& tree;
  };

 private:
  virtual void beginBatch() = 0;
  virtual void endBatch() = 0;
};

}  // namespace hearth::storage
