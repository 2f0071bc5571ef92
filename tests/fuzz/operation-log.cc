// Entries of the operation log, and what two devices say to keep their logs in step.

#include "devices/data/sync-message.h"
#include "storage/log/log.h"
#include "tests/fuzz/target.h"

namespace hearth::fuzz {
namespace {

using namespace storage;

crypto::CollectionKey key() {
  return crypto::CollectionKey::make(
      [](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), 5, out.size()); });
}

const crypto::SignPair& author() {
  static const auto PAIR = crypto::SignPair::fromSeed(crypto::SignSeed::make(
      [](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), 6, out.size()); }));
  return PAIR;
}

Buffer all(FlatReader& in) { return kj::heapArray<kj::byte>(in.bytes(in.remaining().size())); }

void entry(FlatReader& in) {
  auto read = Entry::read(all(in));
  if (!read) return;
  (void)read->verify(author().pk);
  (void)read->open(key());
}

// One that is whole but for some bytes says nothing else than it did, or is found out.
void damagedEntry(FlatReader& in) {
  EntryHead head{.seq = 3, .time = 9};
  head.previous.bytes[0] = 1;
  Content content{{1, 0, "topic"}, kj::heapArray<kj::byte>(kj::StringPtr("words").asBytes())};
  auto whole = Entry::make(head, key(), {}, content.encode(), author().secret);
  auto read = Entry::read(damaged(whole.envelope, in));
  if (!read || !read->verify(author().pk)) return;
  expect(read->head == head && read->hash == whole.hash);
  auto plain = read->open(key());
  expect(plain.has_value());
  expect(Content::decode(*plain).has_value());
}

void content(FlatReader& in) {
  auto bytes = all(in);
  auto read = Content::decode(bytes);
  if (read) expect(read->encode() == bytes);
}

// What is read is written back as it was.
void message(FlatReader& in) {
  auto bytes = all(in);
  auto read = devices::sync::decode(bytes);
  if (!read) return;
  auto again = devices::sync::encode(*read);
  expect(again.slice(4, again.size()) == bytes.asPtr());
}

constexpr void (*WAYS[])(FlatReader&) = {entry, damagedEntry, content, message};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
