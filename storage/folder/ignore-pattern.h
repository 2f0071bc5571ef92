#pragma once
// One line of a .hearthignore file, in gitignore's syntax (git's documentation, gitignore(5), "PATTERN FORMAT"): what it
// says of a name or of a path. Matching takes at most the product of both lengths: a pattern that is made to be slow is
// not. Like git's it compares bytes: `?` is one byte.

#include "core/base/result.h"

#include <kj/common.h>

#include <bitset>
#include <string_view>
#include <vector>

namespace hearth::storage {

class IgnorePattern final {
 public:
  static constexpr size_t LINE_BYTES_MAX = 1'024;

  // None for a line that says nothing: empty, a comment, or a pattern that matches no path there can be.
  // Errors: LIMIT_EXCEEDED.
  static Result<kj::Maybe<IgnorePattern>> parse(std::string_view line);

  // `path`: from the directory that the line stands for.
  bool matches(std::string_view path, bool isDirectory) const;

  bool isNegative() const { return negative; }

 private:
  enum class Kind : uint8_t {
    BYTE,         // that one
    ANY,          // ?: but a slash
    CLASS,        // [...]: never a slash
    STAR,         // *: any number of bytes but slashes
    DIRECTORIES,  // **/: nothing, or whatever ends with a slash
    EVERYTHING,   // ** at the end, or before an escaped slash
  };
  struct Token {
    Kind kind;
    uint8_t byte = 0;    // BYTE
    uint16_t which = 0;  // CLASS
  };
  using Class = std::bitset<256>;
  struct Parser;

  bool negative = false, directoriesOnly = false, byName = false;
  std::vector<Token> tokens;
  std::vector<Class> classes;

  bool takes(const Token& token, char byte) const;
  bool canMatch() const;
};

}  // namespace hearth::storage
