#pragma once
// What a pattern of gitignore matches, written down as the documentation says it and tried in every way there is: for
// short patterns and paths alone.

#include <string_view>

namespace hearth::storage {

// `anchored`: matched against the whole path, where * and ? stop at slashes. Of escapes and classes only \x and sets of
// plain bytes.
inline bool slowlyMatches(std::string_view pattern, std::string_view text, bool isStart = true) {
  if (pattern.empty()) return text.empty();
  auto rest = pattern.substr(1);
  if (pattern[0] == '*') {
    auto stars = std::min(pattern.find_first_not_of('*'), pattern.size());
    auto behind = pattern.substr(stars);
    bool isWide = stars > 1 && isStart && (behind.empty() || behind[0] == '/');
    if (isWide && behind.empty()) return true;
    if (isWide) {
      // Nothing, or some directories.
      auto next = behind.substr(1);
      if (slowlyMatches(next, text, true)) return true;
      for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '/' && slowlyMatches(next, text.substr(i + 1), true)) return true;
      }
      return false;
    }
    for (size_t i = 0; i <= text.size(); ++i) {
      if (slowlyMatches(behind, text.substr(i), false)) return true;
      if (i < text.size() && text[i] == '/') return false;
    }
    return false;
  }
  if (text.empty()) return false;
  if (pattern[0] == '?') return text[0] != '/' && slowlyMatches(rest, text.substr(1), false);
  if (pattern[0] == '[') {
    auto end = pattern.find(']', 2);
    if (end == std::string_view::npos) return false;
    bool isIn = pattern.substr(1, end - 1).find(text[0]) != std::string_view::npos;
    return isIn && text[0] != '/' && slowlyMatches(pattern.substr(end + 1), text.substr(1), false);
  }
  if (pattern[0] == '\\') {
    if (rest.empty() || rest[0] != text[0]) return false;
    return slowlyMatches(rest.substr(1), text.substr(1), false);
  }
  return pattern[0] == text[0] && slowlyMatches(rest, text.substr(1), pattern[0] == '/');
}

}  // namespace hearth::storage
