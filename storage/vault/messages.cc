#include "storage/vault/messages.h"

#include "core/base/flat.h"

#include <kj/debug.h>

namespace hearth::storage::vault {

namespace {

using crypto::Buffer;
using crypto::Bytes;
using crypto::CollectionId;

constexpr uint8_t FIRST_QUESTION = 1, FIRST_ANSWER = 16;

// Questions

void write(FlatWriter& out, const std::vector<BlobName>& names) {
  KJ_REQUIRE(names.size() <= VAULT_NAMES_MAX);
  for (auto& name: names) out.bytes(name.asBytes());
}
void write(FlatWriter& out, const VaultShelfName& shelf) {
  out.bytes(shelf.writer.asBytes()).bytes(shelf.collection.asBytes());
}
void write(FlatWriter& out, const Which& which) {
  out.bytes(which.collection.asBytes());
  write(out, which.names);
}
void write(FlatWriter& out, const Put& put) {
  out.bytes(put.collection.asBytes()).bytes(put.name.asBytes()).u64(put.bytes).bytes(put.first);
}
void write(FlatWriter& out, const More& more) { out.bytes(more.bytes); }
void write(FlatWriter& out, const Drop& drop) {
  out.bytes(drop.collection.asBytes());
  write(out, drop.names);
}
void write(FlatWriter& out, const Read& read) {
  write(out, read.shelf);
  out.bytes(read.name.asBytes()).u64(read.offset).u32(read.most);
}
void write(FlatWriter& out, const Root& root) { write(out, root.shelf); }
void write(FlatWriter&, const GiveUp&) {}
void write(FlatWriter& out, const List& list) {
  write(out, list.shelf);
  out.bytes(list.after.asBytes());
}

Buffer rest(FlatReader& in) {
  auto bytes = in.remaining();
  if (bytes.size() > VAULT_PIECE_BYTES_MAX) in.refuse();
  return kj::heapArray<kj::byte>(in.bytes(bytes.size()));
}
std::vector<BlobName> readNames(FlatReader& in) {
  std::vector<BlobName> names;
  auto count = in.remaining().size() / BlobName::SIZE;
  if (count == 0 || count > VAULT_NAMES_MAX) in.refuse();
  for (size_t i = 0; in.good() && i < count; ++i) names.push_back(in.id<BlobName>());
  return names;
}
VaultShelfName readShelf(FlatReader& in) {
  auto writer = in.id<DeviceId>();
  return {writer, in.id<CollectionId>()};
}

Question readQuestion(uint8_t kind, Ticket ticket, FlatReader& in) {
  switch (kind) {
    case 1: {
      auto collection = in.id<CollectionId>();
      return Which{ticket, collection, readNames(in)};
    }
    case 2: {
      Put put{ticket, in.id<CollectionId>(), {}, 0, nullptr};
      put.name = in.id<BlobName>();
      put.bytes = in.u64();
      put.first = rest(in);
      if (put.bytes == 0 || put.bytes > VaultItem::bytesMax() || put.first.size() > put.bytes ||
          put.first.size() == 0)
        in.refuse();
      return put;
    }
    case 3: {
      More more{ticket, rest(in)};
      if (more.bytes.size() == 0) in.refuse();
      return more;
    }
    case 4: {
      auto collection = in.id<CollectionId>();
      return Drop{ticket, collection, readNames(in)};
    }
    case 5: {
      Read read{ticket, readShelf(in), {}, 0, 0};
      read.name = in.id<BlobName>();
      read.offset = in.u64();
      read.most = in.u32();
      if (read.most == 0 || read.most > VAULT_PIECE_BYTES_MAX) in.refuse();
      return read;
    }
    case 6:
      return Root{ticket, readShelf(in)};
    case 7: {
      auto shelf = readShelf(in);
      return List{ticket, shelf, in.id<BlobName>()};
    }
    case 8:
      return GiveUp{ticket};
    default:
      in.refuse();
      return Root{ticket, {}};
  }
}

// Answers

void write(FlatWriter&, const Done&) {}
void write(FlatWriter& out, const Not& no) { out.u16(static_cast<uint16_t>(no.error)); }
void write(FlatWriter& out, const These& these) {
  KJ_REQUIRE(these.whose.size() <= VAULT_NAMES_MAX);
  for (auto& whose: these.whose) out.u8(static_cast<uint8_t>(whose));
}
void write(FlatWriter& out, const Piece& piece) { out.bytes(piece.bytes); }
void write(FlatWriter& out, const Is& is) { out.u64(is.items).bytes(is.root.asBytes()); }
void write(FlatWriter& out, const Listed& listed) {
  KJ_REQUIRE(listed.items.size() <= VAULT_LISTED_MAX);
  for (auto& item: listed.items)
    out.bytes(item.name.asBytes()).u64(item.bytes).bytes(item.hash.asBytes());
}

These readThese(Ticket ticket, FlatReader& in) {
  These these{ticket, {}};
  auto count = in.remaining().size();
  if (count > VAULT_NAMES_MAX) in.refuse();
  for (size_t i = 0; in.good() && i < count; ++i) {
    auto whose = in.u8();
    if (whose > static_cast<uint8_t>(Whose::ANOTHERS)) in.refuse();
    these.whose.push_back(static_cast<Whose>(whose));
  }
  return these;
}
Listed readListed(Ticket ticket, FlatReader& in) {
  constexpr size_t ITEM_BYTES = BlobName::SIZE + 8 + Digest::SIZE;
  Listed listed{ticket, {}};
  auto count = in.remaining().size() / ITEM_BYTES;
  if (count > VAULT_LISTED_MAX) in.refuse();
  for (size_t i = 0; in.good() && i < count; ++i) {
    VaultItem item{in.id<BlobName>()};
    item.bytes = in.u64();
    item.hash = in.id<Digest>();
    bool isInOrder = listed.items.empty() || listed.items.back().name < item.name;
    if (!isInOrder) in.refuse();
    listed.items.push_back(item);
  }
  return listed;
}

Answer readAnswer(uint8_t kind, Ticket ticket, FlatReader& in) {
  switch (kind) {
    case 16:
      return Done{ticket};
    case 17:
      return Not{ticket, static_cast<Errc>(in.u16())};
    case 18:
      return readThese(ticket, in);
    case 19:
      return Piece{ticket, rest(in)};
    case 20: {
      auto items = in.u64();
      return Is{ticket, items, in.id<Digest>()};
    }
    case 21:
      return readListed(ticket, in);
    default:
      in.refuse();
      return Done{ticket};
  }
}

template <typename Message>
Buffer encodeAs(uint8_t first, const Message& message) {
  FlatWriter out;
  out.u8(static_cast<uint8_t>(first + message.index()));
  std::visit(
      [&](auto& content) {
        out.u32(content.ticket);
        write(out, content);
      },
      message);
  KJ_REQUIRE(out.size() <= VAULT_MESSAGE_BYTES_MAX, out.size());
  return out.finish();
}

}  // namespace

Buffer encode(const Question& question) { return encodeAs(FIRST_QUESTION, question); }
Buffer encode(const Answer& answer) { return encodeAs(FIRST_ANSWER, answer); }

Result<Question> parseQuestion(Bytes bytes) {
  FlatReader in(bytes);
  auto kind = in.u8();
  auto ticket = in.u32();
  auto question = readQuestion(kind, ticket, in);
  if (auto end = in.finish(); !end) return no(end.error());
  return kj::mv(question);
}

Result<Answer> parseAnswer(Bytes bytes) {
  FlatReader in(bytes);
  auto kind = in.u8();
  auto ticket = in.u32();
  auto answer = readAnswer(kind, ticket, in);
  if (auto end = in.finish(); !end) return no(end.error());
  return kj::mv(answer);
}

}  // namespace hearth::storage::vault
