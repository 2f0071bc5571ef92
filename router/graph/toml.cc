#include "router/graph/toml.h"

#include <algorithm>

namespace hearth::router {

namespace {

constexpr std::string_view TOO_MANY_PARTS = "a key has more than 32 parts";
static_assert(TOML_KEY_PARTS_MAX == 32);

// What follows a string that begins at `at`, as the library reads it. A string that never ends, or
// ends with its line, is an error to the library; nothing behind it matters.
size_t behindString(std::string_view text, size_t at) {
  const char quote = text[at];
  const bool isLong = text.substr(at, 3) == std::string(3, quote);
  const std::string end(isLong ? 3 : 1, quote);
  for (at += end.size(); at < text.size(); ++at) {
    if (text.substr(at, end.size()) == end) {
      at += end.size();
      // A long string may end in up to two quotes of its own.
      for (int own = 0; isLong && own < 2 && at < text.size() && text[at] == quote; ++own) ++at;
      return at;
    }
    if (!isLong && text[at] == '\n') return at;
    if (quote == '"' && text[at] == '\\') ++at;
  }
  return text.size();
}

// The line of the first key with too many parts, or 0. Between two of "=,[]{}" and line ends there
// is one key, number or date, and no number or date has more than one dot.
size_t lineOfLongKey(std::string_view text) {
  size_t line = 1, dots = 0;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      const size_t end = behindString(text, at);
      line += static_cast<size_t>(std::ranges::count(text.substr(at, end - at), '\n'));
      at = end;
      continue;
    }
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    if (c == '.' && ++dots >= TOML_KEY_PARTS_MAX) return line;
    if (std::string_view("=,[]{}\n").contains(c)) dots = 0;
    line += c == '\n';
    ++at;
  }
  return 0;
}

}  // namespace

toml::parse_result readToml(std::string_view text) {
  if (const size_t line = lineOfLongKey(text); line != 0) {
    const toml::source_position where{static_cast<toml::source_index>(line), 1};
    return toml::parse_result(
        toml::parse_error(TOO_MANY_PARTS.data(), toml::source_region{where, where, {}}));
  }
  return toml::parse(text);
}

}  // namespace hearth::router
