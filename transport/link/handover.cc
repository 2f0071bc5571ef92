#include "transport/link/handover.h"

#include "core/base/flat.h"

#include <kj/debug.h>

namespace hearth::transport {

kj::Array<kj::byte> encode(const Resume& resume) {
  FlatWriter out;
  out.bytes(resume.token.asBytes())
      .u32(resume.number)
      .u32(resume.begun)
      .bytes(encode(resume.states));
  return out.finish();
}

Result<Resume> readResume(kj::ArrayPtr<const kj::byte> bytes) {
  FlatReader in(bytes);
  Resume resume;
  resume.token = in.id<SessionToken>();
  resume.number = in.u32();
  resume.begun = in.u32();
  if (!in.good() || resume.number == 0 || resume.begun > resume.number)
    return no(Errc::BAD_FORMAT, "a RESUME that cannot be");
  auto states = readLaneStates(in.remaining());
  if (!states) return no(states.error());
  resume.states = kj::mv(*states);
  // What has not begun, or begins with this, has no streams.
  bool isEmpty = resume.states == LaneStates();
  if (!isEmpty && (resume.begun == 0 || resume.begun == resume.number))
    return no(Errc::BAD_FORMAT, "streams of a session that has not begun");
  return resume;
}

Resume Handover::call(LaneStates states, Entropy& entropy) {
  KJ_REQUIRE(chooses);
  KJ_REQUIRE(hasBegun() || states == LaneStates(), "streams of a session that has not begun");
  if (number == 0) entropy.fill(token.bytes);
  KJ_ASSERT(number < UINT32_MAX);
  return {token, ++number, begun, kj::mv(states)};
}

Result<Handover::Outcome> Handover::answered(const Resume& answer) {
  KJ_REQUIRE(chooses);
  if (answer.token != token || answer.number != number || answer.begun == 0)
    return no(Errc::BAD_FORMAT, "an answer to another RESUME");
  if (answer.begun == number) {
    begun = number;
    return Outcome::BEGINS;
  }
  if (hasBegun() && answer.begun != begun)
    return no(Errc::BAD_FORMAT, "a session that was not called for");
  begun = answer.begun;
  return Outcome::GOES_ON;
}

Result<Handover::Outcome> Handover::called(const Resume& call) {
  KJ_REQUIRE(!chooses);
  bool known = hasBegun() && call.token == token;
  if (known && call.number <= number) return no(Errc::STALE, "a newer RESUME has come");
  if (call.begun == call.number) return no(Errc::BAD_FORMAT, "a RESUME that answers itself");
  // A chooser that has had no answer yet does not know that the session has begun.
  bool goesOn = known && (call.begun == begun || call.begun == 0);
  token = call.token;
  number = call.number;
  if (goesOn) return Outcome::GOES_ON;
  begun = number;
  return Outcome::BEGINS;
}

Resume Handover::answer(LaneStates states) const {
  KJ_REQUIRE(!chooses && hasBegun());
  return {token, number, begun, kj::mv(states)};
}

}  // namespace hearth::transport
