#pragma once
// What the rules know about single words.

#include <string_view>

namespace hearth::format {

bool isFiller(std::string_view word);          // um, uh
bool mayRepeat(std::string_view word);         // "very very", "had had"
bool isSubject(std::string_view word);         // i, you, they, ...
bool isDeterminer(std::string_view word);      // the, a, my, this, ...
bool isConjunction(std::string_view word);     // and, but, so, ...
bool isAuxiliary(std::string_view word);       // is, did, can, ...
bool isAskedAmount(std::string_view word);     // many, much, long ... as in "how many"
bool isProperNoun(std::string_view word);      // monday, american, ...
bool isMonthContext(std::string_view before);  // "in may", "last march": a month, not a verb

}  // namespace hearth::format
