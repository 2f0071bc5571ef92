#pragma once
// The admin's side (A) of pairing a new device, as a machine that turns records into records. The
// caller carries them, keeps the 120 s and asks its user before it begins.
//
//   hello()            PAIR_HELLO ->   <- PAIR_REPLY     take()
//                      PAKE_A     ->   <- PAKE_B         by code alone
//                      HS_INIT    ->   <- HS_RESP        who B is
//                      HS_FINAL   ->   <- t1             by SAS: Effects::sas, shown on both screens
//   compare(same)      t2 offer   ->   <- t3 consent     Effects::candidate: author the Add op
//   wait(why) ...      wait       ->                     for as long as that takes
//   welcome(log, ..)   t4, hints  ->                     done

#include "crypto/handshake/records.h"
#include "crypto/identity/join.h"
#include "crypto/pairing/handshake.h"
#include "crypto/pairing/means.h"
#include "crypto/pairing/sas.h"

namespace hearth::crypto {

class PairingAdmin final {
 public:
  struct Setup {
    const DeviceKeys& keys;  // outlives the machine
    Bundle bundle;           // this device's own
    CircleId circle;
    Buffer genesis;  // envelope
    Role role;       // offered to B
    PairingMeans means;
  };

  // A device that has been proved to be the one meant, and has consented. Its bundle's signature and its consent have
  // been verified.
  struct Candidate {
    Bundle bundle;
    Buffer bundleEnvelope;
    Buffer joinEnvelope;
    Role role;
  };

  struct Effects {
    kj::Vector<Buffer> send;  // whole records, in order
    // To be shown; then compare() what the user says.
    kj::Maybe<Sas> sas = nullptr;
    kj::Maybe<Candidate> candidate = nullptr;
  };

  PairingAdmin(Setup setup, Entropy& entropy, EphemeralGuard& guard);

  // The PAIR_HELLO record; the first thing to send. Call once.
  Buffer hello();

  // Takes the next record of B. Any error ends the pairing: close the carrier without a word.
  // Errors: BAD_FORMAT, BAD_VERSION, BAD_LENGTH, SMALL_ORDER, DECRYPT_FAILED, BAD_SIGNATURE;
  // REPLAY when B is this device; UNKNOWN_PEER when B's static key is not its bundle's;
  // COMMIT_MISMATCH when B is not the device of the QR code, or has chosen its pictures late; BUSY,
  // PAIRING_CLOSED, PAIRING_LOCKED when B says so.
  Result<Effects> take(RecordType type, Bytes body);

  // Whether both screens show the same. Nothing of the circle is told before.
  // Errors: SAS_MISMATCH when they do not, which ends the pairing.
  Result<Effects> compare(bool same);

  // The records that make B a member, once the candidate's Add op stands in the log. `log` is the
  // whole membership log as membership messages, at most PAIRING_LOG_BYTES_MAX.
  kj::Vector<Buffer> welcome(Bytes log, kj::ArrayPtr<const PairHint> hints);

  // The records that keep B waiting, while its candidate is considered.
  kj::Vector<Buffer> wait(PairWait why);

  // Whether a peer that has not been proved could test a guess: counts for PairingLock when the
  // pairing ends in this state.
  bool countsAsTry() const { return tested && !proved; }

 private:
  enum class Stage : uint8_t {
    HELLO,
    REPLY,
    PAKE,
    RESPONSE,
    T1,
    COMPARE,
    T3,
    CANDIDATE,
    DONE,
    ENDED
  };

  Setup setup;
  Entropy& entropy;
  PairInitiator handshake;
  Stage stage = Stage::HELLO;
  bool tested = false;
  bool proved = false;
  kj::Maybe<CodeExchange> exchange;
  PairContribution contribution;
  kj::Maybe<PairIntroduction> joiner;
  NoiseH noiseH;
  kj::Maybe<PairChannel> channel;

  Result<Effects> step(RecordType type, Bytes body);
  Result<Effects> takeReply(Bytes body);
  Result<Effects> takePake(Bytes body);
  Result<Effects> beginHandshake(kj::Maybe<Psk> psk);
  Result<Effects> takeResponse(Bytes body);
  Result<void> checkIntroduction(const PairIntroduction& introduced) const;
  Result<void> checkCommit(const PairIntroduction& introduced) const;
  Result<void> takeMessage(Message message, Effects& effects);
  Result<Effects> takeContribution(Bytes body);
  Effects offer();
  Result<Effects> consent(Buffer envelope);
};

}  // namespace hearth::crypto
