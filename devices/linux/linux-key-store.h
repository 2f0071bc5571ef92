#pragma once
// The platform root on Linux: sealed by the TPM where there is one, else by a passphrase, else in a
// file of its owner's (mode 0600). The last protects against a lost backup of the database, not against
// whoever can read the file: `hearth status` says so.

#include "devices/key-store.h"
#include "devices/linux/root-file.h"

#include <kj/filesystem.h>

namespace hearth::devices {

enum class RootSeal : uint8_t { NONE, PASSPHRASE, TPM };

// The person, or the file, that knows the passphrase.
class Passphrases {
 public:
  // The one that opens this device's keys; asked again after a wrong one until this throws FAILED
  // with one line: nobody can be asked, or nobody knows.
  virtual crypto::Secret ask(bool wrongBefore) = 0;

  // One for keys that are being made. None: they are not to be sealed so, or nobody can be asked.
  virtual kj::Maybe<crypto::Secret> choose() = 0;
};

class LinuxKeyStore final: public KeyStore {
 public:
  // `tcti` says where the TPM is, as Tpm::open has it; empty: there is none. All else outlives the
  // store.
  LinuxKeyStore(const kj::Directory& home, Entropy& entropy, Passphrases& passphrases,
      kj::StringPtr tcti, crypto::StretchCost cost = crypto::StretchCost::moderate());

  // Throws FAILED with one line when it does not open.
  const crypto::PlatformRoot& platformRoot() override;
  kj::StringPtr describe() const override;

  // Seals the root anew, in one step: a crash leaves the old seal or the new one.
  // Errors: EVIDENCE_REJECTED, LIMIT_EXCEEDED; POLICY_DENIED when no passphrase was chosen, or there
  // is no TPM.
  Result<void> reseal(RootSeal by);
  RootSeal sealedBy() const { return seal; }

  // The TPM of this machine as a TCTI, or nothing.
  static kj::StringPtr systemTcti();

 private:
  const kj::Directory& home;
  Entropy& entropy;
  Passphrases& passphrases;
  kj::String tcti;
  crypto::StretchCost cost;
  kj::Maybe<crypto::PlatformRoot> opened;
  RootSeal seal = RootSeal::NONE;

  void makeRoot();
  crypto::Secret openFile(const RootFile& file);
  crypto::Secret openByPassphrase(const PassphraseRoot& file);
  crypto::Secret openByTpm(const TpmRoot& file);
  Result<RootFile> sealed(const crypto::PlatformRoot& root, RootSeal by);
};

}  // namespace hearth::devices
