#pragma once
// What is found in a folder, said to all devices, and what they have said, written down: the folder's side towards the
// operation log.

#include "devices/folders/hashing.h"
#include "devices/folders/surroundings.h"

#include <utility>

namespace hearth::devices {

// Of an entry of a folder's collection.
constexpr uint8_t FOLDER_RECORDS_KIND = 1;
constexpr kj::StringPtr FOLDER_TOPIC = "files"_kj;

// What there is at a path now, where that is not what was known.
struct Finding {
  storage::FolderPath path;
  storage::PathState state;  // GONE: nothing
  storage::FileStamp stamp;
  std::vector<FileHashing::Node> nodes;  // of a large file
  bool isFresh = false;                  // FileState::isFresh, when its bytes were read
  std::optional<std::string> text;       // of a file that may be merged
};

class FolderSaying final {
 public:
  static constexpr size_t BATCH = 512;  // records of an entry

  FolderSaying(FolderSurroundings& around, const storage::folders::Folder& folder)
      : around(around),
        folder(folder) {}

  // Writes down what is found, and says what of it is new. Resolves when that is on disk. One at a time.
  // Errors: those of Log::append; then nothing of it counts.
  kj::Promise<Result<void>> say(std::vector<Finding> findings);

  // Whether directories were missing since this was asked last that are to be made again.
  bool takePlacesToMake() { return std::exchange(hasPlacesToMake, false); }

  // An entry of the folder's collection has come to the disk. Resolves when what it says is written down.
  kj::Promise<void> arrived(const storage::Log::Stored& entry);

  // The same with all that came while nobody looked.
  kj::Promise<void> catchUp();

 private:
  FolderSurroundings& around;
  const storage::folders::Folder& folder;
  bool hasPlacesToMake = false;
  kj::Maybe<storage::EntryHead> said;  // the newest entry of this device

  kj::Promise<Result<void>> sayBatch(std::vector<Finding> findings);
};

}  // namespace hearth::devices
