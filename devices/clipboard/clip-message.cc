#include "devices/clipboard/clip-message.h"

#include "core/base/flat.h"
#include "devices/data/framing.h"

#include <kj/debug.h>

namespace hearth::devices::clip {

namespace {

using storage::ClipName;

constexpr size_t NAME_BYTES = DeviceId::SIZE + 8;

void write(FlatWriter& out, const DeviceId& author, uint64_t stamp) {
  out.bytes(author.asBytes()).u64(stamp);
}

void write(FlatWriter& out, const State& state) {
  KJ_REQUIRE(state.cleared.size() <= AUTHORS_MAX && state.held.size() <= HELD_MAX);
  out.u8(0).u16(static_cast<uint16_t>(state.cleared.size()));
  for (auto& cleared: state.cleared) write(out, cleared.author, cleared.upto);
  out.u16(static_cast<uint16_t>(state.held.size()));
  for (auto& name: state.held) write(out, name.author, name.stamp);
}
void write(FlatWriter& out, const Want& want) {
  out.u8(1);
  write(out, want.name.author, want.name.stamp);
}
void write(FlatWriter& out, const Item& item) { out.u8(2).u64(item.leftMs).bytes(item.envelope); }

ClipName readName(FlatReader& in) {
  ClipName name;
  name.author = in.id<DeviceId>();
  name.stamp = in.u64();
  if (name.stamp >> 63) in.refuse();
  return name;
}

State readState(FlatReader& in) {
  State state;
  auto cleared = in.count16(AUTHORS_MAX, NAME_BYTES);
  for (size_t i = 0; i < cleared; ++i) {
    auto name = readName(in);
    state.cleared.push_back({name.author, name.stamp});
  }
  auto held = in.count16(HELD_MAX, NAME_BYTES);
  for (size_t i = 0; i < held; ++i) state.held.push_back(readName(in));
  return state;
}

}  // namespace

crypto::Buffer encode(const Message& message) {
  FlatWriter body;
  std::visit([&](auto& content) { write(body, content); }, message);
  KJ_REQUIRE(body.size() <= MESSAGE_BYTES_MAX, body.size());
  FlatWriter out;
  out.var32(body.asBytes());
  return out.finish();
}

Result<Message> decode(crypto::Bytes bytes) {
  FlatReader in(bytes);
  Message message;
  switch (in.u8()) {
    case 0:
      message = readState(in);
      break;
    case 1:
      message = Want{readName(in)};
      break;
    case 2: {
      Item item{.leftMs = in.u64()};
      item.envelope = kj::heapArray<kj::byte>(in.bytes(in.remaining().size()));
      message = kj::mv(item);
      break;
    }
    default:
      in.refuse();
  }
  if (!in.finish()) return no(Errc::BAD_FORMAT, "no message about the clipboard");
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

}  // namespace hearth::devices::clip
