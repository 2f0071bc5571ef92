#pragma once
// How the session of two devices gets from one link to the next. A pure machine, one for each peer. The
// device with the smaller id chooses over which link the two go on, and the other follows (docs/PROTOCOL.md,
// "Resuming"):
//
//   chooser                                   follower
//   call() -> RESUME   ── number, begun ──▶   called(): the same session, or a new one
//   answered()         ◀── begun ──────────   answer() -> RESUME
//
// A session is known by its token and by the number of the RESUME with which it began. Each side states what
// it has of the streams, and takes nothing over an older link from then on.
//
// Who calls and has no session assumes that one begins with the call, under the token that follows from the keys of
// that link, and does not wait to be told. Where the other side goes on with another one, nothing of the assumed
// one has been taken there.

#include "core/base/ids.h"
#include "transport/link/lane-states.h"

namespace hearth::transport {

using SessionToken = Id<struct SessionTag, 16>;

struct Resume {
  SessionToken token;
  uint32_t number = 0;  // of the chooser's RESUMEs under the token, from 1; the answer has the same
  uint32_t begun = 0;   // of that with which the session began; 0: none has begun yet
  LaneStates states;

  bool operator==(const Resume&) const = default;
};

//   b[16] token | u32 number | u32 begun | states (lane-states.h)
kj::Array<kj::byte> encode(const Resume& resume);

// Errors: BAD_FORMAT, also for numbers that cannot be.
Result<Resume> readResume(kj::ArrayPtr<const kj::byte> bytes);

class Handover final {
 public:
  enum class Outcome : uint8_t {
    GOES_ON,  // where the peer's states say
    BEGINS,   // anew: whatever was before is over, on both sides
    AGREES,   // that it has begun over this link, as was assumed
  };

  explicit Handover(bool chooses): chooses(chooses) {}

  bool isChooser() const { return chooses; }
  // Whether there is a session, on this side at least.
  bool hasBegun() const { return begun > 0; }
  // Whether the peer has not been heard to know it.
  bool isAssumed() const { return assumed; }
  // Chooser: the peer has sent something that belongs to it.
  void heard() { assumed &= !chooses; }

  // Chooser: what to say on the link that it has chosen. `states`: of the session, none before it has begun.
  // Whatever has not begun does so by that, under `fresh`, the link's own token.
  Resume call(LaneStates states, const SessionToken& fresh);

  // Follower: it calls, and has no session.
  void assume(const SessionToken& fresh);

  // Chooser: the answer to the newest call.
  // Errors: BAD_FORMAT when it answers something else; INTEGRITY_FAILED.
  Result<Outcome> answered(const Resume& answer);

  // Follower: the chooser goes on over the link on which this came.
  // Errors: STALE when a newer call has come over another link; INTEGRITY_FAILED.
  Result<Outcome> called(const Resume& call);

  // Follower: what to say then. `states`: none when it begins.
  Resume answer(LaneStates states) const;

 private:
  bool chooses;
  SessionToken token;
  uint32_t number = 0;
  uint32_t begun = 0;
  bool assumed = false;
};

}  // namespace hearth::transport
