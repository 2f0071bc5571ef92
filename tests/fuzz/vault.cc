// Members and VAULTs that say anything at all, and what other devices say of shelves in the log.

#include "storage/vault/manifest.h"
#include "storage/vault/messages.h"
#include "tests/fuzz/target.h"

namespace hearth::fuzz {
namespace {

using namespace storage;

// Each message has one form.
void question(FlatReader& in) {
  auto bytes = in.remaining();
  auto parsed = vault::parseQuestion(bytes);
  if (parsed) expect(encode(*parsed) == bytes);
}

void answer(FlatReader& in) {
  auto bytes = in.remaining();
  auto parsed = vault::parseAnswer(bytes);
  if (parsed) expect(encode(*parsed) == bytes);
}

void shelf(FlatReader& in) {
  auto bytes = in.remaining();
  auto change = ShelfChange::parse(bytes);
  if (!change) return;
  expect(change->encode() == bytes);
  expect(change->put.size() <= ShelfChange::CHANGES_MAX);
}

constexpr void (*WAYS[])(FlatReader&) = {question, answer, shelf};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
