#pragma once
// A disk in memory that remembers what of it would outlive a power cut, counts syncs, and fails when
// told to. Only what was synced is durable: a file's bytes by its own sync, a name by its directory's.

#include "tests/storage/home.h"

#include <kj/function.h>

#include <memory>

namespace hearth::storage {

using Files = std::map<std::string, std::string>;

struct FrailDisk {
  using Synced = std::shared_ptr<std::string>;  // a file's bytes as of its last sync

  kj::Own<const kj::Directory> files = kj::newInMemoryDirectory(kj::nullClock());
  std::map<std::string, Synced> present;  // by the names that there are now
  std::map<std::string, Synced> durable;  // by the names of the directory's last sync
  uint64_t syncs = 0;                     // of files
  bool full = false;                      // writes are refused
  bool failing = false;                   // syncs are refused
  kj::Function<void()> beforeWrite = []() {};
  kj::Function<void()> beforeSync = []() {};

  // What is found after a power cut now, and after a kill now.
  Files afterPowerCut() const {
    Files left;
    for (auto& [name, bytes]: durable) left[name] = *bytes;
    return left;
  }
  Files afterKill() const { return contentOf(*files); }

  kj::Own<const kj::Directory> directory();
};

// The calls that a database makes go through; the others are not there.
class FrailFile final: public kj::File {
 public:
  FrailFile(FrailDisk& disk, FrailDisk::Synced synced, kj::Own<const kj::File> inner)
      : disk(disk),
        synced(kj::mv(synced)),
        inner(kj::mv(inner)) {}

  Metadata stat() const override { return inner->stat(); }
  size_t read(uint64_t offset, kj::ArrayPtr<kj::byte> buffer) const override {
    return inner->read(offset, buffer);
  }
  void write(uint64_t offset, kj::ArrayPtr<const kj::byte> data) const override {
    disk.beforeWrite();
    if (disk.full) kj::throwFatalException(KJ_EXCEPTION(OVERLOADED, "no space left"));
    inner->write(offset, data);
  }
  void truncate(uint64_t size) const override {
    disk.beforeWrite();
    inner->truncate(size);
  }
  void datasync() const override {
    disk.beforeSync();
    KJ_REQUIRE(!disk.failing, "the sync failed");
    ++disk.syncs;
    auto bytes = inner->readAllBytes();
    synced->assign(bytes.asChars().begin(), bytes.size());
  }

  void sync() const override { KJ_UNIMPLEMENTED("sync"); }
  void zero(uint64_t, uint64_t) const override { KJ_UNIMPLEMENTED("zero"); }
  kj::Array<const kj::byte> mmap(uint64_t, uint64_t) const override { KJ_UNIMPLEMENTED("mmap"); }
  kj::Array<kj::byte> mmapPrivate(uint64_t, uint64_t) const override { KJ_UNIMPLEMENTED("mmap"); }
  kj::Own<const kj::WritableFileMapping> mmapWritable(uint64_t, uint64_t) const override {
    KJ_UNIMPLEMENTED("mmap");
  }

 protected:
  kj::Own<const FsNode> cloneFsNode() const override { KJ_UNIMPLEMENTED("clone"); }

 private:
  FrailDisk& disk;
  FrailDisk::Synced synced;
  kj::Own<const kj::File> inner;
};

class FrailDirectory final: public kj::Directory {
 public:
  explicit FrailDirectory(FrailDisk& disk): disk(disk) {}

  Metadata stat() const override { return disk.files->stat(); }
  void sync() const override { disk.durable = disk.present; }
  void datasync() const override { sync(); }
  bool exists(kj::PathPtr path) const override { return disk.files->exists(path); }
  kj::Maybe<kj::Own<const kj::File>> tryOpenFile(
      kj::PathPtr path, kj::WriteMode mode) const override {
    KJ_IF_MAYBE(file, disk.files->tryOpenFile(path, mode)) {
      auto& synced = disk.present[path[0].cStr()];
      if (synced == nullptr) synced = std::make_shared<std::string>();
      return kj::Own<const kj::File>(kj::heap<FrailFile>(disk, synced, kj::mv(*file)));
    }
    return nullptr;
  }
  bool tryRemove(kj::PathPtr path) const override {
    disk.present.erase(path[0].cStr());
    return disk.files->tryRemove(path);
  }

  kj::Array<kj::String> listNames() const override { return disk.files->listNames(); }
  kj::Array<Entry> listEntries() const override { return disk.files->listEntries(); }
  kj::Maybe<Metadata> tryLstat(kj::PathPtr path) const override {
    return disk.files->tryLstat(path);
  }
  kj::Maybe<kj::Own<const kj::ReadableFile>> tryOpenFile(kj::PathPtr path) const override {
    return kj::implicitCast<const kj::ReadableDirectory&>(*disk.files).tryOpenFile(path);
  }
  kj::Maybe<kj::Own<const kj::ReadableDirectory>> tryOpenSubdir(kj::PathPtr) const override {
    return nullptr;
  }
  kj::Maybe<kj::String> tryReadlink(kj::PathPtr) const override { return nullptr; }
  kj::Own<Replacer<kj::File>> replaceFile(kj::PathPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("replaceFile");
  }
  kj::Own<const kj::File> createTemporary() const override { KJ_UNIMPLEMENTED("temporary"); }
  kj::Maybe<kj::Own<kj::AppendableFile>> tryAppendFile(kj::PathPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("append");
  }
  kj::Maybe<kj::Own<const Directory>> tryOpenSubdir(kj::PathPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("subdir");
  }
  kj::Own<Replacer<Directory>> replaceSubdir(kj::PathPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("subdir");
  }
  bool trySymlink(kj::PathPtr, kj::StringPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("symlink");
  }

 protected:
  kj::Own<const FsNode> cloneFsNode() const override { KJ_UNIMPLEMENTED("clone"); }

 private:
  FrailDisk& disk;
};

inline kj::Own<const kj::Directory> FrailDisk::directory() {
  return kj::heap<FrailDirectory>(*this);
}

}  // namespace hearth::storage
