#pragma once
// How whoever holds a circle's recovery key, and nothing else, gets the circle's log from one of its
// devices, and gives it the ops that begin the circle anew (docs/PROTOCOL.md, "Recovery"):
//
//   caller                                  host: any device of the circle, also one that is out
//   | PAIR_HELLO, method 4 ------------->   |
//   | <----------------------- PAIR_REPLY   |
//   | HS_INIT, HS_RESP, HS_FINAL            |   as in pairing; does not open: the key is another circle's
//   | <------------------------ CHALLENGE   |   a ciphertext to the recovery key
//   | PROOF ------------------------------> |   a MAC under its secret, bound to this handshake
//   | <------------------- T4 ..., HINTS    |   the whole log, which no one gets without the proof
//   | OPS --------------------------------> |   RecoveryReset and Epoch
//   | <----------------------------- TAKEN  |   they are on its disk
//
// Two pure machines. Any error ends them: close the carrier without a word.

#include "crypto/handshake/ephemeral-guard.h"
#include "crypto/handshake/records.h"
#include "crypto/identity/bundle.h"
#include "crypto/identity/recovery.h"
#include "crypto/membership/state.h"
#include "crypto/pairing/channel.h"
#include "crypto/pairing/hello.h"
#include "crypto/pairing/payloads.h"

namespace hearth::crypto {

constexpr size_t RECOVERY_OPS_MAX = 2;

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
    kj::Maybe<Buffer> log =
        nullptr;  // membership messages: to be verified, then answered by push()
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
  EphemeralGuard& guard;
  PairHello own;
  uint32_t index;
  Stage stage = Stage::REPLY;
  Digest helloHashed;
  kj::Maybe<Noise> noise;
  kj::Maybe<PairChannel> channel;
  Digest binding;
  kj::Vector<kj::byte> log;

  Result<Effects> step(RecordType type, Bytes body);
  Result<Effects> takeReply(Bytes body);
  Result<Effects> takeResponse(Bytes body);
  Result<void> takeMessage(Message message, Effects& effects);
};

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
  // hold the key that it knows the name of; those of RecoveryCaller::take.
  Result<Effects> take(RecordType type, Bytes body);
  kj::Vector<Buffer> give(Bytes log);
  kj::Vector<Buffer> taken();

 private:
  enum class Stage : uint8_t { HELLO, INIT, FINAL, PROOF, OPS, ENDED };
  Setup setup;
  Entropy& entropy;
  EphemeralGuard& guard;
  PairHello own;
  uint32_t index;
  Stage stage = Stage::HELLO;
  Digest helloHashed;
  uint32_t callerIndex = 0;
  kj::Maybe<Noise> noise;
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
