// What programs say of documents to the daemon (bindings.capnp, "Document"): JSON and paths, and a document that
// becomes what they say, one after the other.

#include "bindings/local/json-tree.h"
#include "storage/crdt/undo.h"
#include "tests/fuzz/target.h"

namespace hearth::fuzz {
namespace {

using namespace storage;

std::string textOf(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}
kj::StringPtr pointerTo(const std::string& text) { return {text.c_str(), text.size()}; }

void json(FlatReader& in) {
  auto text = textOf(in.remaining());
  auto tree = local::treeOf(pointerTo(text));
  if (!tree) return;
  auto written = local::jsonOf(*tree, true);
  auto again = local::treeOf(pointerTo(written));
  expect(again.has_value() && *again == *tree);
  (void)local::jsonOf(*tree, false);
}

void differing(FlatReader& in) {
  auto one = textOf(in.var16()), other = textOf(in.remaining());
  auto first = local::treeOf(pointerTo(one)), second = local::treeOf(pointerTo(other));
  if (!first || !second) return;
  expect(local::patchBetween(*first, *first) == "[]");
  (void)local::patchBetween(*first, *second);
}

// u8 what, var8 path, var8 JSON, again and again; what was done last is taken back at the end.
void becoming(FlatReader& in) {
  constexpr int STEPS_MAX = 20;
  Document document;
  DeviceId author;
  author.bytes[0] = 1;
  EventRange last;
  auto before = treeOf(document);
  for (int step = 0; step < STEPS_MAX && in.good() && in.remaining().size() > 0; ++step) {
    auto what = in.u8();
    auto pointer = textOf(in.var8()), text = textOf(in.var8());
    auto path = local::pathOf(pointerTo(pointer));
    auto tree = local::treeOf(pointerTo(text));
    if (!path || !tree) continue;
    Draft draft(document);
    Result<void> made;
    switch (what % 4) {
      case 0:
      case 1:
        made = draft.set(*path, *tree);
        break;
      case 2:
        made = draft.remove(*path);
        break;
      case 3:
        made = draft.move(*path, what / 4);
        break;
    }
    if (!made) continue;
    before = treeOf(document);
    auto done = document.commit(author, draft.ops(), step);
    if (!done) {
      expect(done.error().code == Errc::LIMIT_EXCEEDED);
      expect(treeOf(document) == before);
      continue;
    }
    last = *done;
  }
  if (last.size() == 0) return;
  auto undone = document.commit(author, opsToUndo(document, last), STEPS_MAX);
  expect(undone.has_value());
}

constexpr void (*WAYS[])(FlatReader&) = {json, differing, becoming};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
