#include "storage/sql/directory-vfs.h"

#include <kj/debug.h>

#include <cstring>
#include <new>
#include <sqlcipher/sqlite3.h>
#include <sys/file.h>

namespace hearth::storage {

namespace {

constexpr int SECTOR_BYTES = 4096;

// SQLite's calls may not throw: what KJ throws becomes the given failure; a full disk has its own.
template <typename Body>
int guarded(int failure, Body&& body) {
  int result = SQLITE_OK;
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { result = body(); })) {
    KJ_LOG(ERROR, "the disk failed", *e);
    return e->getType() == kj::Exception::Type::OVERLOADED ? SQLITE_FULL : failure;
  }
  return result;
}

// SQLite allocates it and calls open and close; the base comes first, as SQLite demands.
struct OpenFile: sqlite3_file {
  kj::Own<const kj::File> file;
  DirectoryVfs* vfs;
  std::string name;
  // Its name may not be on disk: whoever made it may have been killed before it synced that.
  bool isLoose;
  bool deleteOnClose;
  bool locked;
};

OpenFile& of(sqlite3_file* file) { return *static_cast<OpenFile*>(file); }

// A database lies in its directory and nowhere else.
kj::Path pathOf(const char* name) { return kj::Path(kj::str(name)); }

}  // namespace

struct VfsCalls {
  static DirectoryVfs& of(sqlite3_vfs* vfs) { return *static_cast<DirectoryVfs*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* granted);
  static int remove(sqlite3_vfs* vfs, const char* name, int syncDirectory);
  static int access(sqlite3_vfs* vfs, const char* name, int flags, int* answer);
  static int fullPathname(sqlite3_vfs*, const char* name, int room, char* out);
  static int randomness(sqlite3_vfs* vfs, int count, char* out);
  static int currentTime(sqlite3_vfs* vfs, sqlite3_int64* julianMs);
  static int currentTimeDays(sqlite3_vfs* vfs, double* julianDays);

  static int close(sqlite3_file* file);
  static int read(sqlite3_file* file, void* out, int count, sqlite3_int64 offset);
  static int write(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset);
  static int truncate(sqlite3_file* file, sqlite3_int64 size);
  static int sync(sqlite3_file* file, int flags);
  static int size(sqlite3_file* file, sqlite3_int64* out);
  static int lock(sqlite3_file* file, int level);
  static int unlock(sqlite3_file* file, int level);
  static int control(sqlite3_file* file, int what, void* argument);

  static const sqlite3_io_methods FILE_CALLS;
};

int VfsCalls::open(
    sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* granted) {
  file->pMethods = nullptr;                     // close is not called for a file that did not open
  if (name == nullptr) return SQLITE_CANTOPEN;  // a temporary file: those stay in memory
  return guarded(SQLITE_CANTOPEN, [&]() -> int {
    auto& self = of(vfs);
    auto path = pathOf(name);
    bool existed = self.directory.exists(path);
    auto mode = kj::WriteMode::MODIFY;
    if (flags & SQLITE_OPEN_CREATE) mode = mode | kj::WriteMode::CREATE | kj::WriteMode::PRIVATE;
    if (existed && (flags & SQLITE_OPEN_EXCLUSIVE)) return SQLITE_CANTOPEN;
    KJ_IF_MAYBE(opened, self.directory.tryOpenFile(path, mode)) {
      new (file) OpenFile{{&FILE_CALLS}, kj::mv(*opened), &self, name, true,
          (flags & SQLITE_OPEN_DELETEONCLOSE) != 0, false};
      if (granted != nullptr) *granted = flags;
      return SQLITE_OK;
    }
    return SQLITE_CANTOPEN;
  });
}

int VfsCalls::remove(sqlite3_vfs* vfs, const char* name, int syncDirectory) {
  return guarded(SQLITE_IOERR_DELETE, [&]() -> int {
    auto& directory = of(vfs).directory;
    if (!directory.tryRemove(pathOf(name))) return SQLITE_IOERR_DELETE_NOENT;
    if (syncDirectory) directory.sync();
    return SQLITE_OK;
  });
}

int VfsCalls::access(sqlite3_vfs* vfs, const char* name, int, int* answer) {
  return guarded(SQLITE_IOERR_ACCESS, [&]() {
    *answer = of(vfs).directory.exists(pathOf(name));
    return SQLITE_OK;
  });
}

// A name is its own full path: the directory is the root.
int VfsCalls::fullPathname(sqlite3_vfs*, const char* name, int room, char* out) {
  auto length = strlen(name);
  if (length >= static_cast<size_t>(room)) return SQLITE_CANTOPEN;
  memcpy(out, name, length + 1);
  return SQLITE_OK;
}

int VfsCalls::randomness(sqlite3_vfs* vfs, int count, char* out) {
  of(vfs).entropy.fill(kj::arrayPtr(reinterpret_cast<kj::byte*>(out), count));
  return count;
}

int VfsCalls::currentTime(sqlite3_vfs* vfs, sqlite3_int64* julianMs) {
  constexpr sqlite3_int64 UNIX_EPOCH_JULIAN_MS = 210'866'760'000'000;
  *julianMs = UNIX_EPOCH_JULIAN_MS + (of(vfs).clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
  return SQLITE_OK;
}

int VfsCalls::currentTimeDays(sqlite3_vfs* vfs, double* julianDays) {
  sqlite3_int64 ms = 0;
  currentTime(vfs, &ms);
  *julianDays = static_cast<double>(ms) / 86'400'000.0;
  return SQLITE_OK;
}

int VfsCalls::close(sqlite3_file* file) {
  auto& open = storage::of(file);
  unlock(file, SQLITE_LOCK_NONE);
  auto result = guarded(SQLITE_IOERR_CLOSE, [&]() {
    if (open.deleteOnClose) open.vfs->directory.tryRemove(pathOf(open.name.c_str()));
    open.file = nullptr;
    return SQLITE_OK;
  });
  open.~OpenFile();
  return result;
}

int VfsCalls::read(sqlite3_file* file, void* out, int count, sqlite3_int64 offset) {
  return guarded(SQLITE_IOERR_READ, [&]() {
    auto room = kj::arrayPtr(static_cast<kj::byte*>(out), count);
    auto got = storage::of(file).file->read(offset, room);
    memset(room.begin() + got, 0, room.size() - got);
    return got == room.size() ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  });
}

int VfsCalls::write(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset) {
  return guarded(SQLITE_IOERR_WRITE, [&]() {
    storage::of(file).file->write(offset, kj::arrayPtr(static_cast<const kj::byte*>(data), count));
    return SQLITE_OK;
  });
}

int VfsCalls::truncate(sqlite3_file* file, sqlite3_int64 size) {
  return guarded(SQLITE_IOERR_TRUNCATE, [&]() {
    storage::of(file).file->truncate(size);
    return SQLITE_OK;
  });
}

// A new file is durable when its directory entry is, too.
int VfsCalls::sync(sqlite3_file* file, int) {
  return guarded(SQLITE_IOERR_FSYNC, [&]() {
    auto& open = storage::of(file);
    open.file->datasync();
    if (open.isLoose) open.vfs->directory.sync();
    open.isLoose = false;
    return SQLITE_OK;
  });
}

int VfsCalls::size(sqlite3_file* file, sqlite3_int64* out) {
  return guarded(SQLITE_IOERR_FSTAT, [&]() {
    *out = static_cast<sqlite3_int64>(storage::of(file).file->stat().size);
    return SQLITE_OK;
  });
}

// Every level is exclusive: there are no other readers. On a disk the file's lock also keeps other
// processes out.
int VfsCalls::lock(sqlite3_file* file, int) {
  auto& open = storage::of(file);
  if (open.locked) return SQLITE_OK;
  if (!open.vfs->lock(open.name)) return SQLITE_BUSY;
  KJ_IF_MAYBE(fd, open.file->getFd()) {
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
      open.vfs->unlock(open.name);
      return SQLITE_BUSY;
    }
  }
  open.locked = true;
  return SQLITE_OK;
}

int VfsCalls::unlock(sqlite3_file* file, int level) {
  auto& open = storage::of(file);
  if (level != SQLITE_LOCK_NONE || !open.locked) return SQLITE_OK;
  KJ_IF_MAYBE(fd, open.file->getFd()) {
    flock(*fd, LOCK_UN);
  }
  open.vfs->unlock(open.name);
  open.locked = false;
  return SQLITE_OK;
}

int VfsCalls::control(sqlite3_file*, int what, void* argument) {
  if (what != SQLITE_FCNTL_MMAP_SIZE) return SQLITE_NOTFOUND;
  *static_cast<sqlite3_int64*>(argument) = 0;  // nothing is ever mapped
  return SQLITE_OK;
}

const sqlite3_io_methods VfsCalls::FILE_CALLS = {
    .iVersion = 1,  // no shared memory
    .xClose = &close,
    .xRead = &read,
    .xWrite = &write,
    .xTruncate = &truncate,
    .xSync = &sync,
    .xFileSize = &size,
    .xLock = &lock,
    .xUnlock = &unlock,
    .xCheckReservedLock = [](sqlite3_file*, int* out) { return *out = 0, SQLITE_OK; },
    .xFileControl = &control,
    .xSectorSize = [](sqlite3_file*) { return SECTOR_BYTES; },
    // Nothing is promised: a write that is torn may hurt the bytes beside it.
    .xDeviceCharacteristics = [](sqlite3_file*) { return 0; },
};

DirectoryVfs::DirectoryVfs(const kj::Directory& directory, Entropy& entropy, const kj::Clock& clock)
    : directory(directory),
      entropy(entropy),
      clock(clock),
      registeredName(kj::str("hearth-", kj::hex(reinterpret_cast<uintptr_t>(this)))),
      vfs(std::make_unique<sqlite3_vfs>(sqlite3_vfs{
          .iVersion = 2,
          .szOsFile = sizeof(OpenFile),
          .mxPathname = NAME_BYTES_MAX,
          .zName = registeredName.cStr(),
          .pAppData = this,
          .xOpen = &VfsCalls::open,
          .xDelete = &VfsCalls::remove,
          .xAccess = &VfsCalls::access,
          .xFullPathname = &VfsCalls::fullPathname,
          .xRandomness = &VfsCalls::randomness,
          // Nobody waits: there is one connection.
          .xSleep = [](sqlite3_vfs*, int) { return 0; },
          .xCurrentTime = &VfsCalls::currentTimeDays,
          .xGetLastError = [](sqlite3_vfs*, int, char*) { return 0; },
          .xCurrentTimeInt64 = &VfsCalls::currentTime,
      })) {
  auto registered = sqlite3_vfs_register(vfs.get(), 0);
  KJ_ASSERT(registered == SQLITE_OK, registered);
}

DirectoryVfs::~DirectoryVfs() noexcept(false) { sqlite3_vfs_unregister(vfs.get()); }

bool DirectoryVfs::lock(const std::string& file) {
  return locked.lockExclusive()->insert(file).second;
}

void DirectoryVfs::unlock(const std::string& file) { locked.lockExclusive()->erase(file); }

}  // namespace hearth::storage
