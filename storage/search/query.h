#pragma once
// What people type to find something. Any bytes are a query, and none is an error:
//
//   dentist milk       both words, in any order, in the title or in the text
//   "new york"         these words one after another
//   dent*              words that begin like this, with two characters or more
//   -milk  -"new york" not where this is
//
// What FTS5 takes for operators are words like any others here.

#include "storage/sql/words.h"

#include <kj/string.h>

#include <string>
#include <vector>

namespace hearth::storage::search {

struct Query {
  static constexpr size_t BYTES_MAX = 4'096;  // what is typed behind them is not looked at
  static constexpr size_t TERMS_MAX = 32;     // nor are more terms, or words of one
  static constexpr size_t WORDS_MAX = 32;
  static constexpr size_t PREFIX_BYTES_MIN = 2;  // with less, nearly everything begins

  struct Term {
    std::vector<std::string> words;  // one after another, folded; at least one
    bool isPrefix = false;           // the last of them
    bool isExcluded = false;

    bool operator==(const Term&) const = default;
  };
  std::vector<Term> terms;

  // Nothing is found by it.
  bool isEmpty() const;

  bool operator==(const Query&) const = default;
};

Query parseQuery(std::string_view typed, const Words& words);

// For FTS5's MATCH: a row matches if its columns have every term that is not excluded, and none that is.
// Requires that the query is not empty.
kj::String matchOf(const Query& query);

}  // namespace hearth::storage::search
