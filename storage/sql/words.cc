#include "storage/sql/words.h"

#include "storage/sql/rank.h"
#include "storage/sql/statement.h"

#include <kj/debug.h>
#include <kj/memory.h>

#include <memory>
#include <sqlcipher/sqlite3.h>

namespace hearth::storage {

namespace {

using Token = int (*)(void*, int, const char*, int, int, int);

// Of scripts that put no spaces between words: Thai to Myanmar, Khmer, kana, ideographs.
bool standsAlone(uint32_t point) {
  return (point >= 0x0e00 && point <= 0x0eff) || (point >= 0x1000 && point <= 0x109f) ||
      (point >= 0x1780 && point <= 0x17ff) || (point >= 0x3041 && point <= 0x30ff) ||
      (point >= 0x3400 && point <= 0x9fff) || (point >= 0xf900 && point <= 0xfaff) ||
      (point >= 0x20000 && point <= 0x3ffff);
}

// Bytes of the character at the front, if it is one that stands alone; 0 otherwise. All of those have three or four.
int lengthAlone(std::string_view text) {
  auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  auto isMore = [&](size_t i) { return i < text.size() && (at(i) & 0xc0) == 0x80; };
  if (at(0) < 0xe0 || !isMore(1) || !isMore(2)) return 0;
  auto low = static_cast<uint32_t>((at(1) & 0x3f) << 6 | (at(2) & 0x3f));
  if (at(0) < 0xf0) return standsAlone((at(0) & 0x0fu) << 12 | low) ? 3 : 0;
  if (at(0) > 0xf4 || !isMore(3)) return 0;
  return standsAlone((at(0) & 7u) << 18 | low << 6 | (at(3) & 0x3fu)) ? 4 : 0;
}

// FTS5's own tokenizer, which does all but what stands alone.
struct Inner {
  fts5_tokenizer calls{};
  void* context = nullptr;
};

fts5_api& apiOf(sqlite3& connection) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  requireSqlite(
      sqlite3_prepare_v2(&connection, "SELECT fts5(?1)", -1, &statement, nullptr), "fts5");
  KJ_DEFER(sqlite3_finalize(statement));
  requireSqlite(
      sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr),
      "fts5");
  requireSqlite(sqlite3_step(statement), "fts5");
  KJ_REQUIRE(api != nullptr, "SQLCipher was built without FTS5: run scripts/bootstrap");
  return *api;
}

Inner innerOf(sqlite3& connection) {
  Inner inner;
  auto& api = apiOf(connection);
  requireSqlite(api.xFindTokenizer(&api, "unicode61", &inner.context, &inner.calls), "unicode61");
  return inner;
}

}  // namespace

}  // namespace hearth::storage

// What FTS5 calls a tokenizer: it knows this name and nothing of it.
struct Fts5Tokenizer {
  hearth::storage::Inner inner;
  Fts5Tokenizer* unicode = nullptr;

  struct Shifted {
    void* context;
    hearth::storage::Token token;
    int by;
  };

  static int shifted(void* context, int flags, const char* token, int length, int begin, int end) {
    auto& to = *static_cast<Shifted*>(context);
    return to.token(to.context, flags, token, length, begin + to.by, end + to.by);
  }

  // What lies between characters that stand alone.
  int between(void* context, int flags, const char* text, int begin, int end,
      hearth::storage::Token token) {
    if (begin == end) return SQLITE_OK;
    Shifted to{context, token, begin};
    return inner.calls.xTokenize(unicode, &to, flags, text + begin, end - begin, &shifted);
  }

  int cut(void* context, int flags, const char* text, int length, hearth::storage::Token token) {
    std::string_view all(text, static_cast<size_t>(length));
    int begin = 0;
    for (int i = 0; i < length;) {
      auto alone = hearth::storage::lengthAlone(all.substr(static_cast<size_t>(i)));
      if (alone == 0) {
        ++i;
        continue;
      }
      if (auto code = between(context, flags, text, begin, i, token); code != SQLITE_OK)
        return code;
      if (auto code = token(context, 0, text + i, alone, i, i + alone); code != SQLITE_OK)
        return code;
      i += alone;
      begin = i;
    }
    return between(context, flags, text, begin, length, token);
  }
};

namespace hearth::storage {

namespace {

int create(void* context, const char**, int, Fts5Tokenizer** out) {
  auto made = std::make_unique<Fts5Tokenizer>();
  made->inner = *static_cast<Inner*>(context);
  const char* arguments[] = {"remove_diacritics", "2"};
  auto code = made->inner.calls.xCreate(made->inner.context, arguments, 2, &made->unicode);
  *out = code == SQLITE_OK ? made.release() : nullptr;
  return code;
}

void destroy(Fts5Tokenizer* tokenizer) {
  if (tokenizer == nullptr) return;
  tokenizer->inner.calls.xDelete(tokenizer->unicode);
  delete tokenizer;
}

int tokenize(
    Fts5Tokenizer* tokenizer, void* context, int flags, const char* text, int length, Token token) {
  if (text == nullptr || length <= 0) return SQLITE_OK;
  return tokenizer->cut(context, flags, text, length, token);
}

}  // namespace

void Words::teach(sqlite3& connection) {
  auto& api = apiOf(connection);
  fts5_tokenizer calls{.xCreate = &create, .xDelete = &destroy, .xTokenize = &tokenize};
  auto inner = std::make_unique<Inner>(innerOf(connection));
  requireSqlite(api.xCreateTokenizer(&api, "hearth", inner.get(), &calls,
                    [](void* known) { delete static_cast<Inner*>(known); }),
      "tokenizer");
  (void)inner.release();
  rank::teach(api);
}

Words::Words() {
  requireSqlite(sqlite3_open(":memory:", &connection), "words");
  KJ_ON_SCOPE_FAILURE(sqlite3_close_v2(connection));
  auto inner = innerOf(*connection);
  requireSqlite(create(&inner, nullptr, 0, &*tokenizer.lockExclusive()), "words");
}

Words::~Words() noexcept(false) {
  destroy(*tokenizer.lockExclusive());
  sqlite3_close_v2(connection);
}

void Words::cut(std::string_view text, kj::FunctionParam<bool(const Word&)> each) const {
  struct Call {
    kj::FunctionParam<bool(const Word&)>& each;
    kj::Maybe<kj::Exception> failed;
  } call{each, nullptr};
  KJ_REQUIRE(text.size() <= INT32_MAX);
  auto token = [](void* context, int, const char* folded, int length, int begin, int end) {
    auto& call = *static_cast<Call*>(context);
    bool goesOn = false;
    call.failed = kj::runCatchingExceptions([&]() {
      goesOn = call.each({{folded, static_cast<size_t>(length)}, static_cast<size_t>(begin),
          static_cast<size_t>(end)});
    });
    return goesOn ? SQLITE_OK : SQLITE_DONE;
  };
  auto mine = tokenizer.lockExclusive();
  tokenize(*mine, &call, FTS5_TOKENIZE_DOCUMENT, text.data(), static_cast<int>(text.size()), token);
  KJ_IF_MAYBE(e, call.failed) kj::throwFatalException(kj::mv(*e));
}

}  // namespace hearth::storage
