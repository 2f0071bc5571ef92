#pragma once
// Files of a folder that are open, on Linux: one that is read, and one that is under way.

#include "devices/linux/run-writer.h"
#include "devices/linux/unsynced.h"

namespace hearth::devices {

class LinuxReading final: public FileTree::Reading {
 public:
  LinuxReading(kj::AutoCloseFd file, dev_t disk): file(kj::mv(file)), disk(disk) {}

  TreeResult<size_t> read(uint64_t offset, kj::ArrayPtr<kj::byte> out) override;
  TreeResult<FileState> state() override;
  TreeResult<FileAttributes> attributes() override;

  int fd() const { return file; }

 private:
  kj::AutoCloseFd file;
  dev_t disk;
};

class LinuxStaged final: public FileTree::Staged {
 public:
  LinuxStaged(kj::AutoCloseFd file, Unsynced& unsynced, std::string name)
      : file(kj::mv(file)),
        unsynced(unsynced),
        name(kj::mv(name)) {}

  TreeResult<size_t> read(uint64_t offset, kj::ArrayPtr<kj::byte> out) override;
  TreeResult<void> flush() override { return runs.flush(); }
  TreeResult<void> write(uint64_t offset, crypto::Bytes bytes) override;
  TreeResult<void> copy(
      FileTree::Reading& from, uint64_t offset, uint64_t bytes, uint64_t to) override;
  TreeResult<FileAttributes> finish(uint64_t length, const FileAttributes& attributes) override;

 private:
  kj::AutoCloseFd file;
  Unsynced& unsynced;
  std::string name;
  RunWriter runs{file};
};

// A file and nothing else, for reading. Errors: MISSING, LINKED, CHANGED for what is no file.
TreeResult<kj::Own<LinuxReading>> openToRead(int directory, const std::string& name, dev_t disk);

// A file that only this name has: new, or what is there. One that has other names is its owner's, which a crash left
// here in the middle of a step: it goes.
Opened openToStage(int directory, const std::string& name);

}  // namespace hearth::devices
