#pragma once
// What devices say to each other of a folder: each record gives one path another state, in place of those states that
// its author had before. Two that do not know of each other stand side by side until somebody has seen both.
//
//   entry     number authors | b[32] each | number records | record each
//   record    u8 kind | bytes path | number replaced | (number author | number seq | number index) each | what the kind says
//   FILE      number mode | signed ns of the last change | b[41] reference | number extended | (bytes name | bytes value) each
//   DIRECTORY number mode          SYMLINK bytes target          GONE nothing
//
// Numbers are those of storage/crdt/varint.h. The records of an entry are counted from 0.

#include "core/base/ids.h"
#include "storage/blob/tree.h"
#include "storage/folder/file-tree.h"

#include <string>
#include <vector>

namespace hearth::storage {

// Names a record to the world.
struct RecordName {
  DeviceId author;
  uint64_t seq = 0;  // of the author's entry in the folder's collection
  uint32_t index = 0;

  auto operator<=>(const RecordName&) const = default;
};

// What a path is, or that it is nothing.
struct PathState {
  static constexpr size_t TARGET_BYTES_MAX = 4'096;

  enum class Kind : uint8_t { GONE = 0, FILE = 1, DIRECTORY = 2, SYMLINK = 3 };

  Kind kind = Kind::GONE;
  FileAttributes attributes;  // of a FILE; of a DIRECTORY the mode alone
  BlobRef content;            // of a FILE
  std::string target;         // of a SYMLINK

  bool operator==(const PathState&) const = default;
  // Whether nobody would miss one of the two: the time of the last change does not count.
  bool isSameAs(const PathState& other) const;
};

struct FolderRecord {
  static constexpr size_t REPLACED_MAX = 64;

  FolderPath path;
  PathState state;
  std::vector<RecordName> replaced;

  bool operator==(const FolderRecord&) const = default;
};

constexpr size_t RECORDS_MAX = 1'024;  // of an entry
// Of attributes, targets and paths together, so that an entry of many stays well below its limit.
constexpr size_t RECORDS_BYTES_MAX = 8 << 20;

// Requires that they are within the limits.
std::string encodeRecords(const std::vector<FolderRecord>& records);

// Errors: BAD_FORMAT; LIMIT_EXCEEDED.
Result<std::vector<FolderRecord>> readRecords(std::string_view bytes);

// The state alone, as the folder's tables keep it.
std::string encodeState(const PathState& state);
Result<PathState> readState(std::string_view bytes);

}  // namespace hearth::storage
