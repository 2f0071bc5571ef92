#include "crypto/membership/op-set.h"

#include <algorithm>

namespace hearth::crypto {

OpSet OpSet::firstOf(OpIndex size) {
  OpSet all;
  all.words.assign(size / BITS, ~uint64_t{0});
  if (size % BITS != 0) all.words.push_back((uint64_t{1} << (size % BITS)) - 1);
  return all;
}

size_t OpSet::count() const {
  size_t bits = 0;
  for (auto word: words) bits += static_cast<size_t>(std::popcount(word));
  return bits;
}

bool OpSet::intersects(const OpSet& other) const {
  auto shared = std::min(words.size(), other.words.size());
  for (size_t i = 0; i < shared; ++i) {
    if ((words[i] & other.words[i]) != 0) return true;
  }
  return false;
}

void OpSet::insert(OpIndex op) {
  if (op / BITS >= words.size()) words.resize(op / BITS + 1);
  words[op / BITS] |= uint64_t{1} << (op % BITS);
}

void OpSet::erase(OpIndex op) {
  if (!contains(op)) return;
  words[op / BITS] &= ~(uint64_t{1} << (op % BITS));
  trim();
}

OpSet& OpSet::operator|=(const OpSet& other) {
  if (other.words.size() > words.size()) words.resize(other.words.size());
  for (size_t i = 0; i < other.words.size(); ++i) words[i] |= other.words[i];
  return *this;
}

OpSet& OpSet::operator&=(const OpSet& other) {
  if (words.size() > other.words.size()) words.resize(other.words.size());
  for (size_t i = 0; i < words.size(); ++i) words[i] &= other.words[i];
  trim();
  return *this;
}

OpSet& OpSet::operator-=(const OpSet& other) {
  auto shared = std::min(words.size(), other.words.size());
  for (size_t i = 0; i < shared; ++i) words[i] &= ~other.words[i];
  trim();
  return *this;
}

OpIndex OpSet::last() const {
  auto top = words.size() - 1;
  return static_cast<OpIndex>(
      top * BITS + (BITS - 1 - static_cast<size_t>(std::countl_zero(words[top]))));
}

OpSet OpSet::common(const OpSet& other) const {
  OpSet both;
  auto shared = std::min(words.size(), other.words.size());
  while (shared > 0 && (words[shared - 1] & other.words[shared - 1]) == 0) --shared;
  both.words.resize(shared);
  for (size_t i = 0; i < shared; ++i) both.words[i] = words[i] & other.words[i];
  return both;
}

void OpSet::trim() {
  while (!words.empty() && words.back() == 0) words.pop_back();
}

}  // namespace hearth::crypto
