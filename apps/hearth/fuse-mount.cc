#define FUSE_USE_VERSION 312

#include "apps/hearth/fuse-mount.h"

#include <kj/debug.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace hearth::cli {

namespace {

using Kind = local::FolderEntry::Kind;

// In a listing, as libfuse has it: an entry of the number 0 is none for the C library.
constexpr ino_t NO_NUMBER_YET = 0xffffffff;

struct stat statOf(uint64_t node, local::FolderEntry::Reader entry) {
  struct stat stat{};
  auto kind = entry.getKind();
  stat.st_ino = node;
  stat.st_nlink = 1;
  stat.st_uid = getuid();
  stat.st_gid = getgid();
  // Nothing can be written, whatever the owner's own file allows.
  auto mode = entry.getMode() & 0555;
  stat.st_mode = kind == Kind::FILE ? S_IFREG | mode
      : kind == Kind::LINK          ? S_IFLNK | 0777
                                    : S_IFDIR | 0555;
  stat.st_size =
      static_cast<off_t>(kind == Kind::LINK ? entry.getTarget().size() : entry.getBytes());
  stat.st_blocks = (stat.st_size + 511) / 512;
  stat.st_blksize = FuseMount::BLOCK_BYTES;
  constexpr int64_t NS = 1'000'000'000;
  auto modified = entry.getModifiedNs();
  stat.st_mtim = {modified / NS - (modified % NS < 0), (modified % NS + NS) % NS};
  stat.st_ctim = stat.st_mtim;
  return stat;
}

struct stat statOfRoot() {
  struct stat stat{};
  stat.st_ino = FUSE_ROOT_ID;
  stat.st_nlink = 1;
  stat.st_uid = getuid();
  stat.st_gid = getgid();
  stat.st_mode = S_IFDIR | 0555;
  return stat;
}

int errorOf(local::FolderRead how) {
  switch (how) {
    case local::FolderRead::DONE:
      return 0;
    case local::FolderRead::MISSING:
      return ENOENT;
    case local::FolderRead::CHANGED:
      return ESTALE;
    case local::FolderRead::TIMED_OUT:
      return ETIMEDOUT;
    case local::FolderRead::NOWHERE:
    case local::FolderRead::FAILED:
      return EIO;
  }
  return EIO;
}

std::string nameOf(kj::ArrayPtr<const kj::byte> content) {
  return {content.asChars().begin(), content.size()};
}

}  // namespace

struct FuseMount::Operations {
  static FuseMount& of(fuse_req_t request) {
    return *static_cast<FuseMount*>(fuse_req_userdata(request));
  }

  // What throws has failed, and was not answered; the daemon is gone, perhaps. An answered request is there no more.
  static void run(FuseMount& mount, fuse_req_t request, kj::Promise<void> work) {
    mount.tasks.add(work.catch_([request](kj::Exception&& e) {
      KJ_LOG(INFO, e.getDescription());
      fuse_reply_err(request, EIO);
    }));
  }

  static auto look(FuseMount& mount, const std::string& path) {
    auto request = mount.folders.lookRequest();
    request.setPath((mount.root + path).c_str());
    return request.send();
  }

  static kj::Promise<void> find(
      fuse_req_t request, FuseMount& mount, fuse_ino_t parent, std::string name) {
    auto path = mount.pathOf(parent) + "/" + name;
    auto response = co_await look(mount, path);
    if (!response.getFound()) {
      fuse_reply_err(request, ENOENT);
      co_return;
    }
    fuse_entry_param entry{};
    entry.ino = mount.nodeOf(path);
    entry.attr = statOf(entry.ino, response.getEntry());
    entry.attr_timeout = entry.entry_timeout = SECONDS_KNOWN;
    if (fuse_reply_entry(request, &entry) != 0) mount.forget(entry.ino, 1);
  }
  static void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
    auto& mount = of(request);
    run(mount, request, find(request, mount, parent, name));
  }

  static void forget(fuse_req_t request, fuse_ino_t node, uint64_t lookups) {
    of(request).forget(node, lookups);
    fuse_reply_none(request);
  }
  static void forgetMany(fuse_req_t request, size_t count, fuse_forget_data* all) {
    for (size_t i = 0; i < count; ++i) of(request).forget(all[i].ino, all[i].nlookup);
    fuse_reply_none(request);
  }

  static kj::Promise<void> tell(fuse_req_t request, FuseMount& mount, fuse_ino_t node) {
    auto stat = statOfRoot();
    if (node != FUSE_ROOT_ID) {
      auto response = co_await look(mount, mount.pathOf(node));
      if (!response.getFound()) {
        fuse_reply_err(request, ENOENT);
        co_return;
      }
      stat = statOf(node, response.getEntry());
    }
    fuse_reply_attr(request, &stat, SECONDS_KNOWN);
  }
  static void getattr(fuse_req_t request, fuse_ino_t node, fuse_file_info*) {
    auto& mount = of(request);
    run(mount, request, tell(request, mount, node));
  }

  static kj::Promise<void> tellTarget(fuse_req_t request, FuseMount& mount, fuse_ino_t node) {
    auto response = co_await look(mount, mount.pathOf(node));
    if (!response.getFound() || response.getEntry().getKind() != Kind::LINK) {
      fuse_reply_err(request, ENOENT);
    } else {
      fuse_reply_readlink(request, response.getEntry().getTarget().cStr());
    }
  }
  static void readlink(fuse_req_t request, fuse_ino_t node) {
    auto& mount = of(request);
    run(mount, request, tellTarget(request, mount, node));
  }

  static kj::Promise<void> openFile(
      fuse_req_t request, FuseMount& mount, fuse_ino_t node, fuse_file_info info) {
    auto path = mount.pathOf(node);
    auto response = co_await look(mount, path);
    auto entry = response.getEntry();
    if (!response.getFound() || entry.getKind() != Kind::FILE) {
      fuse_reply_err(request, response.getFound() ? EISDIR : ENOENT);
      co_return;
    }
    info.fh = ++mount.lastOpen;
    auto content = kj::heapArray<kj::byte>(entry.getContent());
    mount.open.emplace(info.fh, Open{path, kj::mv(content), entry.getBytes(), {}});
    if (fuse_reply_open(request, &info) != 0) mount.open.erase(info.fh);
  }
  static void openFile(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
    auto& mount = of(request);
    if ((info->flags & O_ACCMODE) != O_RDONLY) {
      fuse_reply_err(request, EROFS);
    } else {
      run(mount, request, openFile(request, mount, node, *info));
    }
  }

  static kj::Promise<void> readFile(
      fuse_req_t request, FuseMount& mount, uint64_t handle, size_t size, uint64_t offset) {
    auto& file = mount.open.at(handle);
    auto bytes = offset < file.size ? kj::min(size, file.size - offset) : 0;
    auto buffer = kj::heapArray<kj::byte>(bytes);
    auto error = co_await mount.read(
        {file.path, kj::heapArray(file.content.asPtr()), file.size, {}}, offset, buffer);
    if (error != 0) {
      fuse_reply_err(request, error);
    } else {
      fuse_reply_buf(request, buffer.asChars().begin(), buffer.size());
    }
  }
  static void readFile(
      fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
    auto& mount = of(request);
    run(mount, request, readFile(request, mount, info->fh, size, static_cast<uint64_t>(offset)));
  }

  static kj::Promise<void> openDirectory(
      fuse_req_t request, FuseMount& mount, fuse_ino_t node, fuse_file_info info) {
    Open directory;
    directory.path = mount.pathOf(node);
    auto error = co_await mount.readDirectory(directory);
    if (error != 0) {
      fuse_reply_err(request, error);
      co_return;
    }
    info.fh = ++mount.lastOpen;
    mount.open.emplace(info.fh, kj::mv(directory));
    if (fuse_reply_open(request, &info) != 0) mount.open.erase(info.fh);
  }
  static void openDirectory(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
    auto& mount = of(request);
    run(mount, request, openDirectory(request, mount, node, *info));
  }

  static void readDirectory(
      fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
    auto& entries = of(request).open.at(info->fh).entries;
    auto buffer = kj::heapArray<char>(size);
    size_t filled = 0;
    for (auto i = static_cast<size_t>(offset); i < entries.size(); ++i) {
      struct stat stat{};
      stat.st_ino = NO_NUMBER_YET;
      stat.st_mode = entries[i].second ? S_IFDIR : S_IFREG;
      auto needs = fuse_add_direntry(request, buffer.begin() + filled, size - filled,
          entries[i].first.c_str(), &stat, static_cast<off_t>(i + 1));
      if (needs > size - filled) break;
      filled += needs;
    }
    fuse_reply_buf(request, buffer.begin(), filled);
  }

  static void release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
    of(request).open.erase(info->fh);
    fuse_reply_err(request, 0);
  }

  static fuse_lowlevel_ops all() {
    fuse_lowlevel_ops all{};
    all.lookup = lookup;
    all.forget = forget;
    all.forget_multi = forgetMany;
    all.getattr = getattr;
    all.readlink = readlink;
    all.open = openFile;
    all.read = readFile;
    all.release = release;
    all.opendir = openDirectory;
    all.readdir = readDirectory;
    all.releasedir = release;
    return all;
  }
};

FuseMount::FuseMount(kj::UnixEventPort& events, local::Folders::Client foldersIn,
    std::string rootIn, const std::string& directory)
    : events(events),
      folders(kj::mv(foldersIn)),
      root(kj::mv(rootIn)),
      tasks(*this) {
  const char* words[] = {"hearth", "-o", "ro,fsname=hearth,subtype=hearth"};
  fuse_args arguments = FUSE_ARGS_INIT(3, const_cast<char**>(words));
  static const auto operations = Operations::all();
  session = fuse_session_new(&arguments, &operations, sizeof(operations), this);
  fuse_opt_free_args(&arguments);
  KJ_REQUIRE(session != nullptr, "libfuse does not begin");
  if (fuse_session_mount(session, directory.c_str()) != 0) {
    fuse_session_destroy(session);
    KJ_FAIL_REQUIRE(
        "it cannot be mounted there: is /dev/fuse there, and fusermount3 (package fuse3)?");
  }
  auto fd = fuse_session_fd(session);
  KJ_SYSCALL(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
  nodes.emplace(FUSE_ROOT_ID, Node{"", 1});
  numbers.emplace("", FUSE_ROOT_ID);
}

FuseMount::~FuseMount() noexcept(false) {
  fuse_session_unmount(session);
  fuse_session_destroy(session);
}

kj::Promise<void> FuseMount::serve() {
  kj::UnixEventPort::FdObserver observer(
      events, fuse_session_fd(session), kj::UnixEventPort::FdObserver::OBSERVE_READ);
  fuse_buf buffer{};
  KJ_DEFER(free(buffer.mem));
  while (fuse_session_exited(session) == 0) {
    auto received = fuse_session_receive_buf(session, &buffer);
    if (received == -EINTR) continue;
    if (received == -EAGAIN) {
      co_await observer.whenBecomesReadable();
      continue;
    }
    if (received <= 0) co_return;  // unmounted
    fuse_session_process_buf(session, &buffer);
  }
}

std::string FuseMount::pathOf(uint64_t node) const {
  auto found = nodes.find(node);
  KJ_REQUIRE(found != nodes.end(), "the kernel asks about what it has forgotten");
  return found->second.path;
}

uint64_t FuseMount::nodeOf(const std::string& path) {
  auto [number, isNew] = numbers.try_emplace(path, lastNode + 1);
  if (isNew) nodes.emplace(++lastNode, Node{path});
  ++nodes.at(number->second).lookups;
  return number->second;
}

void FuseMount::forget(uint64_t node, uint64_t lookups) {
  auto found = nodes.find(node);
  if (found == nodes.end() || node == FUSE_ROOT_ID) return;
  found->second.lookups -= kj::min(lookups, found->second.lookups);
  if (found->second.lookups > 0) return;
  numbers.erase(found->second.path);
  nodes.erase(found);
}

kj::Promise<int> FuseMount::readDirectory(Open& directory) {
  std::string after;
  for (bool more = true; more;) {
    auto request = folders.showRequest();
    request.setPath((root + directory.path).c_str());
    request.setAfter(after.c_str());
    auto response = co_await request.send();
    auto shown = response.getShown();
    if (shown.getEntry().getKind() != Kind::DIRECTORY) co_return ENOTDIR;
    for (auto entry: shown.getEntries()) {
      after = entry.getName().cStr();
      directory.entries.emplace_back(after, entry.getKind() == Kind::DIRECTORY);
    }
    more = shown.getMore();
  }
  co_return 0;
}

// Those that were used lately are remembered; one that failed is asked for again.
std::shared_ptr<FuseMount::Block> FuseMount::block(const Open& file, uint64_t number) {
  BlockName name{nameOf(file.content), number};
  used.remove(name);
  used.push_front(name);
  if (auto known = blocks.find(name); known != blocks.end() && known->second->error == 0)
    return known->second;
  auto request = folders.readRequest();
  request.setPath((root + file.path).c_str());
  request.setContent(file.content);
  request.setOffset(number * BLOCK_BYTES);
  request.setBytes(BLOCK_BYTES);
  auto block = std::make_shared<Block>();
  block->come = request.send()
                    .then(
                        [block = block.get()](auto&& response) {
                          block->error = errorOf(response.getHow());
                          block->bytes = kj::heapArray<kj::byte>(response.getBytes());
                        },
                        [block = block.get()](kj::Exception&&) { block->error = EIO; })
                    .fork();
  blocks[name] = block;
  while (used.size() > BLOCKS_MAX) {
    blocks.erase(used.back());
    used.pop_back();
  }
  return block;
}

kj::Promise<int> FuseMount::read(Open file, uint64_t offset, kj::ArrayPtr<kj::byte> out) {
  for (size_t filled = 0; filled < out.size();) {
    auto at = offset + filled;
    auto part = block(file, at / BLOCK_BYTES);
    co_await part->come.addBranch();
    if (part->error != 0) co_return part->error;
    auto begin = at % BLOCK_BYTES;
    if (begin >= part->bytes.size()) co_return EIO;
    auto bytes = kj::min(part->bytes.size() - begin, out.size() - filled);
    memcpy(out.begin() + filled, part->bytes.begin() + begin, bytes);
    filled += bytes;
  }
  co_return 0;
}

void FuseMount::taskFailed(kj::Exception&& e) { KJ_LOG(WARNING, "a mount", e.getDescription()); }

}  // namespace hearth::cli
