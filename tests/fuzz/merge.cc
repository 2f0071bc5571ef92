// Three texts of files of which one has become the others: whatever they are, what comes of them is made of their lines,
// and who has changed nothing changes nothing.

#include "storage/folder/text-merge.h"
#include "tests/fuzz/target.h"

#include <set>
#include <string>

namespace hearth::fuzz {
namespace {

using namespace storage;

void addLines(std::string_view text, std::multiset<std::string>& lines) {
  for (size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1))
    lines.emplace(text.substr(0, end));
  lines.emplace(text);
}

void merge(std::string_view base, std::string_view first, std::string_view second) {
  expect(mergedText(base, base, second).orDefault("") == second);
  expect(mergedText(base, first, base).orDefault("") == first);
  expect(mergedText(base, first, first).orDefault("") == first);
  auto merged = mergedText(base, first, second), other = mergedText(base, second, first);
  expect((merged == nullptr) == (other == nullptr));
  KJ_IF_MAYBE(text, merged) {
    std::multiset<std::string> found, there;
    addLines(*text, found);
    addLines(first, there);
    addLines(second, there);
    for (auto& line: found) expect(there.contains(line));
    expect(found.size() <= there.size());
  }
}

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string_view texts[3];
  for (auto& text: texts) {
    auto end = std::min(rest.find('\0'), rest.size());
    text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!hearth::storage::isText(text)) return 0;
  }
  hearth::fuzz::merge(texts[0], texts[1], texts[2]);
  return 0;
}
