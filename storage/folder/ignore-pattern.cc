#include "storage/folder/ignore-pattern.h"

#include "storage/folder/folder-path.h"

#include <algorithm>

namespace hearth::storage {

namespace {

using Member = bool (*)(uint8_t);

bool isDigit(uint8_t c) { return c >= '0' && c <= '9'; }
bool isUpper(uint8_t c) { return c >= 'A' && c <= 'Z'; }
bool isLower(uint8_t c) { return c >= 'a' && c <= 'z'; }
bool isAlpha(uint8_t c) { return isUpper(c) || isLower(c); }
bool isAlnum(uint8_t c) { return isAlpha(c) || isDigit(c); }
bool isGraph(uint8_t c) { return c > 0x20 && c < 0x7f; }

// Of ASCII alone, as git has them, whatever the language of whoever runs it.
struct Named {
  std::string_view name;
  Member has;
};
constexpr Named NAMED[] = {
    {"alnum", isAlnum},
    {"alpha", isAlpha},
    {"blank", [](uint8_t c) { return c == ' ' || c == '\t'; }},
    {"cntrl", [](uint8_t c) { return c < 0x20 || c == 0x7f; }},
    {"digit", isDigit},
    {"graph", isGraph},
    {"lower", isLower},
    {"print", [](uint8_t c) { return isGraph(c) || c == ' '; }},
    {"punct", [](uint8_t c) { return isGraph(c) && !isAlnum(c); }},
    {"space", [](uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }},
    {"upper", isUpper},
    {"xdigit",
        [](uint8_t c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }},
};

// Spaces at the end do not count, unless a backslash stands before them.
std::string_view withoutTrailingSpaces(std::string_view line) {
  auto end = line.size();
  for (size_t i = 0, spaces = line.size(); i < line.size(); ++i) {
    if (line[i] == ' ') {
      spaces = std::min(spaces, i);
    } else {
      spaces = line.size();
      if (line[i] == '\\') ++i;
    }
    end = spaces;
  }
  return line.substr(0, end);
}

}  // namespace

struct IgnorePattern::Parser {
  IgnorePattern& pattern;
  std::string_view text;
  size_t at = 0;
  bool good = true;

  uint8_t next() {
    if (at == text.size()) good = false;
    return good ? static_cast<uint8_t>(text[at++]) : 0;
  }
  bool sees(std::string_view what) const { return text.substr(at).starts_with(what); }
  void add(Token token) { pattern.tokens.push_back(token); }

  void parse() {
    while (good && at < text.size()) {
      auto byte = next();
      if (byte == '*') {
        parseStars();
      } else if (byte == '?') {
        add({Kind::ANY});
      } else if (byte == '[') {
        parseClass();
      } else {
        add({Kind::BYTE, byte == '\\' ? next() : byte});
      }
    }
  }

  // One is seen. Two or more mean directories only between slashes, and a pattern for names knows of none.
  void parseStars() {
    auto first = at - 1;
    while (sees("*")) ++at;
    bool isSeveral = at - first > 1;
    bool isAfterSlash = first == 0 || text[first - 1] == '/';
    bool isBeforeSlash = sees("/") || sees("\\/");
    bool isAtEnd = at == text.size();
    if (!isSeveral || !isAfterSlash || !(isBeforeSlash || isAtEnd) || pattern.byName) {
      add({Kind::STAR});
    } else if (sees("/")) {
      ++at;
      add({Kind::DIRECTORIES});
    } else {
      add({Kind::EVERYTHING});
    }
  }

  // The bracket is seen.
  void parseClass() {
    Class members;
    bool isNegated = sees("!") || sees("^");
    if (isNegated) ++at;
    auto before = 0;  // where a range may begin; 0: none may
    bool isFirst = true;
    for (auto byte = next(); good && (byte != ']' || isFirst); byte = next(), isFirst = false) {
      if (byte == '\\') {
        byte = next();
        members.set(byte);
        before = byte;
      } else if (byte == '-' && before != 0 && at < text.size() && text[at] != ']') {
        auto last = next();
        if (last == '\\') last = next();
        for (int member = before; member <= last; ++member) members.set(member);
        before = 0;
      } else if (byte == '[' && sees(":")) {
        before = parseNamed(members) ? 0 : '[';
      } else {
        members.set(byte);
        before = byte;
      }
    }
    if (isNegated) members.flip();
    members.reset('/');
    add({Kind::CLASS, 0, static_cast<uint16_t>(pattern.classes.size())});
    pattern.classes.push_back(members);
  }

  // [:name:] or, where it does not end so, a bracket among others.
  bool parseNamed(Class& members) {
    auto end = text.find(']', at + 1);
    if (end == std::string_view::npos) {
      good = false;
      return false;
    }
    auto name = text.substr(at + 1, end - at - 1);
    if (name.empty() || name.back() != ':') {
      members.set('[');
      return false;
    }
    name.remove_suffix(1);
    auto found = std::find_if(
        std::begin(NAMED), std::end(NAMED), [&](auto& named) { return named.name == name; });
    good = found != std::end(NAMED);
    for (int member = 0; good && member < 256; ++member) {
      if (found->has(static_cast<uint8_t>(member))) members.set(member);
    }
    at = end + 1;
    return true;
  }
};

Result<kj::Maybe<IgnorePattern>> IgnorePattern::parse(std::string_view line) {
  if (line.size() > LINE_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a line of more than 1024 bytes in .hearthignore");
  if (line.starts_with('#')) return kj::Maybe<IgnorePattern>();
  line = withoutTrailingSpaces(line);
  IgnorePattern pattern;
  pattern.negative = line.starts_with('!');
  if (pattern.negative) line.remove_prefix(1);
  pattern.directoriesOnly = line.ends_with('/');
  if (pattern.directoriesOnly) line.remove_suffix(1);
  pattern.byName = line.find('/') == std::string_view::npos;
  if (line.starts_with('/')) line.remove_prefix(1);
  Parser parser{pattern, line};
  parser.parse();
  if (!parser.good || !pattern.canMatch()) return kj::Maybe<IgnorePattern>();
  return kj::Maybe<IgnorePattern>(kj::mv(pattern));
}

// A name has some bytes, but not too many: so what stands between two slashes is short, and matching quick.
bool IgnorePattern::canMatch() const {
  size_t bytes = 0;  // of a name, at the least
  for (auto& token: tokens) {
    bool isSlash = token.kind == Kind::BYTE && token.byte == '/';
    bool isOne = token.kind == Kind::BYTE || token.kind == Kind::ANY || token.kind == Kind::CLASS;
    if (isSlash || token.kind == Kind::DIRECTORIES) {
      bytes = 0;
    } else if (isOne && ++bytes > FolderPath::NAME_BYTES_MAX) {
      return false;
    }
  }
  return !tokens.empty();
}

bool IgnorePattern::takes(const Token& token, char byte) const {
  switch (token.kind) {
    case Kind::BYTE:
      return static_cast<uint8_t>(byte) == token.byte;
    case Kind::ANY:
      return byte != '/';
    case Kind::CLASS:
      return classes[token.which].test(static_cast<uint8_t>(byte));
    default:
      return false;
  }
}

// Where something does not fit, the last star takes one byte more; and where that would be a slash, the last `**` one
// directory more. Nothing before them need change: what an earlier one took more, the last one could not have had less
// of.
bool IgnorePattern::matches(std::string_view path, bool isDirectory) const {
  if (directoriesOnly && !isDirectory) return false;
  auto text = byName ? path.substr(path.rfind('/') + 1) : path;
  constexpr size_t NONE = SIZE_MAX;
  size_t at = 0, token = 0;
  size_t star = NONE, starAt = 0;  // the last one, and where what follows it is tried
  size_t wide = NONE, wideAt = 0;  // the same of ** in its two kinds
  while (true) {
    auto kind = token < tokens.size() ? tokens[token].kind : Kind::BYTE;
    if (token == tokens.size() && at == text.size()) return true;
    if (token < tokens.size() && kind == Kind::STAR) {
      star = token++;
      starAt = at;
    } else if (kind == Kind::DIRECTORIES || kind == Kind::EVERYTHING) {
      if (kind == Kind::EVERYTHING && token + 1 == tokens.size()) return true;
      wide = token++;
      wideAt = at;
      star = NONE;
    } else if (token < tokens.size() && at < text.size() && takes(tokens[token], text[at])) {
      ++token;
      ++at;
    } else if (star != NONE && starAt < text.size() && text[starAt] != '/') {
      at = ++starAt;
      token = star + 1;
    } else if (wide != NONE && wideAt < text.size()) {
      bool isDirectories = tokens[wide].kind == Kind::DIRECTORIES;
      auto slash = isDirectories ? text.find('/', wideAt) : wideAt;
      if (slash == std::string_view::npos) return false;
      at = wideAt = slash + 1;
      token = wide + 1;
      star = NONE;
    } else {
      return false;
    }
  }
}

}  // namespace hearth::storage
