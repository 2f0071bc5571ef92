#include "devices/data/sync-message.h"

#include "core/base/flat.h"
#include "devices/data/framing.h"

#include <kj/debug.h>

namespace hearth::devices::sync {

namespace {

using crypto::CollectionId;

void write(FlatWriter& out, const Hello& hello) {
  out.bytes(hello.nonce.asBytes()).u16(static_cast<uint16_t>(hello.collections.size()));
  for (auto& id: hello.collections) out.bytes(id.asBytes());
}
void write(FlatWriter& out, const Compare& compare) {
  out.bytes(compare.collection.asBytes()).bytes(compare.message);
}
void write(FlatWriter& out, const Compared& compared) { out.bytes(compared.collection.asBytes()); }
void write(FlatWriter& out, const Deliver& deliver) { out.bytes(deliver.envelope); }
void write(FlatWriter& out, const Name& name) {
  out.bytes(name.collection.asBytes()).u64(name.item.time).bytes(name.item.id.asBytes());
}
void write(FlatWriter& out, const Have& have) {
  write(out, have.name);
  out.bytes(have.author.asBytes());
}
void write(FlatWriter& out, const Want& want) { write(out, want.name); }

Hello readHello(FlatReader& in) {
  Hello hello{.nonce = in.id<SyncNonce>()};
  auto count = in.count16(Hello::COLLECTIONS_MAX, CollectionId::SIZE);
  for (size_t i = 0; i < count; ++i) hello.collections.push_back(in.id<CollectionId>());
  return hello;
}
crypto::Buffer rest(FlatReader& in) {
  return kj::heapArray<kj::byte>(in.bytes(in.remaining().size()));
}
Name readName(FlatReader& in) {
  Name name{.collection = in.id<CollectionId>()};
  name.item.time = in.u64();
  name.item.id = in.id<Digest>();
  if (name.item.time >= storage::Entry::TIME_MAX) in.refuse();
  return name;
}

Message readBody(uint8_t kind, FlatReader& in) {
  switch (kind) {
    case 0:
      return readHello(in);
    case 1: {
      auto collection = in.id<CollectionId>();
      if (in.remaining().size() > storage::Reconciler::MESSAGE_BYTES_MAX) in.refuse();
      return Compare{collection, rest(in)};
    }
    case 2:
      return Compared{in.id<CollectionId>()};
    case 3:
      return Deliver{rest(in)};
    case 4: {
      auto name = readName(in);
      return Have{name, in.id<DeviceId>()};
    }
    case 5:
      return Want{readName(in)};
    default:
      in.refuse();
      return Compared{};
  }
}

}  // namespace

crypto::Buffer encode(const Message& message) {
  FlatWriter body;
  body.u8(static_cast<uint8_t>(message.index()));
  std::visit([&](auto& content) { write(body, content); }, message);
  FlatWriter out;
  out.var32(body.asBytes());
  return out.finish();
}

Result<Message> decode(crypto::Bytes bytes) {
  FlatReader in(bytes);
  auto kind = in.u8();
  auto message = readBody(kind, in);
  if (auto end = in.finish(); !end) return no(end.error());
  return kj::mv(message);
}

kj::Promise<Result<kj::Maybe<Message>>> read(kj::AsyncInputStream& stream) {
  auto bytes = co_await readFramed(stream, MESSAGE_BYTES_MAX);
  if (!bytes) co_return no(bytes.error());
  KJ_IF_MAYBE(framed, *bytes) {
    auto message = decode(*framed);
    if (!message) co_return no(message.error());
    co_return kj::Maybe<Message>(kj::mv(*message));
  }
  co_return kj::Maybe<Message>();
}

storage::ReconcileSalt saltOf(const SyncNonce& opener, const SyncNonce& other) {
  return crypto::hashAs<storage::ReconcileSalt>(
      "hearth/sync-salt/v1", {opener.asBytes(), other.asBytes()});
}

}  // namespace hearth::devices::sync
