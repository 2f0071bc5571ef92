#pragma once
// The stream about blobs to one peer, both ways: this device's questions and the peer's answers, the peer's questions
// and this device's answers (docs/PROTOCOL.md "Blobs"). Each message is `u32 length | message`. An answer is made
// when the stream has taken the one before, so that a slow link holds no more than that.

#include "devices/data/blob-place.h"
#include "storage/blob/server.h"
#include "transport/link/lane-stream.h"

#include <kj/async-io.h>
#include <kj/timer.h>

#include <deque>

namespace hearth::devices {

class BlobSession final {
 public:
  // Both ends of what a peer says. Its methods are called one at a time.
  class Host {
   public:
    // An answer of the peer. Resolves when the next message may be read.
    virtual kj::Promise<void> answered(const DeviceId& peer, crypto::Buffer message) = 0;
    // See BlobPlace::parts; what the peer may not have is not here.
    virtual kj::Promise<kj::Vector<kj::Maybe<crypto::Buffer>>> lookUp(
        const DeviceId& peer, std::vector<storage::AskedPart> asked, size_t mostBytes) = 0;
    // Whether no more may be given just now, and when that is to be asked again.
    virtual kj::Maybe<kj::Promise<void>> holdsBack(const DeviceId& peer) = 0;
    virtual void gave(const DeviceId& peer, size_t bytes) = 0;
  };

  // All outlive the session.
  BlobSession(kj::Timer& timer, Host& host, const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream)
      : timer(timer),
        host(host),
        peer(peer),
        stream(kj::mv(stream)) {}

  // Ends with the stream. Errors: of a peer that breaks the rules.
  kj::Promise<Result<void>> run();

  // Questions of this device.
  void ask(crypto::Buffer message);
  // See BlobServer.
  void has(const ContentId& content);
  void giveNothing();
  void hasAll();
  bool hasRefused() const { return server.hasRefused(); }

 private:
  kj::Timer& timer;
  Host& host;
  DeviceId peer;
  kj::Own<kj::AsyncIoStream> stream;
  storage::BlobServer server;
  std::deque<crypto::Buffer> questions;
  transport::Bell toSay, toLookUp;

  kj::Promise<Result<void>> listen();
  kj::Promise<Result<void>> speak();
  kj::Promise<Result<void>> lookUp();
  kj::Promise<kj::Maybe<crypto::Buffer>> read(Result<void>& refused);
  kj::Promise<void> write(const crypto::Buffer& message);
};

}  // namespace hearth::devices
