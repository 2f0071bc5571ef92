#pragma once
// What people look for on this device: in its documents, and in the names and texts of its folders' files.

#include "devices/search/indexer.h"
#include "storage/search/snippet.h"

#include <memory>

namespace hearth::devices {

class Search final {
 public:
  static constexpr size_t FOUND_MAX = 100;

  // All outlive this object.
  explicit Search(Indexer::Surroundings around): around(around), indexer(around) {}

  void start() { indexer.start(); }

  struct Found {
    storage::search::Kind kind;
    std::string name;    // of the document, or of the file as its folder knows it
    std::string folder;  // a file's
    std::string path;    // of the file on this device; empty: its folder is not there just now
    storage::search::Snippet snippet;
    int64_t score = 0;  // greater is better
  };
  struct Answer {
    std::vector<Found> found;  // the best first
    uint64_t matches = 0;
    bool areMore = false;  // than `matches`
    uint64_t owed = 0;     // changes that the index does not know yet
  };
  // At most `most` <= FOUND_MAX, of what was typed; of one kind or of all.
  kj::Promise<Answer> find(
      std::string typed, std::optional<storage::search::Kind> kind, size_t most);

 private:
  Indexer::Surroundings around;
  // Of the storage thread and of that for files, so that neither waits for the other; none before somebody looks for
  // something. Work that was asked for may outlive this object.
  std::shared_ptr<storage::Words> words, wordsOfFiles;
  Indexer indexer;

  kj::Promise<void> readFiles(const storage::search::Query& query,
      const std::vector<storage::search::Name>& names, std::vector<Found>& found);
};

}  // namespace hearth::devices
