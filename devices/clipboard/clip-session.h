#pragma once
// The clipboard towards one peer, over one stream: each says what it has, and gives what the other wants of it. What
// changes while a message is under way is said once, as it is then.

#include "devices/clipboard/clip-message.h"
#include "transport/link/lane-stream.h"

#include <deque>

namespace hearth::devices {

class ClipSession final {
 public:
  static constexpr size_t WANTS_MAX = clip::HELD_MAX;  // of a peer, that wait

  // Of what is said; outlives the session.
  class Owner {
   public:
    virtual clip::State state() const = 0;
    // None: it is gone meanwhile.
    virtual kj::Promise<kj::Maybe<clip::Item>> item(storage::ClipName name) = 0;
    // Of a peer.
    virtual void heard(const DeviceId& from, clip::State state) = 0;
    // Errors: of a peer that breaks the rules.
    virtual kj::Promise<Result<void>> received(const DeviceId& from, clip::Item item) = 0;
  };

  ClipSession(Owner& owner, const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream)
      : owner(owner),
        peer(peer),
        stream(kj::mv(stream)) {}

  // Ends with the stream. Errors: of a peer that breaks the rules.
  kj::Promise<Result<void>> run() { return listen().exclusiveJoin(speak()); }

  void changed();
  void want(const storage::ClipName& name);

 private:
  Owner& owner;
  DeviceId peer;
  kj::Own<kj::AsyncIoStream> stream;
  bool owesState = true;
  std::deque<storage::ClipName> wanted;  // by this device
  std::deque<storage::ClipName> asked;   // by the peer
  transport::Bell toSay;

  kj::Promise<kj::Maybe<clip::Message>> next();
  kj::Promise<Result<void>> speak();
  kj::Promise<Result<void>> listen();
};

}  // namespace hearth::devices
