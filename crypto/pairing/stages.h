#pragma once
// What the machines of pairing and of recovery, which go from stage to stage, have in common.

#include "crypto/handshake/records.h"
#include "crypto/pairing/channel.h"

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

// What a record of messages leads to: `use` takes each, with the effects that it may add to, until it refuses
// one. Errors: BAD_FORMAT for any other record, and before there is a channel; those of PairChannel::take and
// of `use`.
template <typename Effects, typename Use>
Result<Effects> takeMessages(
    kj::Maybe<PairChannel>& channel, RecordType type, Bytes body, Use&& use) {
  if (type != RecordType::DATA || channel == nullptr)
    return no(Errc::BAD_FORMAT, "a record out of turn");
  auto messages = held(channel).take(body);
  if (!messages) return no(messages.error());
  Effects effects;
  for (auto& message: *messages) {
    if (auto used = use(kj::mv(message), effects); !used) return no(used.error());
  }
  return kj::mv(effects);
}

}  // namespace hearth::crypto
