#include "crypto/handshake/pattern.h"

#include <kj/debug.h>

#include <string_view>

namespace hearth::crypto {

namespace {

constexpr std::string_view TOKENS[] = {"e", "s", "ee", "es", "se", "ss", "psk", "e1", "ekem1"};

Token tokenOf(std::string_view word) {
  for (size_t i = 0; i < std::size(TOKENS); ++i) {
    if (TOKENS[i] == word) return static_cast<Token>(i);
  }
  KJ_FAIL_REQUIRE("no such token in a handshake pattern", word.size());
}

// Cuts the next word off `rest`; commas and spaces separate. Empty at the end.
std::string_view nextWord(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" ,"), rest.size()));
  auto word = rest.substr(0, rest.find_first_of(" ,"));
  rest.remove_prefix(word.size());
  return word;
}

struct ProtocolText {
  kj::StringPtr name;
  kj::StringPtr notation;
};

constexpr ProtocolText PROTOCOLS[] = {
    {"Noise_XXhfs_25519+MLKEM768_ChaChaPoly_BLAKE2b"_kj,
        "-> e, e1 <- e, ee, ekem1, s, es -> s, se"_kj},
    {"Noise_XXhfspsk0_25519+MLKEM768_ChaChaPoly_BLAKE2b"_kj,
        "-> psk, e, e1 <- e, ee, ekem1, s, es -> s, se"_kj},
    {"Noise_IKhfspsk2_25519+MLKEM768_ChaChaPoly_BLAKE2b"_kj,
        "<- s ... -> e, es, e1, s, ss <- e, ee, ekem1, se, psk"_kj},
    {"Noise_IKhfs_25519+MLKEM768_ChaChaPoly_BLAKE2b"_kj,
        "<- s ... -> e, es, e1, s, ss <- e, ee, ekem1, se"_kj},
};

const ProtocolText& textOf(Protocol protocol) {
  return PROTOCOLS[static_cast<size_t>(protocol) - 1];
}

}  // namespace

bool Pattern::usesPsk() const {
  for (auto& message: messages) {
    for (auto token: message) {
      if (token == Token::PSK) return true;
    }
  }
  return false;
}

Pattern Pattern::parse(kj::StringPtr notation) {
  Pattern pattern;
  std::string_view rest(notation.cStr(), notation.size());
  bool before = rest.find("...") != std::string_view::npos;  // reading pre-messages
  bool fromInitiator = true;
  for (auto word = nextWord(rest); !word.empty(); word = nextWord(rest)) {
    if (word == "...") {
      before = false;
    } else if (word == "->" || word == "<-") {
      fromInitiator = word == "->";
      if (before) continue;
      KJ_REQUIRE(fromInitiator == (pattern.messages.size() % 2 == 0), "messages alternate");
      pattern.messages.add();
    } else if (before) {
      KJ_REQUIRE(tokenOf(word) == Token::S, "only static keys are known beforehand");
      (fromInitiator ? pattern.initiatorStaticKnown : pattern.responderStaticKnown) = true;
    } else {
      pattern.messages.back().add(tokenOf(word));
    }
  }
  return pattern;
}

kj::StringPtr nameOf(Protocol protocol) { return textOf(protocol).name; }

kj::StringPtr notationOf(Protocol protocol) { return textOf(protocol).notation; }

}  // namespace hearth::crypto
