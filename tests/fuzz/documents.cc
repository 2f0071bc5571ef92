// Bundles of a document's operations: their packing, their columns, and a document that takes them, beside
// what it holds already.

#include "storage/crdt/tree.h"
#include "tests/fuzz/target.h"

namespace hearth::fuzz {
namespace {

using namespace storage;

DeviceId author(uint8_t number) {
  DeviceId id;
  id.bytes[0] = number;
  return id;
}

// One container of each kind, and something in it.
Document begun() {
  Document document;
  std::vector<Op> ops;
  for (uint8_t kind = 0; kind < CONTAINERS; ++kind)
    ops.push_back({.kind = Op::Kind::PUT,
        .key = std::string(1, static_cast<char>('a' + kind)),
        .value = static_cast<Container>(kind)});
  ops.push_back({.kind = Op::Kind::INSERT, .object = 1, .value = int64_t{7}});
  ops.push_back({.kind = Op::Kind::TYPE, .object = 2, .count = 5, .content = "Größe"});
  expect(document.commit(author(1), ops, 1'000).has_value());
  return document;
}

// What was taken leaves again as it came, and makes the same of another document.
void takeIn(Document& document, kj::ArrayPtr<const kj::byte> bytes) {
  auto bundle = readBundle(bytes);
  if (!bundle) return;
  auto again = readBundle(encode(*bundle));
  expect(again.has_value() && *again == *bundle);
  Document::Merged merged;
  (void)document.merge(*bundle, merged);
  Document other;
  for (auto& part: document.since({})) {
    Document::Merged ignored;
    expect(other.merge(part, ignored).has_value());
  }
  expect(treeOf(other) == treeOf(document));
}

void alone(FlatReader& in) {
  Document document;
  takeIn(document, in.remaining());
}

void beside(FlatReader& in) {
  auto document = begun();
  takeIn(document, in.remaining());
}

// Two that go on from one document, in turn.
void concurrent(FlatReader& in) {
  auto document = begun();
  auto first = in.var16();
  takeIn(document, first);
  takeIn(document, in.remaining());
}

constexpr void (*WAYS[])(FlatReader&) = {alone, beside, concurrent};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
