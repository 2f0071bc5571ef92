#pragma once
// Whoever holds the recovery key, as a machine; recover.h has the picture.

#include "crypto/handshake/records.h"
#include "crypto/identity/recovery.h"
#include "crypto/pairing/handshake.h"
#include "crypto/pairing/log-stream.h"

namespace hearth::crypto {

class RecoveryCaller final {
 public:
  // All outlive the machine.
  struct Setup {
    const RecoveryKeys& recovery;
    const DeviceKeys& keys;
    Bundle bundle;
  };
  struct Effects {
    kj::Vector<Buffer> send;
    // Membership messages: to be verified, then answered by push().
    kj::Maybe<Buffer> log = nullptr;
    bool taken = false;
  };

  RecoveryCaller(Setup setup, Entropy& entropy, EphemeralGuard& guard);

  Buffer hello();
  // Errors: DECRYPT_FAILED when the host has another recovery key; BUSY, PAIRING_CLOSED; BAD_FORMAT,
  // BAD_LENGTH, SMALL_ORDER; UNKNOWN_PEER when the host's static key is not its bundle's;
  // LIMIT_EXCEEDED for a log over PAIRING_LOG_BYTES_MAX.
  Result<Effects> take(RecordType type, Bytes body);
  // `ops`: membership messages.
  kj::Vector<Buffer> push(Bytes ops);

 private:
  enum class Stage : uint8_t { REPLY, RESPONSE, CHALLENGE, LOG, PUSHED, ENDED };
  Setup setup;
  Entropy& entropy;
  PairInitiator handshake;
  Stage stage = Stage::REPLY;
  kj::Maybe<PairChannel> channel;
  Digest binding;
  LogReader log;

  Result<Effects> step(RecordType type, Bytes body);
  Result<Effects> takeReply(Bytes body);
  Result<Effects> takeResponse(Bytes body);
  Result<void> takeMessage(Message message, Effects& effects);
};

}  // namespace hearth::crypto
