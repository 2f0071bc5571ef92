#pragma once
// A device of the circle that helps whoever holds the recovery key, as a machine; recover.h has the
// picture.

#include "crypto/handshake/records.h"
#include "crypto/membership/state.h"
#include "crypto/pairing/handshake.h"

namespace hearth::crypto {

class RecoveryHost final {
 public:
  // All outlive the machine.
  struct Setup {
    const RecoveryKey& recovery;  // the circle's, now
    const DeviceKeys& keys;
    Bundle bundle;
  };
  struct Effects {
    kj::Vector<Buffer> send;
    bool proved = false;              // give() the log
    kj::Maybe<Buffer> ops = nullptr;  // membership messages, to be judged by the log
  };

  RecoveryHost(Setup setup, Entropy& entropy, EphemeralGuard& guard);

  // Errors: DECRYPT_FAILED when the caller has another recovery key; NOT_AUTHORISED when it does not
  // hold the key that it knows the name of; BAD_VERSION, BAD_MAC; those of RecoveryCaller::take.
  Result<Effects> take(RecordType type, Bytes body);
  kj::Vector<Buffer> give(Bytes log);
  kj::Vector<Buffer> taken();

 private:
  enum class Stage : uint8_t { HELLO, INIT, FINAL, PROOF, OPS, ENDED };
  Setup setup;
  Entropy& entropy;
  PairResponder handshake;
  Stage stage = Stage::HELLO;
  kj::Maybe<PairChannel> channel;
  kj::Maybe<XWing::Shared> expected;
  Digest binding;

  Result<Effects> step(RecordType type, Bytes body);
  Result<Effects> takeHello(Bytes body);
  Result<Effects> takeInit(Bytes body);
  Result<Effects> takeFinal(Bytes body);
  Result<void> takeMessage(Message message, Effects& effects);
};

}  // namespace hearth::crypto
