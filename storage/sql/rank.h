#pragma once
// How well a row of a full-text table matches: FTS5's bm25 made for an answer within milliseconds, however frequent a word
// is. In SQL:
//
//   hearth_rank(TABLE, weight of the first column, ...)      greater is better, in millionths
//
// How many rows have a word is counted as far as COUNTED_MAX and reckoned from there on; of several words one after another
// it is not counted at all: they are taken for rare. Nor is what is looked for alone.

#include <cstdint>

struct sqlite3;
struct fts5_api;

namespace hearth::storage::rank {

constexpr int64_t COUNTED_MAX = 2'000;

// The connection's full-text tables may be ranked so from now on.
void teach(fts5_api& api);

}  // namespace hearth::storage::rank
