// Seeds of the target "operation-log".

#include "devices/data/sync-message.h"
#include "storage/log/log.h"
#include "tests/fuzz/seeds.h"

namespace hearth::fuzz {

void operationLog(const Corpus& corpus) {
  using namespace devices::sync;
  auto fill = [](kj::byte with) {
    return [with](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), with, out.size()); };
  };
  auto author = crypto::SignPair::fromSeed(crypto::SignSeed::make(fill(6)));
  storage::Content content{
      {1, 0, "topic"}, kj::heapArray<kj::byte>(kj::StringPtr("words").asBytes())};
  auto entry = storage::Entry::make(
      {.time = 9}, crypto::CollectionKey::make(fill(5)), {}, content.encode(), author.secret);
  corpus.add("entry", 0, entry.envelope);
  corpus.add("whole", 1, undamaged());
  corpus.add("changed", 1, oneByte(40, 1));
  corpus.add("content", 2, content.encode());
  auto add = [&](const char* name, const Message& message) {
    auto bytes = encode(message);
    corpus.add(name, 3, bytes.slice(4, bytes.size()));
  };
  crypto::CollectionId collection;
  collection.bytes[0] = 7;
  add("hello", Hello{{}, {collection, {}}});
  add("compare", Compare{collection, storage::Reconciler({}, {}).begin()});
  add("compared", Compared{collection});
  add("deliver", Deliver{kj::mv(entry.envelope)});
  add("have", Have{{collection, {9, {}}}, {}});
  add("want", Want{{collection, {9, {}}}});
}

}  // namespace hearth::fuzz
