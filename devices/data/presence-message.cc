#include "devices/data/presence-message.h"

#include "core/base/flat.h"
#include "devices/data/framing.h"
#include "storage/crdt/varint.h"

#include <kj/debug.h>

namespace hearth::devices::presence {

namespace {

constexpr size_t LENGTH_BYTES = 2;

crypto::Bytes bytesOf(const std::string& text) {
  return kj::arrayPtr(text.data(), text.size()).asBytes();
}

void write(FlatWriter& out, const Here& here) {
  out.u8(0).u32(here.place).var8(bytesOf(here.document)).var16(bytesOf(here.value));
}
void write(FlatWriter& out, const Gone& gone) { out.u8(1).u32(gone.place); }
void write(FlatWriter& out, const Said& said) {
  out.u8(2).var8(bytesOf(said.document)).var16(bytesOf(said.value));
}

std::string text(FlatReader& in, crypto::Bytes bytes) {
  std::string text(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
  if (!storage::isUtf8(text)) in.refuse();
  return text;
}
std::string document(FlatReader& in) {
  auto name = text(in, in.var8(DOCUMENT_BYTES_MAX));
  if (name.empty()) in.refuse();
  return name;
}
std::string value(FlatReader& in) { return text(in, in.var16(VALUE_BYTES_MAX)); }

}  // namespace

crypto::Buffer encode(const Message& message) {
  FlatWriter body;
  std::visit([&](auto& content) { write(body, content); }, message);
  KJ_REQUIRE(body.size() <= MESSAGE_BYTES_MAX, body.size());
  FlatWriter out;
  out.var16(body.asBytes());
  return out.finish();
}

Result<Message> decode(crypto::Bytes bytes) {
  FlatReader in(bytes);
  Message message;
  switch (in.u8()) {
    case 0: {
      Here here{.place = in.u32()};
      here.document = document(in);
      here.value = value(in);
      message = kj::mv(here);
      break;
    }
    case 1:
      message = Gone{in.u32()};
      break;
    case 2: {
      Said said{.document = document(in)};
      said.value = value(in);
      message = kj::mv(said);
      break;
    }
    default:
      in.refuse();
  }
  if (!in.finish()) return no(Errc::BAD_FORMAT, "no message about who is at a document");
  return message;
}

kj::Promise<Result<kj::Maybe<Message>>> read(kj::AsyncInputStream& stream) {
  auto bytes = co_await readFramed(stream, MESSAGE_BYTES_MAX, LENGTH_BYTES);
  if (!bytes) co_return no(bytes.error());
  KJ_IF_MAYBE(framed, *bytes) {
    auto message = decode(*framed);
    if (!message) co_return no(message.error());
    co_return kj::Maybe<Message>(kj::mv(*message));
  }
  co_return kj::Maybe<Message>();
}

}  // namespace hearth::devices::presence
