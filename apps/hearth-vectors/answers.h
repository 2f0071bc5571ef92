#pragma once
// What `hearth-vectors answers` can answer. To add kinds, write a function that gives "out" for
// "in", list it in a group, and name the group in answers.cc.

#include "apps/hearth-vectors/fields.h"

namespace hearth::vectors {

using Answer = Json (*)(const Json& in);

struct AnswerKind {
  const char* kind;
  Answer answer;
};

kj::ArrayPtr<const AnswerKind> primitiveAnswers();
kj::ArrayPtr<const AnswerKind> identityAnswers();
kj::ArrayPtr<const AnswerKind> pairingAnswers();
kj::ArrayPtr<const AnswerKind> recordAnswers();
kj::ArrayPtr<const AnswerKind> membershipAnswers();

}  // namespace hearth::vectors
