#include "devices/linux/linux-key-store.h"

#include "devices/node/private-file.h"

#include <kj/debug.h>

#include <unistd.h>

namespace hearth::devices {

namespace {

kj::Path rootPath() { return kj::Path{"keys", "platform-root"}; }

[[noreturn]] void refuse(kj::StringPtr line) {
  kj::throwFatalException(
      kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__, kj::str(line)));
}

RootSeal sealOf(const RootFile& file) {
  if (file.is<PassphraseRoot>()) return RootSeal::PASSPHRASE;
  if (file.is<TpmRoot>()) return RootSeal::TPM;
  return RootSeal::NONE;
}

}  // namespace

LinuxKeyStore::LinuxKeyStore(const kj::Directory& home, Entropy& entropy, Passphrases& passphrases,
    kj::StringPtr tcti, crypto::StretchCost cost)
    : home(home),
      entropy(entropy),
      passphrases(passphrases),
      tcti(kj::str(tcti)),
      cost(cost) {}

kj::StringPtr LinuxKeyStore::systemTcti() {
  if (access(Tpm::RESOURCE_MANAGER.cStr(), R_OK | W_OK) != 0) return ""_kj;
  return "device:/dev/tpmrm0"_kj;
}

kj::StringPtr LinuxKeyStore::describe() const {
  switch (seal) {
    case RootSeal::TPM:
      return "sealed by this machine's TPM, to the way it starts (PCR 7)";
    case RootSeal::PASSPHRASE:
      return "sealed with a passphrase (Argon2id)";
    case RootSeal::NONE:
      return "a file readable by this user alone; not sealed: see hearth seal";
  }
  KJ_UNREACHABLE;
}

const crypto::PlatformRoot& LinuxKeyStore::platformRoot() {
  if (opened == nullptr) {
    KJ_IF_MAYBE(bytes, readPrivate(home, rootPath())) {
      KJ_DEFER(crypto::wipe(*bytes));
      auto file = decodeRootFile(*bytes);
      if (!file) refuse("keys/platform-root is damaged: restore it from a backup");
      auto root = crypto::PlatformRoot::from(openFile(*file).reveal());
      if (!root) refuse("keys/platform-root holds something else: restore it from a backup");
      opened = kj::mv(*root);
      seal = sealOf(*file);
    } else {
      makeRoot();
    }
  }
  return KJ_ASSERT_NONNULL(opened);
}

// The best seal that is to be had; a device never stays without keys for want of one.
void LinuxKeyStore::makeRoot() {
  auto root = crypto::PlatformRoot::draw(entropy);
  auto file = sealed(root, RootSeal::TPM);
  if (!file) file = sealed(root, RootSeal::PASSPHRASE);
  if (!file) file = sealed(root, RootSeal::NONE);
  writePrivate(home, rootPath(), encode(*file));
  seal = sealOf(*file);
  opened = kj::mv(root);
}

Result<void> LinuxKeyStore::reseal(RootSeal by) {
  auto file = sealed(platformRoot(), by);
  if (!file) return no(file.error());
  writePrivate(home, rootPath(), encode(*file));
  seal = by;
  return {};
}

Result<RootFile> LinuxKeyStore::sealed(const crypto::PlatformRoot& root, RootSeal by) {
  if (by == RootSeal::NONE) return RootFile(PlainRoot{crypto::Secret::copyOf(root.reveal())});
  if (by == RootSeal::PASSPHRASE) {
    KJ_IF_MAYBE(passphrase, passphrases.choose()) {
      auto file = PassphraseRoot::seal(root, *passphrase, cost, entropy);
      if (!file) return no(file.error());
      return RootFile(kj::mv(*file));
    }
    return no(Errc::POLICY_DENIED, "no passphrase was given: --passphrase-file, or a terminal");
  }
  if (tcti.size() == 0) return no(Errc::POLICY_DENIED, "there is no TPM that this user may use");
  KJ_IF_MAYBE(tpm, Tpm::open(tcti)) {
    auto auth = TpmAuth::draw(entropy);
    auto box = (*tpm)->seal(root.reveal(), auth);
    if (!box) return no(box.error());
    return RootFile(TpmRoot{kj::mv(auth), kj::mv(*box)});
  }
  return no(Errc::EVIDENCE_REJECTED, "the TPM does not answer");
}

crypto::Secret LinuxKeyStore::openFile(const RootFile& file) {
  KJ_SWITCH_ONEOF(file) {
    KJ_CASE_ONEOF(plain, PlainRoot) { return crypto::Secret::copyOf(plain.root.reveal()); }
    KJ_CASE_ONEOF(sealed, PassphraseRoot) { return openByPassphrase(sealed); }
    KJ_CASE_ONEOF(sealed, TpmRoot) { return openByTpm(sealed); }
  }
  KJ_UNREACHABLE;
}

crypto::Secret LinuxKeyStore::openByPassphrase(const PassphraseRoot& file) {
  for (bool wrong = false;; wrong = true) {
    auto root = file.open(passphrases.ask(wrong));
    if (root) return kj::mv(*root);
    if (root.error().code != Errc::DECRYPT_FAILED) refuse(root.error().because);
  }
}

crypto::Secret LinuxKeyStore::openByTpm(const TpmRoot& file) {
  if (tcti.size() == 0)
    refuse("this device's keys are sealed by its TPM, which this user may not use or is not there");
  KJ_IF_MAYBE(tpm, Tpm::open(tcti)) {
    auto root = (*tpm)->unseal(file.sealed, file.auth);
    if (!root) refuse(root.error().because);
    return kj::mv(*root);
  }
  refuse("this device's keys are sealed by its TPM, which does not answer");
}

}  // namespace hearth::devices
