// What other devices say of a folder, and the states that its tables keep: nothing that is read is written otherwise.

#include "storage/folder/record.h"
#include "tests/fuzz/target.h"

namespace hearth::fuzz {
namespace {

using namespace storage;

std::string_view textOf(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

// What a folder would do with it: a path leads nowhere else, and a file can have what it is said to have.
void checkState(const PathState& state) {
  expect(state.isSameAs(state));
  expect(state.attributes.mode <= 0777);
  expect(state.attributes.extended.size() <= FileAttributes::EXTENDED_MAX);
  bool isLink = state.kind == PathState::Kind::SYMLINK;
  expect(isLink != state.target.empty() && state.target.size() <= PathState::TARGET_BYTES_MAX);
  expect(state.target.find('\0') == std::string::npos);
}

void records(FlatReader& in) {
  auto read = readRecords(textOf(in.remaining()));
  if (!read) return;
  expect(read->size() <= RECORDS_MAX);
  for (auto& record: *read) {
    expect(FolderPath::parse(record.path.str()).value() == record.path);
    expect(record.replaced.size() <= FolderRecord::REPLACED_MAX);
    checkState(record.state);
  }
  auto again = readRecords(encodeRecords(*read));
  expect(again.has_value() && *again == *read);
}

void state(FlatReader& in) {
  auto bytes = textOf(in.remaining());
  auto read = readState(bytes);
  if (!read) return;
  checkState(*read);
  expect(encodeState(*read) == bytes);
}

constexpr void (*WAYS[])(FlatReader&) = {records, state};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
