#include "storage/sql/rank.h"

#include "storage/sql/statement.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <sqlcipher/sqlite3.h>
#include <vector>

namespace hearth::storage::rank {

namespace {

// Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009: k1 and b as FTS5 has them.
constexpr double K1 = 1.2, B = 0.75;
constexpr double RARE_PART = 0.001;  // of all rows: those that have some words one after another

// What is the same for all rows of a query.
struct Known {
  std::vector<double> weights;  // of the columns
  std::vector<double> idf;      // of the phrases
  double averageLength = 1;
};

struct Counted {
  int64_t rows = 0, last = 0;
};

int countRow(const Fts5ExtensionApi* api, Fts5Context* fts, void* context) {
  auto& counted = *static_cast<Counted*>(context);
  counted.last = api->xRowid(fts);
  return ++counted.rows < COUNTED_MAX ? SQLITE_OK : SQLITE_DONE;
}

// Rows that have a phrase. They are counted from the oldest on, and the newest are asked for first.
int rowsWith(const Fts5ExtensionApi* api, Fts5Context* fts, int phrase, double all, double& rows) {
  if (api->xPhraseSize(fts, phrase) != 1) {
    rows = all * RARE_PART;
    return SQLITE_OK;
  }
  Counted counted;
  auto code = api->xQueryPhrase(fts, phrase, &counted, &countRow);
  rows = static_cast<double>(counted.rows);
  if (counted.rows >= COUNTED_MAX && counted.last > 0)
    rows *= static_cast<double>(std::max<int64_t>(api->xRowid(fts), counted.last)) /
        static_cast<double>(counted.last);
  rows = std::min(rows, all);
  return code;
}

int learn(const Fts5ExtensionApi* api, Fts5Context* fts, int count, sqlite3_value** values,
    Known& known) {
  for (int i = 0; i < count; ++i) known.weights.push_back(sqlite3_value_double(values[i]));
  known.weights.resize(static_cast<size_t>(api->xColumnCount(fts)), 1.0);
  sqlite3_int64 all = 0, words = 0;
  if (auto code = api->xRowCount(fts, &all); code != SQLITE_OK) return code;
  if (auto code = api->xColumnTotalSize(fts, -1, &words); code != SQLITE_OK) return code;
  auto rows = static_cast<double>(std::max<sqlite3_int64>(all, 1));
  known.averageLength = std::max(1.0, static_cast<double>(words) / rows);
  auto phrases = api->xPhraseCount(fts);
  // One alone need not be weighed against others.
  if (phrases == 1) known.idf.push_back(1);
  for (int phrase = 0; phrase < phrases && phrases > 1; ++phrase) {
    double with = 0;
    if (auto code = rowsWith(api, fts, phrase, rows, with); code != SQLITE_OK) return code;
    known.idf.push_back(std::max(1e-6, std::log((rows - with + 0.5) / (with + 0.5))));
  }
  return SQLITE_OK;
}

int score(const Fts5ExtensionApi* api, Fts5Context* fts, const Known& known, double& out) {
  std::vector<double> times(known.idf.size());
  int instances = 0, length = 0;
  if (auto code = api->xInstCount(fts, &instances); code != SQLITE_OK) return code;
  for (int i = 0; i < instances; ++i) {
    int phrase = 0, column = 0, offset = 0;
    if (auto code = api->xInst(fts, i, &phrase, &column, &offset); code != SQLITE_OK) return code;
    times[static_cast<size_t>(phrase)] += known.weights[static_cast<size_t>(column)];
  }
  if (auto code = api->xColumnSize(fts, -1, &length); code != SQLITE_OK) return code;
  auto norm = K1 * (1 - B + B * length / known.averageLength);
  for (size_t i = 0; i < times.size(); ++i)
    out += known.idf[i] * times[i] * (K1 + 1) / (times[i] + norm);
  return SQLITE_OK;
}

void rank(const Fts5ExtensionApi* api, Fts5Context* fts, sqlite3_context* result, int count,
    sqlite3_value** values) {
  auto* known = static_cast<Known*>(api->xGetAuxdata(fts, 0));
  if (known == nullptr) {
    auto fresh = std::make_unique<Known>();
    auto code = learn(api, fts, count, values, *fresh);
    known = fresh.get();
    if (code == SQLITE_OK)
      code = api->xSetAuxdata(
          fts, fresh.release(), [](void* old) { delete static_cast<Known*>(old); });
    if (code != SQLITE_OK) return sqlite3_result_error_code(result, code);
  }
  double found = 0;
  if (auto code = score(api, fts, *known, found); code != SQLITE_OK)
    return sqlite3_result_error_code(result, code);
  sqlite3_result_int64(result, static_cast<sqlite3_int64>(found * 1e6));
}

}  // namespace

void teach(fts5_api& api) {
  requireSqlite(api.xCreateFunction(&api, "hearth_rank", nullptr, &rank, nullptr), "hearth_rank");
}

}  // namespace hearth::storage::rank
