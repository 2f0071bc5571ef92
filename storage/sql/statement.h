#pragma once
// One prepared statement with its bound values. Values are always bound, never written into the text
// of a statement; numbers are 64 bits, blobs are views that hold until the next step.

#include "core/base/result.h"

#include <kj/array.h>
#include <kj/string.h>

#include <concepts>
#include <cstdint>

struct sqlite3;
struct sqlite3_stmt;

namespace hearth::storage {

class Statement final {
 public:
  // `sql` is a literal of ours. Requires that it is one statement and fits the schema.
  Statement(sqlite3& connection, kj::StringPtr sql);
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
  sqlite3& connection;
  sqlite3_stmt* statement = nullptr;
  int bound = 0;

  void bindNumber(int64_t number);
};

// Throws unless `code` is SQLite's OK, ROW or DONE.
void requireSqlite(int code, kj::StringPtr doing);

}  // namespace hearth::storage
