#pragma once
// What must hold of a circle: who is in it, who is out, who is linked, and what each may know.

#include "simulator/story/circles.h"

namespace hearth::sim {

// All members hold the same log, and resolve it alike.
Violations convergence(Run& run);
// Where there is an admin, no secret of the circle stays with somebody who has no part in it any more.
Violations epochsFit(Run& run);
// Members that can reach each other are linked, and know what the other can do.
Violations linked(Run& run);
// What somebody was told had happened to the circle is known to every member.
Violations acknowledged(Run& run);
// Nobody takes itself for an older copy whose disk was not put back.
Violations nobodyForgetsInVain(Run& run);
// A removed device has no link, no op beyond its removal and no secret of a later epoch.
Violations removedIsOut(Run& run);
// Whoever removes a device hangs up on it; whoever learns that it is out begins nothing any more.
Violations removedIsLeft(Run& run);
// A VAULT keeps what others encrypt, and can read nothing.
Violations vaultsAreBlind(Run& run);
// People who live side by side have nothing to do with each other.
Violations circlesApart(Run& run);
// Three tries of a code, an old call is nobody's, and who listens learns nothing.
Violations strangersStayOut(Run& run);

}  // namespace hearth::sim
