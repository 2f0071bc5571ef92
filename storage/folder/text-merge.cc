#include "storage/folder/text-merge.h"

#include "storage/crdt/differences.h"
#include "storage/crdt/varint.h"

#include <kj/debug.h>

#include <iterator>
#include <vector>

namespace hearth::storage {

namespace {

using Lines = std::vector<std::string_view>;

// What is behind the last line break is a line, too, perhaps an empty one: joined by breaks they are the text again.
Lines linesOf(std::string_view text) {
  Lines lines;
  for (;;) {
    auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == text.npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::string textOf(const Lines& lines) {
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) text += '\n';
    text += lines[i];
  }
  return text;
}

// Lines of the base that somebody has made others of.
struct Change {
  size_t at, erased;
  Lines inserted;

  size_t end() const { return at + erased; }
  bool adds() const { return erased == 0; }
  bool operator==(const Change&) const = default;
};

std::vector<Change> changesOf(const Lines& base, const Lines& made) {
  std::vector<Change> changes;
  auto same = [&](size_t i, size_t j) { return base[i] == made[j]; };
  for (auto& difference: differences(base.size(), made.size(), same)) {
    auto from = made.begin() + static_cast<ptrdiff_t>(difference.from);
    changes.push_back({difference.at, difference.erased,
        {from, from + static_cast<ptrdiff_t>(difference.inserted)}});
  }
  return changes;
}

// Whether a line, or nothing but the place between two, is touched by both.
bool meet(const Change& one, const Change& other) {
  return one.at <= other.end() && other.at <= one.end();
}

// Both together, in order; none where they cannot be.
kj::Maybe<std::vector<Change>> together(std::vector<Change> first, std::vector<Change> second) {
  std::vector<Change> all;
  auto one = first.begin();
  auto other = second.begin();
  while (one != first.end() && other != second.end()) {
    if (!meet(*one, *other)) {
      auto& earlier = one->at < other->at ? one : other;
      all.push_back(std::move(*earlier++));
      continue;
    }
    bool isSame = *one == *other;
    if (!isSame && !(one->adds() && other->adds())) return nullptr;
    if (!isSame)
      one->inserted.insert(one->inserted.end(), other->inserted.begin(), other->inserted.end());
    all.push_back(std::move(*one++));
    ++other;
  }
  all.insert(all.end(), std::make_move_iterator(one), std::make_move_iterator(first.end()));
  all.insert(all.end(), std::make_move_iterator(other), std::make_move_iterator(second.end()));
  // A change of one may have met two of the other.
  for (size_t i = 1; i < all.size(); ++i) {
    if (meet(all[i - 1], all[i])) return nullptr;
  }
  return kj::mv(all);
}

}  // namespace

bool isText(std::string_view bytes) {
  return bytes.size() <= MERGED_BYTES_MAX && bytes.find('\0') == bytes.npos && isUtf8(bytes);
}

kj::Maybe<std::string> mergedText(
    std::string_view base, std::string_view first, std::string_view second) {
  auto lines = linesOf(base);
  auto changes = together(changesOf(lines, linesOf(first)), changesOf(lines, linesOf(second)));
  if (changes == nullptr) return nullptr;
  Lines merged;
  size_t at = 0;
  for (auto& change: KJ_ASSERT_NONNULL(changes)) {
    merged.insert(merged.end(), lines.begin() + static_cast<ptrdiff_t>(at),
        lines.begin() + static_cast<ptrdiff_t>(change.at));
    merged.insert(merged.end(), change.inserted.begin(), change.inserted.end());
    at = change.end();
  }
  merged.insert(merged.end(), lines.begin() + static_cast<ptrdiff_t>(at), lines.end());
  return textOf(merged);
}

}  // namespace hearth::storage
