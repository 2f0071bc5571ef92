#pragma once
// What a local app says to bring a device in, and who it is that gets asked meanwhile.

#include "bindings/bindings.capnp.h"
#include "devices/node/node.h"

namespace hearth::local {

struct Invitation {
  crypto::PairingMeans means;
  std::vector<std::string> addresses;  // where the device may wait
};

// `code`: six words, the text of a QR code, or nothing for pictures. `address`: "HOST:PORT"; may be
// empty where a QR code names places.
// Errors: BAD_FORMAT, each with what to do instead.
Result<Invitation> readInvitation(kj::StringPtr code, kj::StringPtr address);

// The user at the other end of the socket.
class AppPerson final: public devices::PairingPerson {
 public:
  explicit AppPerson(Confirm::Client app): app(kj::mv(app)) {}

  kj::Promise<bool> compare(const crypto::Sas& sas) override;
  kj::Promise<bool> confirm(const devices::DeviceView& device) override;
  void waits(const devices::PendingView& pending) override;

 private:
  Confirm::Client app;
  kj::Promise<void> telling = nullptr;
};

}  // namespace hearth::local
