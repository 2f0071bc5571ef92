#pragma once
// A set of ops of one log, by their places in its topological order: a bit each. Iterating goes in
// that order, so an op comes after everything in its past.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hearth::crypto {

using OpIndex = uint32_t;

class OpSet final {
 public:
  OpSet() = default;

  // 0 .. size-1: all ops of a log of that size.
  static OpSet firstOf(OpIndex size);

  bool contains(OpIndex op) const {
    return op / BITS < words.size() && (words[op / BITS] >> (op % BITS) & 1) != 0;
  }
  bool empty() const { return words.empty(); }
  size_t count() const;
  bool intersects(const OpSet& other) const;
  bool operator==(const OpSet&) const = default;

  void insert(OpIndex op);
  void erase(OpIndex op);
  OpSet& operator|=(const OpSet& other);
  OpSet& operator&=(const OpSet& other);
  OpSet& operator-=(const OpSet& other);
  friend OpSet operator|(OpSet a, const OpSet& b) { return a |= b; }
  friend OpSet operator&(const OpSet& a, const OpSet& b) { return a.common(b); }
  friend OpSet operator-(OpSet a, const OpSet& b) { return a -= b; }

  // The last op. Not of an empty set.
  OpIndex last() const;

  class Iterator {
   public:
    Iterator(const OpSet& set, size_t word): set(set), word(word) { settle(); }
    OpIndex operator*() const {
      return static_cast<OpIndex>(word * BITS + static_cast<size_t>(std::countr_zero(bits)));
    }
    Iterator& operator++() {
      bits &= bits - 1;
      if (bits == 0) ++word, settle();
      return *this;
    }
    bool operator!=(const Iterator& other) const {
      return word != other.word || bits != other.bits;
    }

   private:
    const OpSet& set;
    size_t word;
    uint64_t bits = 0;

    void settle() {
      while (word < set.words.size() && set.words[word] == 0) ++word;
      bits = word < set.words.size() ? set.words[word] : 0;
    }
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, words.size()}; }

 private:
  static constexpr size_t BITS = 64;
  std::vector<uint64_t> words;  // the last one is not zero

  OpSet common(const OpSet& other) const;
  void trim();
};

}  // namespace hearth::crypto
