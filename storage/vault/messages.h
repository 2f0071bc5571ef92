#pragma once
// What a member and a VAULT say to each other about what the VAULT holds (docs/PROTOCOL.md "VAULT"). The member asks and
// the VAULT answers, each with the ticket that the question has. A shelf is named by its writer and collection.
//
//   member   1 WHICH  u32 ticket | b[16] collection | b[32] name ...                              whose are there?
//            2 PUT    u32 ticket | b[16] collection | b[32] name | u64 bytes | the first of them
//            3 MORE   u32 ticket | the next ones
//            4 DROP   u32 ticket | b[16] collection | b[32] name ...
//            5 READ   u32 ticket | b[32] writer | b[16] collection | b[32] name | u64 offset | u32 most
//            6 ROOT   u32 ticket | b[32] writer | b[16] collection
//            7 LIST   u32 ticket | b[32] writer | b[16] collection | b[32] after
//            8 GIVEUP u32 ticket                                        what was begun with PUT: answered by NOT
//   VAULT   16 DONE   u32 ticket                                                                  it is on disk
//           17 NOT    u32 ticket | u16 error
//           18 THESE  u32 ticket | u8 each: 0 nobody's, 1 the asker's own, 2 another's
//           19 PIECE  u32 ticket | bytes
//           20 IS     u32 ticket | u64 items | b[32] root
//           21 LISTED u32 ticket | (b[32] name | u64 bytes | b[32] hash) ...

#include "storage/vault/item.h"

#include <variant>

namespace hearth::storage {

constexpr size_t VAULT_MESSAGE_BYTES_MAX = 256 << 10;
constexpr size_t VAULT_PIECE_BYTES_MAX = 192 << 10;  // of a sealed file in one message
constexpr size_t VAULT_NAMES_MAX = 1'024;            // in one message
constexpr size_t VAULT_LISTED_MAX = 2'048;

struct VaultShelfName {
  DeviceId writer;
  crypto::CollectionId collection;

  auto operator<=>(const VaultShelfName&) const = default;
};

namespace vault {

using Ticket = uint32_t;

struct Which {
  Ticket ticket;
  crypto::CollectionId collection;
  std::vector<BlobName> names;
};
struct Put {
  Ticket ticket;
  crypto::CollectionId collection;
  BlobName name;
  uint64_t bytes;
  crypto::Buffer first;
};
struct More {
  Ticket ticket;
  crypto::Buffer bytes;
};
struct Drop {
  Ticket ticket;
  crypto::CollectionId collection;
  std::vector<BlobName> names;
};
struct Read {
  Ticket ticket;
  VaultShelfName shelf;
  BlobName name;
  uint64_t offset;
  uint32_t most;
};
struct Root {
  Ticket ticket;
  VaultShelfName shelf;
};
struct List {
  Ticket ticket;
  VaultShelfName shelf;
  BlobName after;
};
struct GiveUp {
  Ticket ticket;
};

struct Done {
  Ticket ticket;
};
struct Not {
  Ticket ticket;
  Errc error;
};
enum class Whose : uint8_t { NOBODYS = 0, OWN = 1, ANOTHERS = 2 };
struct These {
  Ticket ticket;
  std::vector<Whose> whose;
};
struct Piece {
  Ticket ticket;
  crypto::Buffer bytes;
};
struct Is {
  Ticket ticket;
  uint64_t items;
  Digest root;
};
struct Listed {
  Ticket ticket;
  std::vector<VaultItem> items;
};

using Question = std::variant<Which, Put, More, Drop, Read, Root, List, GiveUp>;
using Answer = std::variant<Done, Not, These, Piece, Is, Listed>;

// Each requires that it fits a message.
crypto::Buffer encode(const Question& question);
crypto::Buffer encode(const Answer& answer);

// Errors: BAD_FORMAT, also for more than a message may have.
Result<Question> parseQuestion(crypto::Bytes bytes);
Result<Answer> parseAnswer(crypto::Bytes bytes);

}  // namespace vault
}  // namespace hearth::storage
