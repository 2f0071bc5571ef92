#pragma once
// Keeps the full-text index as the documents and folders of this device are. What it owes lies in the database beside
// what has changed, so that neither a crash nor a restart loses any of it; it does a little at a time, and nothing while
// nothing changes.
//
//   a commit ─▶ two seconds without another, thirty at most ─▶ what is owed, piece by piece ─▶ index

#include "devices/folders/folders.h"
#include "storage/documents/documents.h"
#include "storage/search/index.h"
#include "storage/tables/search-state.h"

namespace hearth::devices {

class Indexer final {
 public:
  static constexpr kj::Duration QUIET_FOR = 2 * kj::SECONDS;
  static constexpr kj::Duration QUIET_WITHIN = 30 * kj::SECONDS;
  static constexpr kj::Duration AGAIN_AFTER = 10 * kj::SECONDS;  // what has failed
  // Of a piece: others wait for the storage thread meanwhile. Then it rests as long as that took.
  static constexpr size_t ITEMS_MAX = 512, BYTES_MAX = 256 << 10;
  static constexpr kj::Duration REST_MAX = 100 * kj::MILLISECONDS;
  static constexpr size_t ENTRIES_MAX = 1'000;  // of the log that are looked at in one go
  static constexpr size_t GONE_MAX = 256;       // items that go in one go

  // All outlive the indexer.
  struct Surroundings {
    kj::Timer& timer;
    storage::Store& store;
    storage::Documents& documents;
    kj::Maybe<Folders&> folders;
  };
  explicit Indexer(Surroundings around): around(around) {}

  // Begins, and goes on for as long as this object is there. The log is loaded.
  void start();

 private:
  Surroundings around;
  kj::Promise<void> running = nullptr;

  kj::Promise<void> run();
  kj::Promise<void> untilQuiet();
  kj::Promise<bool> some();
  kj::Promise<bool> someGone();
  kj::Promise<bool> someDocuments();
  kj::Promise<void> lookAt(const std::vector<std::string>& names);
  kj::Promise<bool> someOf(Folders::Files files);
};

}  // namespace hearth::devices
