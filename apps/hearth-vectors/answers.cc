// hearth-vectors answers: known answers, one function per kind, grouped by the part of the crypto
// floor that they test. Each group is one source file, answers-*.cc.

#include "apps/hearth-vectors/answers.h"

#include "apps/hearth-vectors/checks.h"

#include <iostream>

namespace hearth::vectors {

namespace {

kj::Maybe<Answer> answerFor(const std::string& kind) {
  for (auto group: {primitiveAnswers(), identityAnswers(), pairingAnswers(), recordAnswers(),
           membershipAnswers()}) {
    for (auto& each: group) {
      if (kind == each.kind) return each.answer;
    }
  }
  return nullptr;
}

}  // namespace

Tally checkAnswers(const Json& file) {
  Tally tally;
  size_t index = 0;
  for (auto& entry: file) {
    auto kind = entry.at("kind").get<std::string>();
    KJ_IF_MAYBE(answer, answerFor(kind)) {
      bool passed = (*answer)(entry.at("in")) == entry.at("out");
      ++(passed ? tally.passed : tally.failed);
      if (!passed) std::cerr << "failed: answer " << index << ", " << kind << "\n";
    } else {
      ++tally.skipped;
    }
    ++index;
  }
  return tally;
}

}  // namespace hearth::vectors
