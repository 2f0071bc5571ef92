#include "simulator/disk/sim-disk.h"

#include <kj/debug.h>
#include <kj/vector.h>

#include <algorithm>
#include <cstring>

namespace hearth::sim {

// The calls that a database makes; the others are not there.
class SimDisk::FileView final: public kj::File {
 public:
  FileView(SimDisk& disk, ContentPtr content): disk(disk), content(kj::mv(content)) {}

  Metadata stat() const override {
    auto size = content->bytes.size();
    return Metadata(kj::FsNode::Type::FILE, size, size, kj::UNIX_EPOCH, 1, 0);
  }
  size_t read(uint64_t offset, kj::ArrayPtr<kj::byte> buffer) const override {
    auto& bytes = content->bytes;
    if (offset >= bytes.size()) return 0;
    auto size = kj::min(buffer.size(), bytes.size() - offset);
    memcpy(buffer.begin(), bytes.data() + offset, size);
    return size;
  }
  void write(uint64_t offset, kj::ArrayPtr<const kj::byte> data) const override {
    refuseIf(disk.full, "no space left on the disk");
    content->touch(offset, data.size());
    if (content->bytes.size() < offset + data.size()) content->bytes.resize(offset + data.size());
    memcpy(content->bytes.data() + offset, data.begin(), data.size());
  }
  void truncate(uint64_t size) const override {
    content->touch(kj::min(size, content->bytes.size()), content->bytes.size());
    content->bytes.resize(size);
  }
  void datasync() const override {
    refuseIf(disk.failing, "the disk failed to sync");
    ++disk.syncs;
    content->synced();
  }
  void sync() const override { datasync(); }

  void zero(uint64_t, uint64_t) const override { KJ_UNIMPLEMENTED("zero"); }
  kj::Array<const kj::byte> mmap(uint64_t, uint64_t) const override { KJ_UNIMPLEMENTED("mmap"); }
  kj::Array<kj::byte> mmapPrivate(uint64_t, uint64_t) const override { KJ_UNIMPLEMENTED("mmap"); }
  kj::Own<const kj::WritableFileMapping> mmapWritable(uint64_t, uint64_t) const override {
    KJ_UNIMPLEMENTED("mmap");
  }

 protected:
  kj::Own<const FsNode> cloneFsNode() const override { return kj::heap<FileView>(disk, content); }

 private:
  SimDisk& disk;
  ContentPtr content;

  void refuseIf(bool broken, kj::StringPtr why) const {
    if (!broken) return;
    ++disk.refused;
    kj::throwFatalException(KJ_EXCEPTION(OVERLOADED, why));
  }
};

class SimDisk::DirectoryView final: public kj::Directory {
 public:
  explicit DirectoryView(SimDisk& disk): disk(disk) {}

  Metadata stat() const override {
    return Metadata(kj::FsNode::Type::DIRECTORY, 0, 0, kj::UNIX_EPOCH, 1, 0);
  }
  void sync() const override {
    if (disk.failing) {
      ++disk.refused;
      kj::throwFatalException(KJ_EXCEPTION(OVERLOADED, "the disk failed to sync"));
    }
    disk.durableNames = disk.names;
  }
  void datasync() const override { sync(); }
  bool exists(kj::PathPtr path) const override { return disk.names.contains(nameOf(path)); }
  kj::Maybe<kj::Own<const kj::File>> tryOpenFile(
      kj::PathPtr path, kj::WriteMode mode) const override {
    auto found = disk.names.find(nameOf(path));
    bool there = found != disk.names.end();
    if (there ? !kj::has(mode, kj::WriteMode::MODIFY) : !kj::has(mode, kj::WriteMode::CREATE))
      return nullptr;
    if (!there) found = disk.names.emplace(nameOf(path), std::make_shared<Content>()).first;
    return kj::Own<const kj::File>(kj::heap<FileView>(disk, found->second));
  }
  kj::Maybe<kj::Own<const kj::ReadableFile>> tryOpenFile(kj::PathPtr path) const override {
    auto found = disk.names.find(nameOf(path));
    if (found == disk.names.end()) return nullptr;
    return kj::Own<const kj::ReadableFile>(kj::heap<FileView>(disk, found->second));
  }
  bool tryRemove(kj::PathPtr path) const override { return disk.names.erase(nameOf(path)) > 0; }
  // A replaced file is durable when it is committed, as fsync and rename make it.
  kj::Own<Replacer<kj::File>> replaceFile(kj::PathPtr path, kj::WriteMode mode) const override {
    class Replacing final: public Replacer<kj::File> {
     public:
      Replacing(SimDisk& disk, std::string name, kj::WriteMode mode)
          : Replacer(mode),
            disk(disk),
            name(kj::mv(name)),
            content(std::make_shared<Content>()),
            view(kj::heap<FileView>(disk, content)) {}
      const kj::File& get() override { return *view; }
      bool tryCommit() override {
        if (disk.full) return false;
        content->synced();
        disk.names[name] = disk.durableNames[name] = content;
        return true;
      }

     private:
      SimDisk& disk;
      std::string name;
      ContentPtr content;
      kj::Own<const kj::File> view;
    };
    return kj::heap<Replacing>(disk, nameOf(path), mode);
  }

  kj::Array<kj::String> listNames() const override {
    kj::Vector<kj::String> listed;
    for (auto& [name, content]: disk.names) listed.add(kj::str(name.c_str()));
    return listed.releaseAsArray();
  }
  kj::Array<Entry> listEntries() const override { KJ_UNIMPLEMENTED("entries"); }
  kj::Maybe<Metadata> tryLstat(kj::PathPtr path) const override {
    auto found = disk.names.find(nameOf(path));
    if (found == disk.names.end()) return nullptr;
    return FileView(disk, found->second).stat();
  }
  kj::Maybe<kj::Own<const kj::ReadableDirectory>> tryOpenSubdir(kj::PathPtr) const override {
    return nullptr;
  }
  kj::Maybe<kj::String> tryReadlink(kj::PathPtr) const override { return nullptr; }
  kj::Own<const kj::File> createTemporary() const override { KJ_UNIMPLEMENTED("temporary"); }
  kj::Maybe<kj::Own<kj::AppendableFile>> tryAppendFile(kj::PathPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("append");
  }
  kj::Maybe<kj::Own<const Directory>> tryOpenSubdir(kj::PathPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("folders");
  }
  kj::Own<Replacer<Directory>> replaceSubdir(kj::PathPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("folders");
  }
  bool trySymlink(kj::PathPtr, kj::StringPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("links");
  }

 protected:
  kj::Own<const FsNode> cloneFsNode() const override { return kj::heap<DirectoryView>(disk); }

 private:
  SimDisk& disk;

  static std::string nameOf(kj::PathPtr path) { return path.toString().cStr(); }
};

kj::Own<const kj::Directory> SimDisk::directory() { return kj::heap<DirectoryView>(*this); }

void SimDisk::Content::touch(uint64_t offset, uint64_t size) {
  if (before.empty()) sizeBefore = bytes.size();
  for (auto page = offset / PAGE_BYTES; page * PAGE_BYTES < offset + size; ++page) {
    auto begin = page * PAGE_BYTES;
    if (before.contains(page)) continue;
    auto end = std::min<uint64_t>(begin + PAGE_BYTES, bytes.size());
    before[page] = begin < end
        ? std::vector<kj::byte>(bytes.begin() + static_cast<ptrdiff_t>(begin),
              bytes.begin() + static_cast<ptrdiff_t>(end))
        : std::vector<kj::byte>();
  }
}

void SimDisk::Content::synced() {
  before.clear();
  sizeBefore = bytes.size();
}

std::string SimDisk::Content::asOfLastSync() const {
  auto kept = bytes;
  if (!before.empty()) kept.resize(sizeBefore);
  for (auto& [page, old]: before) {
    auto begin = page * PAGE_BYTES;
    for (size_t at = 0; at < old.size() && begin + at < kept.size(); ++at)
      kept[begin + at] = old[at];
  }
  return {kept.begin(), kept.end()};
}

// Each page that was not synced becomes old, stays new, or is torn behind some sector.
void SimDisk::crash(Content& content, bool cleanly) {
  if (content.before.empty()) return;
  bool grownStays = !cleanly && chance.permille(500);
  auto size = grownStays ? std::max<uint64_t>(content.bytes.size(), content.sizeBefore)
                         : content.sizeBefore;
  content.bytes.resize(size);
  for (auto& [page, old]: content.before) {
    auto fate = cleanly ? 0 : chance.below(3);
    ++lost;
    if (fate == 1) continue;
    if (fate == 2) ++torn;
    auto from = fate == 2 ? chance.below(PAGE_BYTES / SECTOR_BYTES) * SECTOR_BYTES : 0;
    auto begin = page * PAGE_BYTES;
    for (auto at = from; at < PAGE_BYTES && begin + at < size; ++at)
      content.bytes[begin + at] = at < old.size() ? old[at] : kj::byte{0};
  }
  content.synced();
}

void SimDisk::crashAll(bool cleanly) {
  for (auto& [name, content]: names) crash(*content, cleanly);
  for (auto& [name, content]: durableNames) crash(*content, cleanly);
  names = durableNames;
}

void SimDisk::losePower() { crashAll(false); }

void SimDisk::losePowerCleanly() { crashAll(true); }

void SimDisk::rot(const std::string& name, uint64_t bits) {
  auto found = names.find(name);
  if (found == names.end() || found->second->bytes.empty()) return;
  auto& bytes = found->second->bytes;
  for (uint64_t i = 0; i < bits; ++i, ++rotted)
    bytes[chance.below(bytes.size())] ^= static_cast<kj::byte>(1 << chance.below(8));
}

std::map<std::string, std::string> SimDisk::contents() const {
  std::map<std::string, std::string> all;
  for (auto& [name, content]: names) all[name].assign(content->bytes.begin(), content->bytes.end());
  return all;
}

std::map<std::string, std::string> SimDisk::durable() const {
  std::map<std::string, std::string> all;
  for (auto& [name, content]: durableNames) all[name] = content->asOfLastSync();
  return all;
}

void SimDisk::restore(const std::map<std::string, std::string>& contents) {
  names.clear();
  for (auto& [name, bytes]: contents) {
    auto content = std::make_shared<Content>();
    content->bytes.assign(bytes.begin(), bytes.end());
    content->synced();
    names[name] = content;
  }
  durableNames = names;
}

}  // namespace hearth::sim
