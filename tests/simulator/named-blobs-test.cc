// Blobs that people put and name, on simulated devices whose disks tell what is on them.

#include "tests/simulator/paired-home.h"
#include "tests/simulator/put-blob.h"
#include "tests/storage/blob/luck.h"

#include <catch2/catch_test_macros.hpp>
#include <optional>

namespace hearth::sim {
namespace {

using crypto::Buffer;
using devices::BlobNames;
using devices::Blobs;
using storage::BlobRef;

constexpr auto S = kj::SECONDS;

// What a person asks of the blobs of a device, and what came of it.
struct Asked {
  std::optional<Result<void>> ended;
  std::string failed;
  kj::Promise<void> promise = nullptr;

  bool isDone() const { return ended && ended->has_value(); }
  Errc error() const { return ended->error().code; }
};

struct Couple: Home {
  Device &phone = world.device("phone"), &laptop = world.device("laptop");

  Couple(): Home(1) {}

  Blobs& blobs(Device& device) { return KJ_ASSERT_NONNULL(device.node()).data().blobs(); }
  void run(kj::Duration span) { world.run(span); }

  kj::Own<Asked> ask(kj::Promise<Result<void>> promise) {
    auto asked = kj::heap<Asked>();
    auto& out = *asked;
    asked->promise = promise
                         .then([&out](Result<void> how) { out.ended = how; },
                             [&out](kj::Exception&& e) { out.failed = e.getDescription().cStr(); })
                         .eagerlyEvaluate(nullptr);
    return asked;
  }
  bool goesWell(kj::Promise<Result<void>> promise, kj::Duration within = 60 * S) {
    auto asked = ask(kj::mv(promise));
    run(within);
    return asked->isDone();
  }

  kj::Promise<Result<void>> put(Device& device, std::string name, crypto::Bytes bytes) {
    return putBlob(blobs(device), kj::mv(name), kj::heapArray<kj::byte>(bytes));
  }

  kj::Maybe<Blobs::View> find(Device& device, std::string name) {
    kj::Maybe<Blobs::View> found;
    auto promise = blobs(device)
                       .find(name)
                       .then([&](auto view) {
                         if (view) found = kj::mv(*view);
                       })
                       .eagerlyEvaluate(nullptr);
    run(1 * S);
    return found;
  }
  BlobRef refOf(Device& device, std::string name) {
    return KJ_ASSERT_NONNULL(find(device, name)).ref;
  }

  Buffer read(Device& device, const BlobRef& ref) {
    auto all = kj::heapArray<kj::byte>(ref.top.length);
    for (size_t at = 0; at < all.size(); at += BLOB_PIECE_BYTES) {
      auto size = kj::min(BLOB_PIECE_BYTES, all.size() - at);
      std::string failed;
      auto promise =
          blobs(device)
              .read(ref, at, size)
              .then([&](auto piece) { memcpy(all.begin() + at, piece.value().begin(), size); })
              .eagerlyEvaluate([&](kj::Exception&& e) { failed = e.getDescription().cStr(); });
      run(1 * S);
      REQUIRE(failed == "");
    }
    return all;
  }

  static size_t blobFiles(Device& device) {
    size_t count = 0;
    for (auto& [name, content]: device.disk.contents()) count += name.starts_with("blobs/");
    return count;
  }
};

TEST_CASE("a blob that was put is known everywhere by name, and comes to whoever gets it") {
  Couple home;
  for (size_t size: {0, 4'000, 3 << 20}) {
    auto bytes = storage::randomBytes(size, size);
    auto name = "blob of " + std::to_string(size);
    REQUIRE(home.goesWell(home.put(home.phone, name, bytes)));
    auto seen = KJ_ASSERT_NONNULL(home.find(home.laptop, name));
    REQUIRE(seen.ref.top.length == size);
    REQUIRE(!seen.isHere);
    REQUIRE(seen.holders.size() == 1);
    REQUIRE(home.goesWell(home.blobs(home.laptop).fetch(seen.ref)));
    REQUIRE(home.read(home.laptop, seen.ref) == bytes);
    auto after = KJ_ASSERT_NONNULL(home.find(home.phone, name));
    REQUIRE(after.holders.size() == 2);
    REQUIRE(after.holders[KJ_ASSERT_NONNULL(home.laptop.id())] == BlobNames::Has::COPY);
  }
  REQUIRE(home.world.errors().empty());
}

TEST_CASE("a blob is here after a restart, and is named by its content as well") {
  Couple home;
  auto bytes = storage::randomBytes(500'000, 1);
  REQUIRE(home.goesWell(home.put(home.phone, "photo", bytes)));
  auto id =
      std::string(kj::encodeHex(home.refOf(home.phone, "photo").contentId().asBytes()).cStr());
  home.phone.kill();
  home.phone.start();
  home.run(10 * S);
  REQUIRE(home.read(home.phone, home.refOf(home.phone, id.substr(0, 8))) == bytes);
  REQUIRE(home.find(home.phone, id.substr(0, 7)) == nullptr);
}

TEST_CASE("a name that is taken is refused, and what was put under it is not kept") {
  Couple home;
  REQUIRE(home.goesWell(home.put(home.phone, "photo", storage::randomBytes(500'000, 1))));
  auto files = home.blobFiles(home.phone);
  auto second = home.ask(home.put(home.phone, "photo", storage::randomBytes(500'000, 2)));
  home.run(10 * S);
  REQUIRE(second->error() == Errc::BAD_FORMAT);
  REQUIRE(home.blobFiles(home.phone) == files);
  REQUIRE(home.goesWell(home.put(home.phone, "photo", storage::randomBytes(500'000, 1))));
}

TEST_CASE("no more blobs are put at once than the limit says") {
  Couple home;
  auto& blobs = home.blobs(home.phone);
  std::vector<Blobs::PutNumber> puts;
  for (size_t i = 0; i < Blobs::PUTS_MAX; ++i) puts.push_back(blobs.beginToPut().value());
  REQUIRE(blobs.beginToPut().error().code == Errc::BUSY);
  blobs.giveUp(puts.front());
  REQUIRE(blobs.beginToPut().has_value());
}

TEST_CASE("what is removed is shredded on every device, once nothing else is called so") {
  Couple home;
  auto bytes = storage::randomBytes(500'000, 3);
  REQUIRE(home.goesWell(home.put(home.phone, "photo", bytes)));
  REQUIRE(home.goesWell(home.put(home.phone, "same photo", bytes)));
  auto ref = home.refOf(home.phone, "photo");
  REQUIRE(home.goesWell(home.blobs(home.laptop).fetch(ref)));
  REQUIRE(home.blobFiles(home.laptop) == 1);
  REQUIRE(home.goesWell(home.blobs(home.laptop).remove("photo")));
  REQUIRE(home.blobFiles(home.laptop) == 1);
  REQUIRE(home.goesWell(home.blobs(home.laptop).remove("same photo")));
  REQUIRE(home.blobFiles(home.laptop) == 0);
  REQUIRE(home.blobFiles(home.phone) == 0);
  REQUIRE(home.goesWell(home.put(home.phone, "photo", bytes)));
  home.phone.kill();
  home.phone.start();
  home.run(10 * S);
  REQUIRE(home.read(home.phone, ref) == bytes);
}

TEST_CASE("a fetch that a kill has cut goes on behind what is on disk") {
  Couple home;
  auto bytes = storage::randomBytes(12 << 20, 4);
  REQUIRE(home.goesWell(home.put(home.phone, "film", bytes)));
  auto ref = home.refOf(home.laptop, "film");
  auto fetch = home.ask(home.blobs(home.laptop).fetch(ref));
  uint64_t before = 0;
  while (before < 6 << 20) {
    home.run(10 * kj::MILLISECONDS);
    before = home.blobs(home.laptop).received(ref).orDefault(0);
  }
  REQUIRE(!fetch->isDone());
  fetch = nullptr;
  home.laptop.kill();
  home.laptop.start();
  home.run(10 * S);
  fetch = home.ask(home.blobs(home.laptop).fetch(ref));
  home.run(20 * kj::MILLISECONDS);
  REQUIRE(home.blobs(home.laptop).received(ref).orDefault(0) > 2 << 20);
  home.run(30 * S);
  REQUIRE(fetch->isDone());
  REQUIRE(home.read(home.laptop, ref) == bytes);
  REQUIRE(home.blobFiles(home.laptop) == 1);
}

TEST_CASE("a kill at any write while a blob is put leaves it whole or nothing of it") {
  Couple home;
  struct Moment {
    SimDisk::Files files;
    bool acknowledged;
  };
  std::vector<Moment> moments;
  home.laptop.kill();  // it would tell the phone what the phone had said later
  auto bytes = storage::randomBytes(700'000, 5);
  auto put = home.ask(home.put(home.phone, "photo", bytes));
  home.phone.disk.beforeWrite = [&]() {
    moments.push_back({home.phone.disk.contents(), put->isDone()});
  };
  home.run(10 * S);
  REQUIRE(put->isDone());
  home.phone.disk.beforeWrite = []() {};
  moments.push_back({home.phone.disk.contents(), true});
  REQUIRE(moments.size() > 20);
  size_t whole = 0, nothing = 0, halves = 0;
  for (auto& [files, acknowledged]: moments) {
    for (auto& [name, content]: files) halves += name.ends_with(".part");
    home.phone.kill();
    home.phone.disk.restore(files);
    home.phone.start();
    home.run(20 * S);
    auto found = home.find(home.phone, "photo");
    KJ_IF_MAYBE(view, found) {
      ++whole;
      REQUIRE(home.read(home.phone, view->ref) == bytes);
      REQUIRE(home.blobFiles(home.phone) == 1);
    } else {
      ++nothing;
      REQUIRE(!acknowledged);
      REQUIRE(home.blobFiles(home.phone) == 0);
    }
  }
  REQUIRE(halves > 0);
  REQUIRE(whole > 0);
  REQUIRE(nothing > 0);
}

TEST_CASE("when there is no room, what others keep goes, and what is kept here never does") {
  Couple home;
  std::vector<BlobRef> refs;
  for (int i = 0; i < 3; ++i) {
    auto name = "photo " + std::to_string(i);
    REQUIRE(home.goesWell(
        home.put(home.phone, name, storage::randomBytes(1 << 20, static_cast<uint64_t>(i)))));
    refs.push_back(home.refOf(home.laptop, name));
  }
  home.blobs(home.laptop).setRoom(5 << 19);  // 2.5 MiB
  REQUIRE(home.goesWell(home.blobs(home.laptop).fetch(refs[0])));
  REQUIRE(home.goesWell(home.blobs(home.laptop).pin(refs[1])));
  REQUIRE(home.goesWell(home.blobs(home.laptop).fetch(refs[2])));
  REQUIRE(!KJ_ASSERT_NONNULL(home.find(home.laptop, "photo 0")).isHere);
  REQUIRE(KJ_ASSERT_NONNULL(home.find(home.laptop, "photo 1")).isHere);
  REQUIRE(KJ_ASSERT_NONNULL(home.find(home.phone, "photo 0")).holders.size() == 1);
  home.blobs(home.phone).setRoom(3 << 20);
  auto put = home.ask(home.put(home.phone, "photo 3", storage::randomBytes(1 << 20, 3)));
  home.run(10 * S);
  REQUIRE(put->error() == Errc::QUOTA_EXCEEDED);
  for (int i = 0; i < 3; ++i)
    REQUIRE(KJ_ASSERT_NONNULL(home.find(home.phone, "photo " + std::to_string(i))).isHere);
}

TEST_CASE("of what may go, what was used least recently goes first") {
  Couple home;
  std::vector<BlobRef> refs;
  for (int i = 0; i < 3; ++i) {
    auto name = "photo " + std::to_string(i);
    REQUIRE(home.goesWell(
        home.put(home.phone, name, storage::randomBytes(1 << 20, static_cast<uint64_t>(i)))));
    refs.push_back(home.refOf(home.laptop, name));
  }
  home.blobs(home.laptop).setRoom(5 << 19);
  for (auto i: {0, 1, 0, 2}) REQUIRE(home.goesWell(home.blobs(home.laptop).fetch(refs[i])));
  REQUIRE(KJ_ASSERT_NONNULL(home.find(home.laptop, "photo 0")).isHere);
  REQUIRE(!KJ_ASSERT_NONNULL(home.find(home.laptop, "photo 1")).isHere);
}

TEST_CASE(
    "a blob that a disk has damaged is not read and not served, and comes from another device") {
  Couple home;
  auto bytes = storage::randomBytes(500'000, 13);
  REQUIRE(home.goesWell(home.put(home.phone, "photo", bytes)));
  auto ref = home.refOf(home.laptop, "photo");
  REQUIRE(home.goesWell(home.blobs(home.laptop).fetch(ref)));
  auto damage = [&](Device& device) {
    for (auto& [name, content]: device.disk.contents())
      if (name.starts_with("blobs/")) device.disk.rot(name, 64);
  };
  auto read = [&](Device& device) {
    std::optional<Result<Buffer>> read;
    auto promise = home.blobs(device)
                       .read(ref, 0, bytes.size())
                       .then([&](auto answer) { read = kj::mv(answer); })
                       .eagerlyEvaluate(nullptr);
    home.run(1 * S);
    return *read ? Errc::BUSY : read->error().code;  // BUSY: it was read
  };
  damage(home.laptop);
  REQUIRE(read(home.laptop) == Errc::INTEGRITY_FAILED);
  REQUIRE(home.goesWell(home.blobs(home.laptop).fetch(ref)));
  REQUIRE(home.read(home.laptop, ref) == bytes);
  // The only copy is not thrown away.
  REQUIRE(home.goesWell(home.blobs(home.laptop).remove("photo")));
  REQUIRE(home.goesWell(home.put(home.phone, "photo", bytes)));
  damage(home.phone);
  REQUIRE(read(home.phone) == Errc::INTEGRITY_FAILED);
  REQUIRE(home.blobFiles(home.phone) == 1);
  auto fetch = home.ask(home.blobs(home.laptop).fetch(ref));
  home.run(30 * S);
  REQUIRE(fetch->error() == Errc::UNKNOWN_PEER);
}

TEST_CASE("of two devices that unpin a blob at the same time one still has it") {
  Couple home;
  REQUIRE(home.goesWell(home.put(home.phone, "photo", storage::randomBytes(1 << 20, 6))));
  auto ref = home.refOf(home.laptop, "photo");
  REQUIRE(home.goesWell(home.blobs(home.laptop).pin(ref)));
  home.laptop.put({});
  home.run(30 * S);
  for (auto device: {&home.phone, &home.laptop}) {
    REQUIRE(home.goesWell(home.blobs(*device).unpin(ref)));
    home.blobs(*device).setRoom(1 << 20);
    home.ask(home.put(*device, "other of " + device->called(), storage::randomBytes(900'000, 7)));
    home.run(10 * S);
  }
  auto onPhone = KJ_ASSERT_NONNULL(home.find(home.phone, "photo")).isHere;
  auto onLaptop = KJ_ASSERT_NONNULL(home.find(home.laptop, "photo")).isHere;
  REQUIRE((onPhone || onLaptop));
}

TEST_CASE("a blob that nobody who can be reached has is said to be so") {
  Couple home;
  REQUIRE(home.goesWell(home.put(home.phone, "photo", storage::randomBytes(1 << 20, 8))));
  auto ref = home.refOf(home.laptop, "photo");
  home.phone.kill();
  auto fetch = home.ask(home.blobs(home.laptop).fetch(ref));
  home.run(30 * S);
  REQUIRE(fetch->error() == Errc::UNKNOWN_PEER);
  home.phone.start();
  home.run(10 * S);
  REQUIRE(home.goesWell(home.blobs(home.laptop).fetch(ref)));
}

TEST_CASE("a range of a blob is read from others, and what lies beside it is not fetched") {
  Couple home;
  auto bytes = storage::randomBytes(8 << 20, 9);
  REQUIRE(home.goesWell(home.put(home.phone, "film", bytes)));
  auto ref = home.refOf(home.laptop, "film");
  Buffer range;
  auto promise = home.blobs(home.laptop)
                     .readFromOthers(ref, 5'000'000, 100'000)
                     .then([&](auto read) { range = kj::mv(read.value()); })
                     .eagerlyEvaluate(nullptr);
  home.run(10 * S);
  REQUIRE(range == bytes.slice(5'000'000, 5'100'000));
  REQUIRE(!KJ_ASSERT_NONNULL(home.find(home.laptop, "film")).isHere);
}

TEST_CASE("no file of a device that has blobs shows a word of them or of their names") {
  Couple home;
  std::string planted = "a sentence that nobody finds on a disk";
  auto bytes = storage::randomBytes(600'000, 10);
  for (size_t at: {size_t{100}, size_t{300'000}})
    memcpy(bytes.begin() + at, planted.data(), planted.size());
  REQUIRE(home.goesWell(home.put(home.phone, planted, bytes)));
  REQUIRE(home.goesWell(home.put(home.phone, "small " + planted, bytes.slice(0, 4'000))));
  for (auto name: {planted, "small " + planted})
    REQUIRE(home.goesWell(home.blobs(home.laptop).fetch(home.refOf(home.laptop, name))));
  for (auto device: {&home.phone, &home.laptop}) {
    REQUIRE(home.blobFiles(*device) == 1);
    for (auto& [name, content]: device->disk.contents())
      REQUIRE(content.find(planted) == std::string::npos);
  }
}

TEST_CASE(
    "a disk that fills up while a blob is fetched fails the fetch, and keeps what was there") {
  Couple home;
  auto bytes = storage::randomBytes(4 << 20, 11);
  REQUIRE(home.goesWell(home.put(home.phone, "film", bytes)));
  REQUIRE(home.goesWell(home.put(home.laptop, "photo", storage::randomBytes(500'000, 12))));
  auto ref = home.refOf(home.laptop, "film");
  auto fetch = home.ask(home.blobs(home.laptop).fetch(ref));
  while (home.blobs(home.laptop).received(ref).orDefault(0) < 1 << 20)
    home.run(10 * kj::MILLISECONDS);
  home.laptop.disk.full = true;
  home.run(10 * S);
  REQUIRE(home.laptop.disk.refused > 0);
  REQUIRE(fetch->failed != "");
  home.laptop.disk.full = false;
  REQUIRE(home.goesWell(home.blobs(home.laptop).fetch(ref)));
  REQUIRE(home.read(home.laptop, ref) == bytes);
}

}  // namespace
}  // namespace hearth::sim
