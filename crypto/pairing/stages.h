#pragma once
// What the machines of pairing and of recovery, which go from stage to stage, have in common.

#include "core/base/result.h"

#include <kj/common.h>
#include <kj/debug.h>

namespace hearth::crypto {

// What `step` gives, and the first error ends the machine: from then on there is only `ended`.
template <typename Stage, typename Step>
auto untilError(Stage& stage, kj::StringPtr ended, Step&& step) -> decltype(step()) {
  if (stage == Stage::ENDED) return no(Errc::BAD_FORMAT, ended);
  auto effects = step();
  if (!effects) stage = Stage::ENDED;
  return effects;
}

template <typename T>
T& held(kj::Maybe<T>& value) {
  return KJ_ASSERT_NONNULL(value, "a stage without what the one before made");
}

}  // namespace hearth::crypto
