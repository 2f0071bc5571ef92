// What a .hearthignore file says, and the paths that it is asked about: both may be anybody's. Also paths alone, as they
// come from other devices.
#include "storage/folder/ignore.h"

#include "tests/fuzz/target.h"
#include "tests/storage/folder/slow-glob.h"

namespace hearth::fuzz {
namespace {

using namespace storage;

std::string_view textOf(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

// A path is names that lead nowhere else, or it is none.
void checkPath(std::string_view text) {
  auto path = FolderPath::parse(text);
  if (!path) return;
  expect(path->str() == text && !path->isFolder());
  expect(("/" + path->str() + "/").find("/../") == std::string::npos);
  auto directory = path->directory();
  expect(directory.child(path->name()).value() == *path);
  expect(path->isWithin(directory) && !directory.isWithin(*path));
}

// Two files, one in a directory; then paths.
void ask(FlatReader& in) {
  IgnoreRules rules;
  (void)rules.add(FolderPath(), textOf(in.var16()));
  (void)rules.add(FolderPath::parse("d").value(), textOf(in.var16()));
  while (in.good() && in.remaining().size() > 0) {
    auto text = textOf(in.var8());
    checkPath(text);
    auto path = FolderPath::parse(text);
    if (!path) continue;
    auto first = rules.ignores(*path, true);
    expect(rules.ignores(*path, true) == first);
    auto child = path->child("x");
    if (first && child) expect(rules.ignores(*child, false));
    auto directory = path->directory();
    if (rules.ignores(directory, true)) expect(first);
  }
}

// One pattern of what the slow account knows, and a path.
void compare(FlatReader& in) {
  constexpr size_t BYTES_MAX = 20;
  auto pattern = std::string(textOf(in.var8(BYTES_MAX)));
  auto text = std::string(textOf(in.var8(BYTES_MAX)));
  if (!in.good() || !FolderPath::parse(text)) return;
  // Behind the slash that ties it to its place, what a line says at its two ends and in classes aside.
  bool isPlain = !pattern.ends_with('/');
  for (auto special: {'[', '\\', ' ', '\0'}) isPlain &= pattern.find(special) == std::string::npos;
  if (!isPlain) return;
  auto parsed = IgnorePattern::parse("/" + pattern);
  expect(parsed.has_value());
  KJ_IF_MAYBE(one, *parsed) {
    expect(one->matches(text, false) == slowlyMatches(pattern, text));
  }
}

constexpr void (*WAYS[])(FlatReader&) = {ask, compare};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
