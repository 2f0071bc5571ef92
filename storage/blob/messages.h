#pragma once
// What two devices say to each other about the parts of blobs (docs/PROTOCOL.md "Blobs"). A part is a chunk or a
// node, named by its blob, its level and where in the blob it begins; a ticket, which whoever asks chooses, says
// which question an answer is for.
//
//   ASK    u8 1 | ( b[32] content id | u8 n | n * (u32 ticket | u8 level | u48 offset) ) ...
//   PARTS  u8 2 | ( u32 ticket | var32 bytes ) ...
//   LACKS  u8 3 | u32 ticket ...                  not here
//   BUSY   u8 4 | u32 ticket ...                  too many at once: ask later
//   HAS    u8 5 | b[32] content id ...            of these more is here than when it was said to lack some

#include "storage/blob/tree.h"

#include <variant>

namespace hearth::storage {

// The largest part fits a message, and many small ones do.
constexpr size_t BLOB_MESSAGE_BYTES_MAX = 256 << 10;
// Parts that one side may have asked for and not yet been answered.
constexpr size_t ASKED_MAX = 512;

struct AskedPart {
  ContentId content;
  uint32_t ticket = 0;
  uint8_t level = 0;
  uint64_t offset = 0;

  bool operator==(const AskedPart&) const = default;
};

struct AskParts {
  std::vector<AskedPart> parts;
};
struct GiveParts {
  struct Part {
    uint32_t ticket;
    crypto::Bytes bytes;  // of the message
  };
  std::vector<Part> parts;
};
struct LackParts {
  std::vector<uint32_t> tickets;
};
struct BusyParts {
  std::vector<uint32_t> tickets;
};
struct HasParts {
  std::vector<ContentId> contents;
};
using BlobMessage = std::variant<AskParts, GiveParts, LackParts, BusyParts, HasParts>;

// Errors: BAD_FORMAT, also where it names more than ASKED_MAX parts; LIMIT_EXCEEDED for one that is too long.
Result<BlobMessage> parseBlobMessage(crypto::Bytes bytes);

// Each requires that it fits a message.
crypto::Buffer encode(const AskParts& ask);
crypto::Buffer encode(const GiveParts& parts);
crypto::Buffer encode(const LackParts& lacks);
crypto::Buffer encode(const BusyParts& busy);
crypto::Buffer encode(const HasParts& has);

// Bytes of PARTS that one part takes.
constexpr size_t partBytes(size_t bytes) { return 8 + bytes; }

}  // namespace hearth::storage
