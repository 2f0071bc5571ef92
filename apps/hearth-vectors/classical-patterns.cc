#include "apps/hearth-vectors/classical-patterns.h"

#include <string_view>

namespace hearth::vectors {

namespace {

using crypto::Pattern;
using crypto::Token;

struct Named {
  std::string_view name;
  kj::StringPtr notation;
};

constexpr Named PATTERNS[] = {
    // one-way, §7.4
    {"N", "<- s ... -> e, es"_kj},
    {"K", "-> s <- s ... -> e, es, ss"_kj},
    {"X", "<- s ... -> e, es, s, ss"_kj},
    // interactive, §7.5
    {"NN", "-> e <- e, ee"_kj},
    {"NK", "<- s ... -> e, es <- e, ee"_kj},
    {"NX", "-> e <- e, ee, s, es"_kj},
    {"KN", "-> s ... -> e <- e, ee, se"_kj},
    {"KK", "-> s <- s ... -> e, es, ss <- e, ee, se"_kj},
    {"KX", "-> s ... -> e <- e, ee, se, s, es"_kj},
    {"XN", "-> e <- e, ee -> s, se"_kj},
    {"XK", "<- s ... -> e, es <- e, ee -> s, se"_kj},
    {"XX", "-> e <- e, ee, s, es -> s, se"_kj},
    {"IN", "-> e, s <- e, ee, se"_kj},
    {"IK", "<- s ... -> e, es, s, ss <- e, ee, se"_kj},
    {"IX", "-> e, s <- e, ee, se, s, es"_kj},
    // deferred, §7.6
    {"NK1", "<- s ... -> e <- e, ee, es"_kj},
    {"NX1", "-> e <- e, ee, s -> es"_kj},
    {"X1N", "-> e <- e, ee -> s <- se"_kj},
    {"X1K", "<- s ... -> e, es <- e, ee -> s <- se"_kj},
    {"XK1", "<- s ... -> e <- e, ee, es -> s, se"_kj},
    {"X1K1", "<- s ... -> e <- e, ee, es -> s <- se"_kj},
    {"X1X", "-> e <- e, ee, s, es -> s <- se"_kj},
    {"XX1", "-> e <- e, ee, s -> es, s, se"_kj},
    {"X1X1", "-> e <- e, ee, s -> es, s <- se"_kj},
    {"K1N", "-> s ... -> e <- e, ee -> se"_kj},
    {"K1K", "-> s <- s ... -> e, es <- e, ee -> se"_kj},
    {"KK1", "-> s <- s ... -> e <- e, ee, se, es"_kj},
    {"K1K1", "-> s <- s ... -> e <- e, ee, es -> se"_kj},
    {"K1X", "-> s ... -> e <- e, ee, s, es -> se"_kj},
    {"KX1", "-> s ... -> e <- e, ee, se, s -> es"_kj},
    {"K1X1", "-> s ... -> e <- e, ee, s -> se, es"_kj},
    {"I1N", "-> e, s <- e, ee -> se"_kj},
    {"I1K", "<- s ... -> e, es, s <- e, ee -> se"_kj},
    {"IK1", "<- s ... -> e, s <- e, ee, se, es"_kj},
    {"I1K1", "<- s ... -> e, s <- e, ee, es -> se"_kj},
    {"I1X", "-> e, s <- e, ee, s, es -> se"_kj},
    {"IX1", "-> e, s <- e, ee, se, s -> es"_kj},
    {"I1X1", "-> e, s <- e, ee, s -> se, es"_kj},
};

// Puts the psk token where "psk<digit>" says. False when there is no such message.
bool addPsk(Pattern& pattern, size_t place) {
  if (place > pattern.messages.size()) return false;
  auto& message = pattern.messages[place == 0 ? 0 : place - 1];
  if (place > 0) {
    message.add(Token::PSK);
    return true;
  }
  kj::Vector<Token> tokens;
  tokens.add(Token::PSK);
  tokens.addAll(message);
  message = kj::mv(tokens);
  return true;
}

}  // namespace

kj::Maybe<Pattern> classicalPattern(kj::StringPtr name) {
  std::string_view whole(name.cStr(), name.size());
  auto modifiers = whole.substr(std::min(whole.find("psk"), whole.size()));
  auto base = whole.substr(0, whole.size() - modifiers.size());
  for (auto& each: PATTERNS) {
    if (each.name != base) continue;
    auto pattern = Pattern::parse(each.notation);
    while (!modifiers.empty()) {
      if (modifiers.starts_with('+')) modifiers.remove_prefix(1);
      if (!modifiers.starts_with("psk") || modifiers.size() < 4) return nullptr;
      if (!addPsk(pattern, static_cast<size_t>(modifiers[3] - '0'))) return nullptr;
      modifiers.remove_prefix(4);
    }
    return kj::mv(pattern);
  }
  return nullptr;
}

}  // namespace hearth::vectors
