#pragma once
// The admin's side (A) of pairing a new device by code, as a machine that turns records into
// records. The caller carries them, keeps the 120 s and asks its user before it begins.
//
//   hello()            PAIR_HELLO ->   <- PAIR_REPLY     take()
//                      PAKE_A     ->   <- PAKE_B
//                      HS_INIT    ->   <- HS_RESP        who B is
//                      HS_FINAL   ->   <- t1
//                      t2 offer   ->   <- t3 consent     Effects::candidate: author the Add op
//   welcome(log, ..)   t4, hints  ->                     done

#include "crypto/handshake/ephemeral-guard.h"
#include "crypto/handshake/records.h"
#include "crypto/identity/join.h"
#include "crypto/pairing/channel.h"
#include "crypto/pairing/code.h"
#include "crypto/pairing/payloads.h"

namespace hearth::crypto {

class PairingAdmin final {
 public:
  struct Setup {
    const DeviceKeys& keys;  // outlives the machine
    Bundle bundle;           // this device's own
    CircleId circle;
    Buffer genesis;  // envelope
    Role role;       // offered to B
    PairingCode code;
  };

  // A device that has proved the code and consented. Its bundle's signature and its consent have
  // been verified.
  struct Candidate {
    Bundle bundle;
    Buffer bundleEnvelope;
    Buffer joinEnvelope;
    Role role;
  };

  struct Effects {
    kj::Vector<Buffer> send;  // whole records, in order
    kj::Maybe<Candidate> candidate = nullptr;
  };

  PairingAdmin(Setup setup, Entropy& entropy, EphemeralGuard& guard);

  // The PAIR_HELLO record; the first thing to send. Call once.
  Buffer hello();

  // Takes the next record of B. Any error ends the pairing: close the carrier without a word.
  // Errors: BAD_FORMAT, BAD_VERSION, BAD_LENGTH, SMALL_ORDER, DECRYPT_FAILED, BAD_SIGNATURE;
  // REPLAY when B is this device; UNKNOWN_PEER when B's static key is not its bundle's;
  // COMMIT_MISMATCH; BUSY, PAIRING_CLOSED, PAIRING_LOCKED when B says so.
  Result<Effects> take(RecordType type, Bytes body);

  // The records that make B a member, once the candidate's Add op stands in the log. `log` is the
  // whole membership log as membership messages, at most PAIRING_LOG_BYTES_MAX.
  kj::Vector<Buffer> welcome(Bytes log, kj::ArrayPtr<const PairHint> hints);

  // Whether a peer that has not proved the code could test a guess: counts for PairingLock when
  // the pairing ends in this state.
  bool countsAsTry() const { return tested && !proved; }

 private:
  enum class Stage : uint8_t { HELLO, REPLY, PAKE, RESPONSE, T1, T3, CANDIDATE, DONE, ENDED };

  Setup setup;
  Entropy& entropy;
  EphemeralGuard& guard;
  PairHello own;
  uint32_t index;
  Stage stage = Stage::HELLO;
  bool tested = false;
  bool proved = false;
  Digest helloHashed;
  kj::Maybe<CodeExchange> exchange;
  kj::Maybe<Noise> noise;
  kj::Maybe<PairIntroduction> joiner;
  kj::Maybe<PairChannel> channel;

  Result<Effects> step(RecordType type, Bytes body);
  Result<Effects> takeReply(Bytes body);
  Result<Effects> takePake(Bytes body);
  Result<Effects> takeResponse(Bytes body);
  Result<Effects> takeMessage(Bytes body);
  Effects offer();
  Result<Effects> consent(Buffer envelope);
};

}  // namespace hearth::crypto
