// What is typed to find something, and the texts that it is looked for in: both may be any bytes. No query is an error to
// FTS5, and what a snippet marks lies in it.
#include "storage/search/index.h"
#include "storage/search/snippet.h"
#include "storage/tables/hearth-db.h"
#include "tests/fuzz/target.h"

#include <kj/encoding.h>

namespace hearth::fuzz {
namespace {

using namespace storage;

std::string_view textOf(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

// One item, in a database that is made once and holds nothing between inputs.
struct Index {
  SystemEntropy entropy;
  kj::Own<const kj::Directory> directory = kj::newInMemoryDirectory(kj::nullClock());
  DirectoryVfs vfs{*directory, entropy, kj::nullClock()};
  crypto::DatabaseKey key = crypto::DatabaseKey::make(
      [](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), 1, out.size()); });
  kj::Own<Database> db = Database::open(vfs, HEARTH_DB, key, HEARTH_SCHEMA).value();
  Words words;
};

Index& index() {
  static Index one;
  return one;
}

// title | text | what is typed
void find(FlatReader& in) {
  auto& [entropy, directory, vfs, key, db, words] = index();
  search::Item item;
  item.title = textOf(in.var16());
  item.text = textOf(in.var16());
  auto typed = textOf(in.remaining());
  auto query = search::parseQuery(typed, words);
  expect(query.terms.size() <= search::Query::TERMS_MAX);
  Transaction undone(*db);
  search::put(*db, item);
  auto found = search::find(*db, query, {}, 10);
  expect(found.best.size() <= 1 && (!query.isEmpty() || found.best.empty()));
  auto snippet = search::snippetOf(item.text, query, words);
  expect(snippet.text.size() <= search::Snippet::BYTES_MAX);
  expect(!kj::encodeUtf32(kj::arrayPtr(snippet.text.data(), snippet.text.size())).hadErrors);
  size_t last = 0;
  for (auto& mark: snippet.marks) {
    expect(mark.begin >= last && mark.begin < mark.end);
    last = mark.end;
  }
  expect(last <= snippet.text.size());
}

constexpr void (*WAYS[])(FlatReader&) = {find};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
