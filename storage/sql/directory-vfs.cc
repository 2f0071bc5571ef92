#include "storage/sql/directory-vfs.h"

#include <kj/debug.h>

#include <atomic>
#include <cstring>
#include <sqlcipher/sqlite3.h>

namespace hearth::storage {

namespace {

constexpr int PATHNAME_MAX = 255;
constexpr int SECTOR_BYTES = 4096;

// SQLite's calls may not throw: what KJ throws becomes an I/O error of the given kind.
template <typename Body>
int guarded(int failure, Body&& body) {
  int result = SQLITE_OK;
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { result = body(); })) {
    KJ_LOG(ERROR, "the disk failed", *e);
    return failure;
  }
  return result;
}

// Lives in memory that SQLite gives; `base` stands first, as SQLite demands.
struct OpenFile {
  sqlite3_file base;
  kj::Own<const kj::File> file;
};

DirectoryVfs& vfsOf(sqlite3_vfs* vfs) { return *static_cast<DirectoryVfs*>(vfs->pAppData); }
OpenFile& openFile(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }
const kj::File& fileOf(sqlite3_file* file) { return *openFile(file).file; }
kj::Path pathOf(const char* name) { return kj::Path(kj::str(name)); }

int closeFile(sqlite3_file* file) {
  return guarded(SQLITE_IOERR_CLOSE, [&]() {
    openFile(file).~OpenFile();
    return SQLITE_OK;
  });
}

int readFile(sqlite3_file* file, void* buffer, int amount, sqlite3_int64 offset) {
  return guarded(SQLITE_IOERR_READ, [&]() {
    auto out = kj::arrayPtr(static_cast<kj::byte*>(buffer), static_cast<size_t>(amount));
    auto got = fileOf(file).read(static_cast<uint64_t>(offset), out);
    if (got == out.size()) return SQLITE_OK;
    memset(out.begin() + got, 0, out.size() - got);  // SQLite wants what is missing as zeros
    return SQLITE_IOERR_SHORT_READ;
  });
}

int writeFile(sqlite3_file* file, const void* buffer, int amount, sqlite3_int64 offset) {
  return guarded(SQLITE_IOERR_WRITE, [&]() {
    auto in = kj::arrayPtr(static_cast<const kj::byte*>(buffer), static_cast<size_t>(amount));
    fileOf(file).write(static_cast<uint64_t>(offset), in);
    return SQLITE_OK;
  });
}

int truncateFile(sqlite3_file* file, sqlite3_int64 size) {
  return guarded(SQLITE_IOERR_TRUNCATE, [&]() {
    fileOf(file).truncate(static_cast<uint64_t>(size));
    return SQLITE_OK;
  });
}

int syncFile(sqlite3_file* file, int) {
  return guarded(SQLITE_IOERR_FSYNC, [&]() {
    fileOf(file).datasync();
    return SQLITE_OK;
  });
}

int fileSize(sqlite3_file* file, sqlite3_int64* size) {
  return guarded(SQLITE_IOERR_FSTAT, [&]() {
    *size = static_cast<sqlite3_int64>(fileOf(file).stat().size);
    return SQLITE_OK;
  });
}

// One process owns the directory (hearthd holds its lock), so locks say nothing new.
int lockFile(sqlite3_file*, int) { return SQLITE_OK; }
int checkReservedLock(sqlite3_file*, int* held) {
  *held = 0;
  return SQLITE_OK;
}
int fileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sectorSize(sqlite3_file*) { return SECTOR_BYTES; }
int deviceCharacteristics(sqlite3_file*) { return 0; }  // nothing is assumed of the disk

constexpr sqlite3_io_methods METHODS = {
    .iVersion = 1,  // no shared memory: WAL in exclusive mode only
    .xClose = &closeFile,
    .xRead = &readFile,
    .xWrite = &writeFile,
    .xTruncate = &truncateFile,
    .xSync = &syncFile,
    .xFileSize = &fileSize,
    .xLock = &lockFile,
    .xUnlock = &lockFile,
    .xCheckReservedLock = &checkReservedLock,
    .xFileControl = &fileControl,
    .xSectorSize = &sectorSize,
    .xDeviceCharacteristics = &deviceCharacteristics,
};

int openPath(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* outFlags) {
  file->pMethods = nullptr;
  if (name == nullptr) return SQLITE_CANTOPEN;  // temporary files stay in memory (temp_store)
  return guarded(SQLITE_CANTOPEN, [&]() {
    auto& directory = vfsOf(vfs).directory;
    auto path = pathOf(name);
    bool isNew = (flags & SQLITE_OPEN_CREATE) && !directory.exists(path);
    auto mode = kj::WriteMode::MODIFY;
    if (flags & SQLITE_OPEN_CREATE) mode = mode | kj::WriteMode::CREATE | kj::WriteMode::PRIVATE;
    KJ_IF_MAYBE(opened, directory.tryOpenFile(path, mode)) {
      if (isNew) directory.sync();  // the name itself must survive a crash
      new (&openFile(file)) OpenFile{{&METHODS}, kj::mv(*opened)};
      if (outFlags != nullptr) *outFlags = flags;
      return SQLITE_OK;
    }
    return SQLITE_CANTOPEN;
  });
}

int deletePath(sqlite3_vfs* vfs, const char* name, int syncDirectory) {
  return guarded(SQLITE_IOERR_DELETE, [&]() {
    auto& directory = vfsOf(vfs).directory;
    if (!directory.tryRemove(pathOf(name))) return SQLITE_IOERR_DELETE_NOENT;
    if (syncDirectory) directory.sync();
    return SQLITE_OK;
  });
}

int accessPath(sqlite3_vfs* vfs, const char* name, int, int* result) {
  return guarded(SQLITE_IOERR_ACCESS, [&]() {
    *result = vfsOf(vfs).directory.exists(pathOf(name));
    return SQLITE_OK;
  });
}

int fullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
  auto length = strlen(name);
  if (length + 1 > static_cast<size_t>(size)) return SQLITE_CANTOPEN;
  memcpy(out, name, length + 1);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int count, char* out) {
  vfsOf(vfs).entropy.fill(
      kj::arrayPtr(reinterpret_cast<kj::byte*>(out), static_cast<size_t>(count)));
  return count;
}

int sleepFor(sqlite3_vfs*, int) { return 0; }  // nobody to wait for: there is one connection

int currentTime(sqlite3_vfs* vfs, sqlite3_int64* out) {
  constexpr sqlite3_int64 UNIX_EPOCH_JULIAN_MS = 210'866'760'000'000;
  *out = UNIX_EPOCH_JULIAN_MS + (vfsOf(vfs).clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
  return SQLITE_OK;
}

kj::String uniqueName() {
  static std::atomic<uint64_t> serial = 0;  // SQLite's table of VFSs belongs to the process
  return kj::str("hearth-directory-", ++serial);
}

}  // namespace

DirectoryVfs::DirectoryVfs(const kj::Directory& directory, Entropy& entropy, const kj::Clock& clock)
    : directory(directory),
      entropy(entropy),
      clock(clock),
      vfsName(uniqueName()),
      vfs(kj::heap<sqlite3_vfs>()) {
  memset(vfs.get(), 0, sizeof(*vfs));
  vfs->iVersion = 2;
  vfs->szOsFile = sizeof(OpenFile);
  vfs->mxPathname = PATHNAME_MAX;
  vfs->zName = vfsName.cStr();
  vfs->pAppData = this;
  vfs->xOpen = &openPath;
  vfs->xDelete = &deletePath;
  vfs->xAccess = &accessPath;
  vfs->xFullPathname = &fullPathname;
  vfs->xRandomness = &randomness;
  vfs->xSleep = &sleepFor;
  vfs->xCurrentTimeInt64 = &currentTime;
  KJ_REQUIRE(sqlite3_vfs_register(vfs.get(), 0) == SQLITE_OK);
}

DirectoryVfs::~DirectoryVfs() noexcept(false) { sqlite3_vfs_unregister(vfs.get()); }

}  // namespace hearth::storage
