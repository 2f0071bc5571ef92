#include "devices/data/presence-message.h"

#include "core/base/flat.h"
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
  kj::byte length[LENGTH_BYTES];
  auto got = co_await stream.tryRead(length, LENGTH_BYTES, LENGTH_BYTES);
  if (got == 0) co_return kj::Maybe<Message>();
  if (got < LENGTH_BYTES) kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "cut in a message"));
  size_t size = FlatReader(length).u16();
  if (size > MESSAGE_BYTES_MAX) co_return no(Errc::BAD_FORMAT, "a message that is too long");
  auto bytes = kj::heapArray<kj::byte>(size);
  if (co_await stream.tryRead(bytes.begin(), size, size) < size)
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "cut in a message"));
  auto message = decode(bytes);
  if (!message) co_return no(message.error());
  co_return kj::Maybe<Message>(kj::mv(*message));
}

}  // namespace hearth::devices::presence
