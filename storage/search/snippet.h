#pragma once
// A few words of a text around what was looked for, and where in them it is.

#include "storage/search/query.h"

namespace hearth::storage::search {

struct Snippet {
  static constexpr size_t BYTES_MAX = 160;

  struct Mark {
    size_t begin, end;  // bytes of `text`

    bool operator==(const Mark&) const = default;
  };
  std::string text;  // UTF-8 in one line
  std::vector<Mark> marks;
  bool hasBefore = false, hasAfter = false;  // the text goes on there

  bool operator==(const Snippet&) const = default;
};

// Where most of the terms are close together; the beginning where none is. A text of any bytes.
Snippet snippetOf(std::string_view text, const Query& query, const Words& words);

}  // namespace hearth::storage::search
