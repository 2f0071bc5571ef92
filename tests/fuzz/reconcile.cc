// Messages of a reconciliation, against sets of several sizes; and a whole conversation with a peer that is
// honest but for some bytes.

#include "crypto/primitives/hash.h"
#include "storage/sync/reconciler.h"
#include "tests/fuzz/target.h"

namespace hearth::fuzz {
namespace {

using namespace storage;

ItemSet filled(uint32_t from, uint32_t to) {
  ItemSet set;
  for (uint32_t i = from; i < to; ++i) {
    auto bytes = kj::arrayPtr(reinterpret_cast<const kj::byte*>(&i), sizeof(i));
    set.insert({i / 3, crypto::hash("hearth/fuzz/v1", {bytes})});
  }
  return set;
}

// Whatever is said, what is to be sent is in the set.
kj::Array<kj::byte> answered(Reconciler& side, const ItemSet& set, Bytes message) {
  auto step = side.received(message);
  if (!step) return nullptr;
  expect(step->reply.size() <= Reconciler::MESSAGE_BYTES_MAX);
  for (auto& name: step->send) expect(set.contains(name));
  return kj::mv(step->reply);
}

void messages(FlatReader& in) {
  static const ItemSet SETS[]{filled(0, 0), filled(0, 10), filled(0, 6'000)};
  auto& set = SETS[in.u8() % 3];
  Reconciler side(set, {});
  while (in.good() && in.remaining().size() > 0) answered(side, set, in.var16());
}

void damagedConversation(FlatReader& in) {
  static const ItemSet FIRST = filled(0, 900), SECOND = filled(300, 1'300);
  Reconciler sides[2]{Reconciler(FIRST, {}), Reconciler(SECOND, {})};
  auto message = sides[0].begin();
  for (int turn = 0; turn < 40 && message.size() > 0; ++turn) {
    auto receiver = static_cast<size_t>(1 - turn % 2);
    if (in.remaining().size() > 0) message = damaged(message, in);
    message = answered(sides[receiver], receiver == 0 ? FIRST : SECOND, message);
  }
}

constexpr void (*WAYS[])(FlatReader&) = {messages, damagedConversation};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
