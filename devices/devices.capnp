@0x9a53c8f1e7f0b6d4;
# What two devices of a circle say to each other over the control lane of their link. The bootstrap
# capability of a link is a Peer.

using Cxx = import "/capnp/c++.capnp";
using Router = import "/router/router.capnp";
using Run = import "/router/run/run.capnp";
$Cxx.namespace("hearth::devices::rpc");
$Cxx.allowCancellation;

interface Peer {
  facts @0 (facts :Router.DeviceFacts) -> ();
  # The caller's own facts: at the start of a link, and whenever they change enough to matter.

  introduce @1 (places :List(Place)) -> ();
  # Where the caller and other devices may be found.

  stages @2 () -> (host :Run.StageHost);

  meet @3 (places :List(Text)) -> (places :List(Text));
  # Over a link that makes a detour: where the caller is now, as others see it, and where the called is.
  # Both call each other there at once, so that the NATs between let them through.

  proposals @4 (open :List(Data)) -> ();
  # All that the caller, an admin, asks of other admins now (crypto/membership/proposal.h). What it asked
  # before and does not name is over.

  answer @5 (proposal :Data, agrees :Bool) -> (done :Bool);
  # To the admin who asks: what the user of the caller has said. `done`: the circle has followed.

  cosign @6 (proposal :Data, body :Data) -> (signature :Data);
  # By the admin who asks, for the signature of the called over an op that says what its user has agreed to.
  # Throws where that has not agreed, or where the two logs are not equal yet.

  rename @7 (name :Text) -> ();
  # By an admin: the called is to be called so from now on. Throws when it cannot say so.

  keeps @8 (folder :Data, files :List(FileAt)) -> (kept :List(Bool));
  # Of files of a folder, at most 256, which the called has at these paths with these bytes, read just now and
  # on its disk, and does not let go of at the same time. The caller lets its own go then.
}

struct FileAt {
  path @0 :Text;                # in its folder
  content @1 :Data;             # 41 bytes: the blob's reference
}

struct Place {
  device @0 :Data;              # 32 bytes
  addresses @1 :List(Text);     # texts of paths (docs/PROTOCOL.md), best first
}
