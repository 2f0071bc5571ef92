#include "simulator/disk/sim-disk.h"
#include "storage/blob/blob-files.h"
#include "storage/blob/padding.h"
#include "tests/storage/blob/luck.h"
#include "tests/storage/home.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::storage {
namespace {

using crypto::Buffer;
using crypto::Bytes;
using sim::SimDisk;

template <typename K>
K keyWith(kj::byte fill) {
  return K::make([fill](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), fill, out.size()); });
}

template <typename IdType>
IdType idWith(kj::byte fill) {
  IdType id;
  memset(id.bytes, fill, IdType::SIZE);
  return id;
}

struct Keys {
  crypto::CollectionKey wrapping;
  crypto::BlobNameKey naming;
  BlobKeys keys;

  explicit Keys(kj::byte fill = 1)
      : wrapping(keyWith<crypto::CollectionKey>(fill)),
        naming(keyWith<crypto::BlobNameKey>(static_cast<kj::byte>(fill + 1))),
        keys{wrapping, naming, idWith<crypto::CollectionId>(fill), idWith<EpochId>(fill)} {}
};

ContentId contentOf(kj::byte number) { return idWith<ContentId>(number); }

struct Shelf {
  SimDisk disk{
      sim::Chance(1)};  // KJ's own directory in memory waits for itself for ever in a rename
  SystemEntropy entropy;
  Keys keys;
  kj::Own<const kj::Directory> directory;
  BlobFiles files;

  Shelf(): directory(disk.directory()), files(*directory, entropy) {}
  explicit Shelf(const SimDisk::Files& found)
      : directory(withFiles(found)),
        files(*directory, entropy) {}
  explicit Shelf(kj::Own<const kj::Directory> in)
      : directory(kj::mv(in)),
        files(*directory, entropy) {}
  kj::Own<const kj::Directory> withFiles(const SimDisk::Files& found) {
    disk.restore(found);
    return disk.directory();
  }

  void put(kj::byte number, Bytes bytes, uint64_t paddedTo = 0) {
    auto writing = files.write(keys.keys, contentOf(number), kj::max(paddedTo, bytes.size()));
    writing->add(bytes);
    writing->commit();
  }
  BlobResult<Buffer> tryGet(kj::byte number, uint64_t size) {
    auto reader = files.open(keys.keys, contentOf(number), size);
    if (!reader) return std::unexpected(reader.error());
    auto out = kj::heapArray<kj::byte>(size);
    if (auto read = (*reader)->read(0, out); !read) return std::unexpected(read.error());
    return kj::mv(out);
  }
  kj::Path path(kj::byte number) const { return kj::Path(keys.keys.fileName(contentOf(number))); }
  kj::Own<const kj::File> file(kj::byte number) const {
    return directory->openFile(path(number), kj::WriteMode::MODIFY);
  }
  void flip(kj::byte number, uint64_t at) const {
    auto bytes = file(number)->readAllBytes();
    bytes[at] ^= 1;
    file(number)->writeAll(bytes);
  }
};

bool refused(const BlobResult<Buffer>& result) {
  return !result.has_value() && result.error().code == Errc::INTEGRITY_FAILED;
}

TEST_CASE("a blob at rest reads as it was written, whatever its size") {
  Shelf shelf;
  kj::byte number = 0;
  for (size_t size: {0, 1, 65'535, 65'536, 65'537, 300'000}) {
    auto bytes = randomBytes(size, size);
    shelf.put(++number, bytes);
    REQUIRE(shelf.tryGet(number, size).value() == bytes);
    REQUIRE(shelf.file(number)->stat().size == sealedBytes(size));
  }
}

TEST_CASE("any range of a blob reads alone, in any order") {
  Shelf shelf;
  auto bytes = randomBytes(1'000'000, 1);
  shelf.put(1, bytes);
  auto reader = shelf.files.open(shelf.keys.keys, contentOf(1), bytes.size()).value();
  std::mt19937_64 luck(1);
  for (int i = 0; i < 200; ++i) {
    auto begin = luck() % bytes.size();
    auto out = kj::heapArray<kj::byte>(luck() % kj::min(200'000ul, bytes.size() - begin));
    REQUIRE(reader->read(begin, out).has_value());
    REQUIRE(out == bytes.slice(begin, begin + out.size()));
  }
}

TEST_CASE("a damaged chunk fails alone: those that are not asked for are not opened") {
  Shelf shelf;
  auto bytes = randomBytes(500'000, 2);
  shelf.put(1, bytes);
  auto chunk = SEALED_CHUNK_BYTES + crypto::SecretStream::MORE_BYTES;
  shelf.flip(1, SealedHeader::ENCODED_BYTES + 3 * chunk + 50);
  auto reader = shelf.files.open(shelf.keys.keys, contentOf(1), bytes.size()).value();
  kj::byte out[100];
  REQUIRE(reader->read(5 * SEALED_CHUNK_BYTES, out).has_value());
  REQUIRE(reader->read(0, out).has_value());
  REQUIRE(reader->read(3 * SEALED_CHUNK_BYTES, out).error().code == Errc::INTEGRITY_FAILED);
  REQUIRE(reader->read(4 * SEALED_CHUNK_BYTES, out).has_value());
}

TEST_CASE("T31: a changed byte anywhere in a blob's file is found and names collection and blob") {
  Shelf shelf;
  constexpr size_t SIZE = 70'000;
  shelf.put(1, randomBytes(SIZE, 3));
  auto whole = shelf.file(1)->readAllBytes();
  auto id = blobId(shelf.keys.keys.collection, contentOf(1));
  for (size_t at = 0; at < whole.size(); at += at < 200 ? 1 : 997) {
    CAPTURE(at);
    auto changed = kj::heapArray<kj::byte>(whole);
    changed[at] ^= 0x10;
    shelf.file(1)->writeAll(changed);
    auto result = shelf.tryGet(1, SIZE);
    REQUIRE(refused(result));
    REQUIRE(result.error().item == id);
    REQUIRE(result.error().collection == shelf.keys.keys.collection);
  }
  shelf.file(1)->writeAll(whole);
  REQUIRE(shelf.tryGet(1, SIZE).has_value());
}

TEST_CASE("what is told of a damaged blob names it and tells nothing of its content") {
  Shelf shelf;
  shelf.put(1, randomBytes(100, 3));
  shelf.flip(1, 160);
  auto told = kj::str(shelf.tryGet(1, 100).error());
  auto id = blobId(shelf.keys.keys.collection, contentOf(1));
  REQUIRE(told ==
      kj::str("IntegrityFailed: a chunk that does not open (collection 01010101, blob ", id, ")"));
}

TEST_CASE(
    "T31: a blob's file that was cut, made longer, exchanged, dropped or comes from elsewhere is refused") {
  Shelf shelf;
  constexpr size_t SIZE = 200'000;
  shelf.put(1, randomBytes(SIZE, 4));
  shelf.put(2, randomBytes(SIZE, 5));
  auto whole = shelf.file(1)->readAllBytes();

  shelf.file(1)->truncate(whole.size() - 1);
  REQUIRE(refused(shelf.tryGet(1, SIZE)));
  shelf.file(1)->truncate(100);
  REQUIRE(refused(shelf.tryGet(1, SIZE)));
  shelf.file(1)->writeAll(whole);
  shelf.file(1)->write(whole.size(), "x"_kj.asBytes());
  REQUIRE(refused(shelf.tryGet(1, SIZE)));
  shelf.file(1)->writeAll(shelf.file(2)->readAllBytes());
  REQUIRE(refused(shelf.tryGet(1, SIZE)));
  REQUIRE(shelf.directory->tryRemove(shelf.path(1)));
  REQUIRE(refused(shelf.tryGet(1, SIZE)));
  REQUIRE(shelf.tryGet(2, SIZE).has_value());
}

TEST_CASE("T31: an older file of the same blob cannot lend a chunk to a newer one") {
  Shelf shelf;
  constexpr size_t SIZE = 200'000;
  auto bytes = randomBytes(SIZE, 6);
  shelf.put(1, bytes);
  auto older = shelf.file(1)->readAllBytes();
  shelf.put(1, bytes);
  auto newer = shelf.file(1)->readAllBytes();
  auto end = SealedHeader::ENCODED_BYTES + SEALED_CHUNK_BYTES + crypto::SecretStream::MORE_BYTES;
  memcpy(newer.begin() + SealedHeader::ENCODED_BYTES, older.begin() + SealedHeader::ENCODED_BYTES,
      end - SealedHeader::ENCODED_BYTES);
  shelf.file(1)->writeAll(newer);
  REQUIRE(refused(shelf.tryGet(1, SIZE)));
}

TEST_CASE("chunks that change places within a file are refused") {
  Shelf shelf;
  constexpr size_t SIZE = 200'000;
  shelf.put(1, randomBytes(SIZE, 7));
  auto bytes = shelf.file(1)->readAllBytes();
  auto chunk = SEALED_CHUNK_BYTES + crypto::SecretStream::MORE_BYTES;
  auto first = bytes.begin() + SealedHeader::ENCODED_BYTES;
  std::swap_ranges(first, first + chunk, first + chunk);
  shelf.file(1)->writeAll(bytes);
  REQUIRE(refused(shelf.tryGet(1, SIZE)));
}

TEST_CASE("keys of another collection or epoch open nothing") {
  Shelf shelf;
  shelf.put(1, randomBytes(1'000, 8));
  auto path = shelf.path(1);
  Keys other(7);
  auto opened = [&](const crypto::CollectionKey& wrapping, kj::byte collection, kj::byte epoch) {
    BlobKeys keys{wrapping, shelf.keys.naming, idWith<crypto::CollectionId>(collection),
        idWith<EpochId>(epoch)};
    return SealedReader::open(shelf.directory->openFile(path), keys, contentOf(1), 1'000)
        .has_value();
  };
  REQUIRE(opened(shelf.keys.wrapping, 1, 1));
  REQUIRE(!opened(other.wrapping, 1, 1));
  REQUIRE(!opened(shelf.keys.wrapping, 7, 1));
  REQUIRE(!opened(shelf.keys.wrapping, 1, 7));
}

TEST_CASE("a padded file has a padded size, and the blob in front of the zeros") {
  Shelf shelf;
  auto bytes = randomBytes(70'001, 9);
  auto size = padded(bytes.size());
  REQUIRE(size > bytes.size());
  shelf.put(1, bytes, size);
  REQUIRE(shelf.file(1)->stat().size == sealedBytes(size));
  auto got = shelf.tryGet(1, size).value();
  REQUIRE(got.slice(0, bytes.size()) == bytes);
  for (auto byte: got.slice(bytes.size(), size)) REQUIRE(byte == 0);
}

TEST_CASE("what was shredded does not open any more, even where somebody still has the file open") {
  Shelf shelf;
  shelf.put(1, randomBytes(1'000, 10));
  auto kept = shelf.directory->openFile(shelf.path(1));
  REQUIRE(SealedReader::open(kept->clone(), shelf.keys.keys, contentOf(1), 1'000).has_value());
  REQUIRE(shelf.files.shred(shelf.keys.keys.fileName(contentOf(1))));
  REQUIRE(kept->stat().size == sealedBytes(1'000));
  auto opened = SealedReader::open(kept->clone(), shelf.keys.keys, contentOf(1), 1'000);
  REQUIRE(opened.error().because == "a key that does not open"_kj);
  REQUIRE(!shelf.directory->exists(shelf.path(1)));
  REQUIRE(!shelf.files.shred(shelf.keys.keys.fileName(contentOf(1))));
}

TEST_CASE("a blob that is given up leaves nothing") {
  Shelf shelf;
  shelf.files.write(shelf.keys.keys, contentOf(1), 10'000)->add(randomBytes(5'000, 11));
  REQUIRE(shelf.directory->listNames().size() == 0);
}

TEST_CASE("what somebody else has left under the name of an unfinished file is not written into") {
  Shelf shelf;
  auto name = kj::Path(kj::str(shelf.path(1).toString(), ".part"));
  auto foreign = shelf.directory->openFile(name, kj::WriteMode::CREATE);
  foreign->writeAll("somebody else's"_kj);
  REQUIRE_THROWS(shelf.put(1, randomBytes(1'000, 12)));
  REQUIRE(foreign->readAllText() == "somebody else's"_kj);
  REQUIRE(shelf.directory->exists(name));
}

TEST_CASE(
    "once a blob is on disk, what comes under the name that its file had before is left alone") {
  Shelf shelf;
  auto name = kj::Path(kj::str(shelf.path(1).toString(), ".part"));
  auto first = shelf.files.write(shelf.keys.keys, contentOf(1), 4);
  first->add("blob"_kj.asBytes());
  first->commit();
  auto second = shelf.files.write(shelf.keys.keys, contentOf(1), 4);
  first = nullptr;
  REQUIRE(shelf.directory->exists(name));
}

TEST_CASE(
    "a blob that is received goes on where it was left, and reads in the end as one that was written at once") {
  Shelf shelf;
  auto bytes = randomBytes(300'000, 13);
  auto first = shelf.files.receive(shelf.keys.keys, contentOf(1), bytes.size());
  REQUIRE(first->written() == 0);
  first->add(bytes.slice(0, 200'000));
  first = nullptr;
  auto second = shelf.files.receive(shelf.keys.keys, contentOf(1), bytes.size());
  REQUIRE(second->written() == 3 * SEALED_CHUNK_BYTES);
  second->add(bytes.slice(second->written(), bytes.size()));
  second->commit();
  REQUIRE(shelf.tryGet(1, bytes.size()).value() == bytes);
  REQUIRE(shelf.directory->listNames().size() == 1);
}

TEST_CASE("of a blob that is received what the disk has lost or damaged is received again") {
  Shelf shelf;
  auto bytes = randomBytes(400'000, 14);
  auto half = kj::Path(kj::str(shelf.path(1).toString(), ".fetch"));
  for (uint64_t damage: {10ul, SealedHeader::ENCODED_BYTES + 70'000, 390'000ul}) {
    shelf.files.receive(shelf.keys.keys, contentOf(1), bytes.size())->add(bytes);
    auto file = shelf.directory->openFile(half, kj::WriteMode::MODIFY);
    auto content = file->readAllBytes();
    content[damage] ^= 1;
    file->writeAll(content);
    auto again = shelf.files.receive(shelf.keys.keys, contentOf(1), bytes.size());
    REQUIRE(again->written() <= damage);
    REQUIRE(again->written() + 2 * SEALED_CHUNK_BYTES + 200 > kj::min(damage, bytes.size()));
    again->add(bytes.slice(again->written(), bytes.size()));
    again->commit();
    REQUIRE(shelf.tryGet(1, bytes.size()).value() == bytes);
  }
}

TEST_CASE("a blob's file shows neither its bytes nor its content id") {
  Shelf shelf;
  auto planted = "planted plaintext that nobody else writes"_kj;
  shelf.put(1, planted.asBytes());
  auto name = shelf.path(1)[0];
  auto file = shelf.file(1)->readAllBytes();
  std::string bytes(file.asChars().begin(), file.size());
  REQUIRE(bytes.find(planted.cStr()) == std::string::npos);
  REQUIRE(bytes.find(std::string(32, '\1')) != std::string::npos);  // the epoch, in clear
  REQUIRE(name != kj::encodeHex(contentOf(1).asBytes()));
}

// Crashes

struct Crash {
  SimDisk::Files files;
  int committed;
};

constexpr size_t CRASH_BYTES = 90'000;

// Five blobs one after the other, and the first one shredded.
template <typename At>
std::vector<Crash> crashesAlong(At at) {
  SimDisk disk{sim::Chance(1)};
  std::vector<Crash> crashes;
  int committed = 0;
  at(disk, crashes, committed);
  Shelf shelf(disk.directory());
  for (int i = 1; i <= 5; ++i) {
    shelf.put(static_cast<kj::byte>(i), randomBytes(CRASH_BYTES, static_cast<uint64_t>(i)));
    committed = i;
    disk.beforeSync();
  }
  disk.beforeWrite = []() {};
  disk.beforeSync = []() {};
  return crashes;
}

void holdsAfter(const Crash& crash) {
  Shelf shelf(crash.files);
  REQUIRE(shelf.directory->listNames().size() + shelf.files.leftovers() == crash.files.size());
  size_t there = 0;
  for (int i = 1; i <= 5; ++i) {
    auto number = static_cast<kj::byte>(i);
    if (!shelf.directory->exists(shelf.path(number))) {
      REQUIRE(i > crash.committed);
      continue;
    }
    ++there;
    REQUIRE(shelf.tryGet(number, CRASH_BYTES).value() ==
        randomBytes(CRASH_BYTES, static_cast<uint64_t>(i)));
  }
  REQUIRE(there == shelf.directory->listNames().size());
}

TEST_CASE("a power cut at any sync leaves no half blob and loses none that was committed") {
  auto crashes = crashesAlong([](SimDisk& disk, auto& crashes, int& committed) {
    disk.beforeSync = [&]() { crashes.push_back({disk.afterPowerCut(), committed}); };
  });
  REQUIRE(crashes.size() >= 15);
  for (auto& crash: crashes) holdsAfter(crash);
}

TEST_CASE("a kill at any write leaves no half blob, and what is left over is removed") {
  auto crashes = crashesAlong([](SimDisk& disk, auto& crashes, int& committed) {
    disk.beforeWrite = [&]() { crashes.push_back({disk.contents(), committed}); };
  });
  REQUIRE(crashes.size() >= 15);
  size_t halves = 0;
  for (auto& crash: crashes) {
    for (auto& [name, content]: crash.files) halves += name.ends_with(".part");
    holdsAfter(crash);
  }
  REQUIRE(halves >= 5);
}

TEST_CASE("a disk that is full takes no blob and keeps those that it has") {
  SimDisk disk{sim::Chance(1)};
  Shelf shelf(disk.directory());
  shelf.put(1, randomBytes(1'000, 1));
  disk.full = true;
  REQUIRE_THROWS(shelf.put(2, randomBytes(1'000, 2)));
  REQUIRE(disk.refused > 0);
  disk.full = false;
  REQUIRE(shelf.directory->listNames().size() == 1);
  REQUIRE(shelf.tryGet(1, 1'000).has_value());
}

// A directory on the real disk, until the end of the test.
struct DiskFolder {
  char path[32] = "/tmp/hearth-blobs-XXXXXX";
  kj::Own<kj::Filesystem> filesystem = kj::newDiskFilesystem();

  DiskFolder() { KJ_REQUIRE(mkdtemp(path) != nullptr); }
  ~DiskFolder() noexcept(false) { filesystem->getRoot().tryRemove(inRoot()); }
  kj::Path inRoot() const { return kj::Path(nullptr).evalNative(path); }
  kj::Own<const kj::Directory> open() const {
    return filesystem->getRoot().openSubdir(inRoot(), kj::WriteMode::MODIFY);
  }
};

[[noreturn]] void writeUntilKilled(kj::Own<const kj::Directory> directory, int report) {
  Shelf shelf(kj::mv(directory));
  for (int i = 1;; i = i % 250 + 1) {
    shelf.put(static_cast<kj::byte>(i), randomBytes(CRASH_BYTES, static_cast<uint64_t>(i)));
    if (write(report, "w", 1) != 1) _exit(1);
  }
}

TEST_CASE("kill -9 of a process that writes blobs leaves no half one at any name") {
  auto enough = GENERATE(range(0, 10));
  DiskFolder folder;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  auto child = fork();
  if (child == 0) writeUntilKilled(folder.open(), ends[1]);
  close(ends[1]);
  char byte;
  size_t committed = 0;
  while (committed < static_cast<size_t>(enough) && read(ends[0], &byte, 1) == 1) ++committed;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  while (read(ends[0], &byte, 1) == 1) ++committed;
  close(ends[0]);
  REQUIRE(committed >= static_cast<size_t>(enough));

  Shelf shelf(folder.open());
  auto names = shelf.directory->listNames();
  REQUIRE(names.size() >= committed);
  REQUIRE(names.size() <= committed + 1);
  for (size_t i = 1; i <= names.size(); ++i)
    REQUIRE(
        shelf.tryGet(static_cast<kj::byte>(i), CRASH_BYTES).value() == randomBytes(CRASH_BYTES, i));
}

}  // namespace
}  // namespace hearth::storage
