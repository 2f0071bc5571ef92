#pragma once
// The new device's side (B) of pairing; see admin.h for the picture. The caller opens its port only
// while it shows its code or asks for pictures, at most 120 s, one pairing at a time, and asks
// PairingLock before each.

#include "crypto/handshake/records.h"
#include "crypto/identity/join.h"
#include "crypto/pairing/handshake.h"
#include "crypto/pairing/log-stream.h"
#include "crypto/pairing/means.h"
#include "crypto/pairing/sas.h"

namespace hearth::crypto {

class PairingJoiner final {
 public:
  struct Setup {
    const DeviceKeys& keys;     // outlives the machine
    Bundle bundle;              // this device's own
    const PairingMeans& means;  // outlives the machine; a QrProof serves one attempt
  };

  // All that A has given. It is proved that A knew the code, or its user has said so, and that `genesis` is the circle's; that
  // A is an admin and that this device's Add stands, only the log can tell: verify it before this
  // device calls itself a member.
  struct Joined {
    CircleId circle;
    Role role;
    Bundle admin;
    Buffer genesis;  // envelope
    Buffer log;      // membership messages, one after another
    kj::Vector<PairHint> hints;
  };

  struct Effects {
    kj::Vector<Buffer> send;  // whole records, in order
    // To be shown; then compare() what the user says.
    kj::Maybe<Sas> sas = nullptr;
    kj::Maybe<Joined> joined = nullptr;
    // A is there, and has not decided yet.
    kj::Maybe<PairWait> waits = nullptr;
  };

  PairingJoiner(Setup setup, Entropy& entropy, EphemeralGuard& guard);

  // Takes the next record of A. Any error ends the pairing: close the carrier without a word.
  // Errors: BAD_FORMAT, BAD_VERSION, BAD_LENGTH, BAD_MAC, SMALL_ORDER, BAD_SIGNATURE;
  // DECRYPT_FAILED, most likely a wrong code; PAIRING_CLOSED when A pairs by another method; REPLAY
  // when A is this device; UNKNOWN_PEER when A's static key is not its bundle's; COMMIT_MISMATCH;
  // LIMIT_EXCEEDED for a log over PAIRING_LOG_BYTES_MAX.
  Result<Effects> take(RecordType type, Bytes body);

  // Whether both screens show the same. Nothing of the circle is taken before.
  // Errors: SAS_MISMATCH when they do not, which ends the pairing; those of take().
  Result<Effects> compare(bool same);

  // Whether the error was a wrong guess, to be counted by PairingLock.
  bool countsAsTry() const { return wrongGuess; }

 private:
  enum class Stage : uint8_t { HELLO, PAKE, INIT, FINAL, COMPARE, T2, T4, DONE, ENDED };

  Setup setup;
  Entropy& entropy;
  PairResponder handshake;
  Stage stage = Stage::HELLO;
  bool wrongGuess = false;
  PairNonce adminNonce;
  kj::Maybe<PairChannel> channel;
  PairContribution contribution;
  kj::Maybe<Buffer> earlyOffer;  // t2, while the user still compares
  kj::Maybe<Joined> joined;
  LogReader log;

  Result<Effects> step(RecordType type, Bytes body);
  Result<Effects> takeHello(Bytes body);
  void beginHandshake(kj::Maybe<Psk> psk);
  Result<Effects> takePake(Bytes body);
  Result<Effects> takeInit(Bytes body);
  Result<Effects> takeFinal(Bytes body);
  Result<void> takeMessage(Message message, Effects& effects);
  Result<void> takeOffer(Bytes body, Effects& effects);
  Result<void> takeHints(Bytes body, Effects& effects);
  Result<void> takeWait(Bytes body, Effects& effects) const;
};

}  // namespace hearth::crypto
