#pragma once
// One prepared statement with its bound values. Values are always bound, never written into the text
// of a statement; numbers are 64 bits, blobs are views that hold until the next step.

#include "core/base/result.h"

#include <kj/array.h>
#include <kj/string.h>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace hearth::storage {

// Statements that nobody uses just now, by their text: to prepare one costs as much as to run it.
class IdleStatements final {
 public:
  static constexpr size_t MAX = 128;

  IdleStatements() = default;
  ~IdleStatements() { clear(); }
  KJ_DISALLOW_COPY_AND_MOVE(IdleStatements);

  // Requires that the text is one statement and fits the schema.
  sqlite3_stmt* take(sqlite3& connection, kj::StringPtr sql);
  // Without the values that were bound.
  void giveBack(sqlite3_stmt* statement) noexcept;
  void clear() noexcept;
  size_t size() const { return idle.size(); }

 private:
  std::unordered_multimap<std::string_view, sqlite3_stmt*>
      idle;  // a key is its statement's own text
};

class Statement final {
 public:
  // `sql` is a literal of ours. Requires that it is one statement and fits the schema. `idle` outlives it.
  Statement(sqlite3& connection, IdleStatements& idle, kj::StringPtr sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  KJ_DISALLOW_COPY(Statement);

  // Binds the next value, from ?1 on. Copies.
  void bind(kj::ArrayPtr<const kj::byte> blob);
  void bind(kj::StringPtr text);
  template <std::integral T>
  void bind(T number) {
    bindNumber(static_cast<int64_t>(number));
  }

  // True: there is a row to read. Throws what SQLite refuses; OVERLOADED when the disk is full.
  bool step();

  // For rows whose pages nobody has looked at yet. Errors: INTEGRITY_FAILED when a page does not
  // authenticate or makes no sense.
  Result<bool> tryStep();

  // Of the current row; columns count from 0.
  int64_t number(int column) const;
  kj::ArrayPtr<const kj::byte> blob(int column) const;
  kj::StringPtr text(int column) const;

 private:
  IdleStatements* idle;
  sqlite3_stmt* statement = nullptr;
  int bound = 0;

  void bindNumber(int64_t number);
};

// Throws unless `code` is SQLite's OK, ROW or DONE.
void requireSqlite(int code, kj::StringPtr doing);

}  // namespace hearth::storage
