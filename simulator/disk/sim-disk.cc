#include "simulator/disk/sim-disk.h"

#include <kj/debug.h>
#include <kj/vector.h>

#include <algorithm>
#include <cstring>
#include <set>

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
    if (offset >= bytes.size() || buffer.size() == 0) return 0;
    auto size = kj::min(buffer.size(), bytes.size() - offset);
    memcpy(buffer.begin(), bytes.data() + offset, size);
    return size;
  }
  void write(uint64_t offset, kj::ArrayPtr<const kj::byte> data) const override {
    disk.beforeWrite();
    disk.refuseIfFull();
    if (data.size() == 0) return;
    auto& bytes = content->bytes;
    content->touch(kj::min(offset, bytes.size()), offset + data.size());
    if (bytes.size() < offset + data.size()) bytes.resize(offset + data.size());
    memcpy(bytes.data() + offset, data.begin(), data.size());
  }
  void truncate(uint64_t size) const override {
    disk.beforeWrite();
    auto sizeNow = content->bytes.size();
    if (size < sizeNow) return content->cut(size);
    content->touch(sizeNow, size);
    content->bytes.resize(size);
  }
  void datasync() const override {
    disk.beforeSync();
    disk.refuseIfFailing();
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
};

// A new file under a name, as rename does it: durable when the file and the directory were synced.
class SimDisk::Replacing final: public kj::Directory::Replacer<kj::File> {
 public:
  Replacing(SimDisk& disk, std::string name, kj::WriteMode mode)
      : Replacer(mode),
        disk(disk),
        name(kj::mv(name)) {}

  const kj::File& get() override { return view; }
  bool tryCommit() override {
    if (!disk.mayOpen(name, mode)) return false;
    disk.names[name] = content;
    return true;
  }

 private:
  SimDisk& disk;
  std::string name;
  ContentPtr content = std::make_shared<Content>();
  FileView view{disk, content};
};

// A folder is what names have in common; it is there as long as one has it.
class SimDisk::DirectoryView final: public kj::Directory {
 public:
  // `folder`: as names begin in it, with a slash at its end; nothing for the root.
  DirectoryView(SimDisk& disk, std::string folder): disk(disk), folder(kj::mv(folder)) {}

  Metadata stat() const override {
    return Metadata(kj::FsNode::Type::DIRECTORY, 0, 0, kj::UNIX_EPOCH, 1, 0);
  }
  void sync() const override {
    disk.beforeSync();
    disk.refuseIfFailing();
    syncNames(disk.names, disk.durableNames);
  }
  void datasync() const override { sync(); }
  bool exists(kj::PathPtr path) const override { return disk.names.contains(nameOf(path)); }
  kj::Maybe<kj::Own<const kj::File>> tryOpenFile(
      kj::PathPtr path, kj::WriteMode mode) const override {
    auto name = nameOf(path);
    if (!disk.mayOpen(name, mode)) return nullptr;
    auto& content = disk.names[name];
    if (content == nullptr) content = std::make_shared<Content>();
    return kj::Own<const kj::File>(kj::heap<FileView>(disk, content));
  }
  kj::Maybe<kj::Own<const kj::ReadableFile>> tryOpenFile(kj::PathPtr path) const override {
    auto found = disk.names.find(nameOf(path));
    if (found == disk.names.end()) return nullptr;
    return kj::Own<const kj::ReadableFile>(kj::heap<FileView>(disk, found->second));
  }
  bool tryRemove(kj::PathPtr path) const override { return disk.names.erase(nameOf(path)) > 0; }
  // A rename within this disk; durable when the directory is synced.
  bool tryTransfer(kj::PathPtr toPath, kj::WriteMode toMode, const kj::Directory&,
      kj::PathPtr fromPath, kj::TransferMode mode) const override {
    KJ_REQUIRE(mode == kj::TransferMode::MOVE);
    auto found = disk.names.find(nameOf(fromPath));
    if (found == disk.names.end() || !disk.mayOpen(nameOf(toPath), toMode)) return false;
    auto content = kj::mv(found->second);
    disk.names.erase(found);
    disk.names[nameOf(toPath)] = kj::mv(content);
    return true;
  }
  kj::Own<Replacer<kj::File>> replaceFile(kj::PathPtr path, kj::WriteMode mode) const override {
    return kj::heap<Replacing>(disk, nameOf(path), mode);
  }

  kj::Array<kj::String> listNames() const override {
    kj::Vector<kj::String> listed;
    for (auto& [name, content]: disk.names) {
      if (isIn(name)) listed.add(kj::str(name.c_str() + folder.size()));
    }
    return listed.releaseAsArray();
  }
  kj::Array<Entry> listEntries() const override { KJ_UNIMPLEMENTED("entries"); }
  kj::Maybe<Metadata> tryLstat(kj::PathPtr path) const override {
    auto found = disk.names.find(nameOf(path));
    if (found == disk.names.end()) return nullptr;
    return FileView(disk, found->second).stat();
  }
  kj::Maybe<kj::Own<const kj::ReadableDirectory>> tryOpenSubdir(kj::PathPtr path) const override {
    KJ_IF_MAYBE(found, tryOpenSubdir(path, kj::WriteMode::MODIFY))
      return kj::Own<const kj::ReadableDirectory>(kj::mv(*found));
    return nullptr;
  }
  kj::Maybe<kj::String> tryReadlink(kj::PathPtr) const override { return nullptr; }
  kj::Own<const kj::File> createTemporary() const override { KJ_UNIMPLEMENTED("temporary"); }
  kj::Maybe<kj::Own<kj::AppendableFile>> tryAppendFile(kj::PathPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("append");
  }
  kj::Maybe<kj::Own<const Directory>> tryOpenSubdir(
      kj::PathPtr path, kj::WriteMode mode) const override {
    auto name = nameOf(path) + "/";
    auto first = disk.names.lower_bound(name);
    bool there = first != disk.names.end() && first->first.starts_with(name);
    if (!kj::has(mode, there ? kj::WriteMode::MODIFY : kj::WriteMode::CREATE)) return nullptr;
    return kj::Own<const Directory>(kj::heap<DirectoryView>(disk, kj::mv(name)));
  }
  kj::Own<Replacer<Directory>> replaceSubdir(kj::PathPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("folders");
  }
  bool trySymlink(kj::PathPtr, kj::StringPtr, kj::WriteMode) const override {
    KJ_UNIMPLEMENTED("links");
  }

 protected:
  kj::Own<const FsNode> cloneFsNode() const override {
    return kj::heap<DirectoryView>(disk, folder);
  }

 private:
  SimDisk& disk;
  std::string folder;

  std::string nameOf(kj::PathPtr path) const { return folder + path.toString().cStr(); }
  bool isIn(const std::string& name) const {
    return name.starts_with(folder) && name.find('/', folder.size()) == std::string::npos;
  }
  void syncNames(const Names& from, Names& to) const {
    std::erase_if(to, [this](auto& entry) { return isIn(entry.first); });
    for (auto& [name, content]: from) {
      if (isIn(name)) to[name] = content;
    }
  }
};

kj::Own<const kj::Directory> SimDisk::directory() { return kj::heap<DirectoryView>(*this, ""); }

bool SimDisk::mayOpen(const std::string& name, kj::WriteMode mode) const {
  return kj::has(mode, names.contains(name) ? kj::WriteMode::MODIFY : kj::WriteMode::CREATE);
}

void SimDisk::refuseIfFull() {
  if (!full) return;
  ++refused;
  kj::throwFatalException(KJ_EXCEPTION(OVERLOADED, "no space left on the disk"));
}

void SimDisk::refuseIfFailing() {
  if (!failing) return;
  ++refused;
  kj::throwFatalException(KJ_EXCEPTION(FAILED, "the disk failed to sync"));
}

// Bytes from `begin` to before `end` are about to change, or to come or go.
void SimDisk::Content::touch(uint64_t begin, uint64_t end) {
  if (begin == end) return;
  if (!dirty) sizeBefore = bytes.size();
  dirty = true;
  for (auto page = begin / PAGE_BYTES; page * PAGE_BYTES < end; ++page) {
    if (before.contains(page)) continue;
    auto from = std::min<uint64_t>(page * PAGE_BYTES, bytes.size());
    auto to = std::min<uint64_t>(from + PAGE_BYTES, bytes.size());
    before[page].assign(bytes.data() + from, bytes.data() + to);
  }
}

void SimDisk::Content::cut(uint64_t size) {
  if (beforeCut == nullptr) {
    auto whole = *this;
    whole.undo();
    beforeCut = kj::mv(whole.bytes);
  }
  if (!dirty) sizeBefore = bytes.size();
  dirty = true;
  bytes.resize(size);
  // From here on this is what crashes leave behind, if they leave the cut.
  sizeBefore = std::min(sizeBefore, size);
  std::erase_if(before, [&](auto& page) { return page.first * PAGE_BYTES >= size; });
  for (auto& [page, old]: before)
    old.resize(std::min<uint64_t>(old.size(), size - page * PAGE_BYTES));
}

void SimDisk::Content::synced() {
  before.clear();
  beforeCut = nullptr;
  dirty = false;
}

void SimDisk::Content::undo() {
  KJ_IF_MAYBE(whole, beforeCut) {
    bytes = kj::mv(*whole);
  } else {
    if (dirty) bytes.resize(sizeBefore);
    for (auto& [page, old]: before) putBack(page, old, 0);
  }
  synced();
}

void SimDisk::Content::putBack(uint64_t page, const std::vector<kj::byte>& old, size_t from) {
  auto begin = page * PAGE_BYTES;
  for (auto at = from; at < PAGE_BYTES && begin + at < bytes.size(); ++at)
    bytes[begin + at] = at < old.size() ? old[at] : kj::byte{0};
}

// Each page that was not synced becomes old, stays new, or is torn behind some sector; the size is
// the old or the new one. A cut was made, or it was not and nothing behind it.
void SimDisk::crash(Content& content) {
  if (!content.dirty) return;
  if (content.beforeCut != nullptr && chance.permille(500)) {
    lost += content.before.size();
    return content.undo();
  }
  if (chance.permille(500)) content.bytes.resize(content.sizeBefore);
  for (auto& [page, old]: content.before) {
    ++lost;
    auto fate = chance.below(3);
    auto sector = 1 + chance.below(PAGE_BYTES / SECTOR_BYTES - 1);
    if (fate == 1) continue;
    if (fate == 2) ++torn;
    content.putBack(page, old, fate == 2 ? sector * SECTOR_BYTES : 0);
  }
  content.synced();
}

void SimDisk::losePower() {
  for (auto& [name, content]: names) crash(*content);
  for (auto& [name, content]: durableNames) crash(*content);
  std::set<std::string> all;
  for (auto& [name, content]: names) all.insert(name);
  for (auto& [name, content]: durableNames) all.insert(name);
  for (auto& name: all) {
    auto now = names.find(name), durable = durableNames.find(name);
    bool isDurable =
        now != names.end() && durable != durableNames.end() && now->second == durable->second;
    if (isDurable || chance.permille(500)) continue;  // as it is now
    if (durable == durableNames.end()) {
      names.erase(name);
    } else {
      names[name] = durable->second;
    }
  }
  durableNames = names;
}

void SimDisk::losePowerCleanly() { restore(afterPowerCut()); }

void SimDisk::undoing(kj::FunctionParam<void()> body) {
  auto saved = copy();
  auto savedSyncs = syncs;
  auto savedFull = full, savedFailing = failing;
  full = failing = false;
  KJ_DEFER({
    names = kj::mv(saved.names);
    durableNames = kj::mv(saved.durableNames);
    syncs = savedSyncs;
    full = savedFull;
    failing = savedFailing;
  });
  body();
}

// A file that has both a name and a durable one is one file in the copy, too.
SimDisk::Copy SimDisk::copy() const {
  Copy result{names, durableNames};
  std::map<ContentPtr, ContentPtr> copies;
  for (auto all: {&result.names, &result.durableNames}) {
    for (auto& [name, content]: *all) {
      auto& copied = copies[content];
      if (copied == nullptr) copied = std::make_shared<Content>(*content);
      content = copied;
    }
  }
  return result;
}

void SimDisk::rot(const std::string& name, uint64_t bits) {
  auto found = names.find(name);
  if (found == names.end() || found->second->bytes.empty()) return;
  auto& bytes = found->second->bytes;
  for (uint64_t i = 0; i < bits; ++i, ++rotted)
    bytes[chance.below(bytes.size())] ^= static_cast<kj::byte>(1 << chance.below(8));
}

SimDisk::Files SimDisk::contents() const { return bytesOf(names); }

SimDisk::Files SimDisk::afterPowerCut() const {
  auto durable = copy().durableNames;
  for (auto& [name, content]: durable) content->undo();
  return bytesOf(durable);
}

SimDisk::Files SimDisk::bytesOf(const Names& names) {
  Files all;
  for (auto& [name, content]: names) all[name].assign(content->bytes.begin(), content->bytes.end());
  return all;
}

void SimDisk::restore(const Files& files) {
  names.clear();
  for (auto& [name, bytes]: files) {
    auto content = std::make_shared<Content>();
    content->bytes.assign(bytes.begin(), bytes.end());
    names[name] = content;
  }
  durableNames = names;
}

}  // namespace hearth::sim
