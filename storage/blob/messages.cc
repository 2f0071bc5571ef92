#include "storage/blob/messages.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::storage {

namespace {

using crypto::Buffer;
using crypto::Bytes;

enum class Kind : uint8_t { ASK = 1, PARTS = 2, LACKS = 3, BUSY = 4, HAS = 5 };

constexpr size_t GROUP_MAX = 255;  // parts of one blob behind its name

Buffer finished(FlatWriter& out) {
  KJ_REQUIRE(out.size() <= BLOB_MESSAGE_BYTES_MAX, out.size());
  return out.finish();
}

uint64_t u48(FlatReader& in) {
  auto low = in.u24();
  return low | uint64_t{in.u24()} << 24;
}

AskParts readAsk(FlatReader& in) {
  AskParts ask;
  while (in.good() && in.remaining().size() > 0) {
    auto content = in.id<ContentId>();
    auto count = in.count8(GROUP_MAX, 11);
    if (count == 0 || ask.parts.size() + count > ASKED_MAX) in.refuse();
    for (size_t i = 0; in.good() && i < count; ++i) {
      auto ticket = in.u32();
      auto level = in.u8();
      ask.parts.push_back({content, ticket, level, u48(in)});
      if (level > LEVEL_MAX) in.refuse();
    }
  }
  return ask;
}

GiveParts readParts(FlatReader& in) {
  GiveParts parts;
  while (in.good() && in.remaining().size() > 0) {
    auto ticket = in.u32();
    parts.parts.push_back({ticket, in.var32(CHUNK_BYTES_MAX)});
    if (parts.parts.size() > ASKED_MAX) in.refuse();
  }
  return parts;
}

std::vector<uint32_t> readTickets(FlatReader& in) {
  std::vector<uint32_t> tickets;
  while (in.good() && in.remaining().size() > 0) {
    tickets.push_back(in.u32());
    if (tickets.size() > ASKED_MAX) in.refuse();
  }
  return tickets;
}

HasParts readHas(FlatReader& in) {
  HasParts has;
  while (in.good() && in.remaining().size() > 0) {
    has.contents.push_back(in.id<ContentId>());
    if (has.contents.size() > ASKED_MAX) in.refuse();
  }
  return has;
}

Buffer tickets(Kind kind, const std::vector<uint32_t>& tickets) {
  FlatWriter out;
  out.u8(static_cast<uint8_t>(kind));
  for (auto ticket: tickets) out.u32(ticket);
  return finished(out);
}

BlobMessage readAny(FlatReader& in) {
  switch (static_cast<Kind>(in.u8())) {
    case Kind::ASK:
      return readAsk(in);
    case Kind::PARTS:
      return readParts(in);
    case Kind::LACKS:
      return LackParts{readTickets(in)};
    case Kind::BUSY:
      return BusyParts{readTickets(in)};
    case Kind::HAS:
      return readHas(in);
  }
  in.refuse();
  return AskParts{};
}

static_assert(CHUNK_BYTES_MAX >= BlobNode::ENCODED_BYTES_MAX);
static_assert(1 + partBytes(CHUNK_BYTES_MAX) <= BLOB_MESSAGE_BYTES_MAX);

}  // namespace

Result<BlobMessage> parseBlobMessage(Bytes bytes) {
  if (bytes.size() > BLOB_MESSAGE_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a message about blobs that is too long");
  FlatReader in(bytes);
  auto message = readAny(in);
  if (auto end = in.finish(); !end) return no(end.error());
  return message;
}

// Parts of one blob that follow each other share its name.
Buffer encode(const AskParts& ask) {
  KJ_REQUIRE(ask.parts.size() <= ASKED_MAX);
  FlatWriter out;
  out.u8(static_cast<uint8_t>(Kind::ASK));
  auto& parts = ask.parts;
  for (size_t begin = 0, end; begin < parts.size(); begin = end) {
    for (end = begin; end < parts.size() && end - begin < GROUP_MAX; ++end)
      if (parts[end].content != parts[begin].content) break;
    out.bytes(parts[begin].content.asBytes()).u8(static_cast<uint8_t>(end - begin));
    for (auto i = begin; i < end; ++i)
      out.u32(parts[i].ticket)
          .u8(parts[i].level)
          .u24(static_cast<uint32_t>(parts[i].offset & 0xff'ffff))
          .u24(static_cast<uint32_t>(parts[i].offset >> 24));
  }
  return finished(out);
}

// Every byte of a blob goes through here: it is copied once.
Buffer encode(const GiveParts& parts) {
  size_t size = 1;
  for (auto& part: parts.parts) size += partBytes(part.bytes.size());
  KJ_REQUIRE(size <= BLOB_MESSAGE_BYTES_MAX, size);
  auto message = kj::heapArray<kj::byte>(size);
  auto out = message.begin();
  auto put = [&](Bytes bytes) { out = std::copy(bytes.begin(), bytes.end(), out); };
  *out++ = static_cast<kj::byte>(Kind::PARTS);
  for (auto& part: parts.parts) {
    FlatWriter head;
    head.u32(part.ticket).u32(static_cast<uint32_t>(part.bytes.size()));
    put(head.asBytes());
    put(part.bytes);
  }
  return message;
}

Buffer encode(const LackParts& lacks) { return tickets(Kind::LACKS, lacks.tickets); }
Buffer encode(const BusyParts& busy) { return tickets(Kind::BUSY, busy.tickets); }

Buffer encode(const HasParts& has) {
  FlatWriter out;
  out.u8(static_cast<uint8_t>(Kind::HAS));
  for (auto& content: has.contents) out.bytes(content.asBytes());
  return finished(out);
}

}  // namespace hearth::storage
