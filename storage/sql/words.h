#pragma once
// How text is cut into words, for the full-text index and for everybody who must agree with it: FTS5's unicode61 with
// diacritics left out, and beside it each character a word of its own in scripts that put no spaces between words, so
// that a part of what is written there is found as a phrase.

#include <kj/function.h>
#include <kj/mutex.h>

#include <string_view>

struct sqlite3;
struct Fts5Tokenizer;

namespace hearth::storage {

class Words final {
 public:
  Words();
  ~Words() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(Words);

  struct Word {
    std::string_view folded;  // as the index has it; holds during the call
    size_t begin, end;        // in the text, in bytes
  };
  // Calls `each` for the words of the text in their order, until it gives false. The text may be any bytes.
  // On any thread, one at a time.
  void cut(std::string_view text, kj::FunctionParam<bool(const Word&)> each) const;

  // The connection's full-text tables may name this tokenizer from now on: "hearth". And be ranked (rank.h).
  static void teach(sqlite3& connection);

 private:
  sqlite3* connection = nullptr;  // to nothing: the tokenizer is reached through one
  kj::MutexGuarded<Fts5Tokenizer*> tokenizer;
};

}  // namespace hearth::storage
