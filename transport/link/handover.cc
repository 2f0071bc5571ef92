#include "transport/link/handover.h"

#include "core/base/flat.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {
constexpr uint32_t FIRST = 1;  // RESUME of a chooser under a token
}

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

Resume Handover::call(LaneStates states, const SessionToken& fresh) {
  KJ_REQUIRE(chooses);
  KJ_REQUIRE(hasBegun() || states == LaneStates(), "streams of a session that has not begun");
  KJ_ASSERT(number < UINT32_MAX);
  if (hasBegun()) return {token, ++number, begun, kj::mv(states)};
  token = fresh;
  number = begun = FIRST;
  assumed = true;
  return {token, FIRST, 0, {}};
}

void Handover::assume(const SessionToken& fresh) {
  KJ_REQUIRE(!chooses && !hasBegun());
  token = fresh;
  begun = FIRST;
  assumed = true;
}

Result<Handover::Outcome> Handover::answered(const Resume& answer) {
  KJ_REQUIRE(chooses);
  if (answer.token != token || answer.number != number || answer.begun == 0)
    return no(Errc::BAD_FORMAT, "an answer to another RESUME");
  if (answer.begun != begun && answer.begun != number)
    return no(Errc::BAD_FORMAT, "a session that was not called for");
  assumed = false;
  if (answer.begun == begun) return begun == number ? Outcome::AGREES : Outcome::GOES_ON;
  begun = number;
  return Outcome::BEGINS;
}

Result<Handover::Outcome> Handover::called(const Resume& call) {
  KJ_REQUIRE(!chooses);
  bool known = hasBegun() && call.token == token;
  if (known && call.number <= number) return no(Errc::STALE, "a newer RESUME has come");
  if (call.begun == call.number) return no(Errc::BAD_FORMAT, "a RESUME that answers itself");
  bool agrees = known && assumed && call.number == FIRST;
  bool goesOn = known && call.begun == begun;
  token = call.token;
  number = call.number;
  assumed = false;
  if (agrees) return Outcome::AGREES;
  if (goesOn) return Outcome::GOES_ON;
  begun = number;
  return Outcome::BEGINS;
}

Resume Handover::answer(LaneStates states) const {
  KJ_REQUIRE(!chooses && hasBegun());
  return {token, number, begun, kj::mv(states)};
}

}  // namespace hearth::transport
