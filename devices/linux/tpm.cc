#include "devices/linux/tpm.h"

#include "devices/linux/tpm-context.h"

#include <kj/debug.h>

#include <cstring>
#include <tss2/tss2_mu.h>

namespace hearth::devices {

namespace {

constexpr Error REFUSED = {Errc::EVIDENCE_REJECTED, "the TPM refuses: see the daemon's log"_kj};
constexpr TPMT_SYM_DEF PARAMETER_CIPHER = {
    .algorithm = TPM2_ALG_AES, .keyBits = {.aes = 128}, .mode = {.aes = TPM2_ALG_CFB}};

// The code of the TPM itself, without the number of the session or parameter that it blames (TPM 2.0
// part 2, §6.6.2).
bool isPolicyFailure(TSS2_RC rc) { return (rc & 0xbf) == TPM2_RC_POLICY_FAIL && (rc & 0x80) != 0; }

// The storage key of SRK profile H-2 (TCG EK credential profile's sibling): made anew from the owner
// hierarchy's seed each time, and always the same.
TPM2B_PUBLIC storageKeyTemplate() {
  TPM2B_PUBLIC wanted = {};
  auto& area = wanted.publicArea;
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
      TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
      TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  auto& ecc = area.parameters.eccDetail;
  ecc.symmetric.algorithm = TPM2_ALG_AES;
  ecc.symmetric.keyBits.aes = 128;
  ecc.symmetric.mode.aes = TPM2_ALG_CFB;
  ecc.scheme.scheme = TPM2_ALG_NULL;
  ecc.curveID = TPM2_ECC_NIST_P256;
  ecc.kdf.scheme = TPM2_ALG_NULL;
  return wanted;
}

TPML_PCR_SELECTION pcr7() {
  TPML_PCR_SELECTION selection = {};
  selection.count = 1;
  selection.pcrSelections[0].hash = TPM2_ALG_SHA256;
  selection.pcrSelections[0].sizeofSelect = 3;
  selection.pcrSelections[0].pcrSelect[0] = 1 << 7;
  return selection;
}

template <typename Sized>
Sized sized(crypto::Bytes bytes) {
  Sized out = {};
  KJ_REQUIRE(bytes.size() <= sizeof(out.buffer));
  out.size = static_cast<UINT16>(bytes.size());
  memcpy(out.buffer, bytes.begin(), bytes.size());
  return out;
}

}  // namespace

struct Tpm::Context: TpmContext {
  // A handle of the TPM's, given back at the end of the scope.
  class Handle final {
   public:
    explicit Handle(ESYS_CONTEXT* esys): esys(esys) {}
    ~Handle() {
      if (value != ESYS_TR_NONE) Esys_FlushContext(esys, value);
    }
    KJ_DISALLOW_COPY_AND_MOVE(Handle);
    ESYS_TR value = ESYS_TR_NONE;

   private:
    ESYS_CONTEXT* esys;
  };

  bool makeStorageKey(Handle& key) {
    TPM2B_SENSITIVE_CREATE noAuth = {};
    TPM2B_DATA nothing = {};
    TPML_PCR_SELECTION noPcrs = {};
    auto wanted = storageKeyTemplate();
    return tpmDid(
        Esys_CreatePrimary(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
            &noAuth, &wanted, &nothing, &noPcrs, &key.value, nullptr, nullptr, nullptr, nullptr),
        "making its storage key"_kj);
  }

  // A session salted to the storage key, so that who listens on the bus between processor and TPM
  // learns nothing; what the TPM answers is encrypted.
  bool openSession(Handle& session, const Handle& key, TPM2_SE kind) {
    constexpr TPMA_SESSION FLAGS = TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
    return tpmDid(
               Esys_StartAuthSession(esys, key.value, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                   ESYS_TR_NONE, nullptr, kind, &PARAMETER_CIPHER, TPM2_ALG_SHA256, &session.value),
               "opening a session"_kj) &&
        tpmDid(
            Esys_TRSess_SetAttributes(esys, session.value, FLAGS, FLAGS), "a session's flags"_kj);
  }

  // PCR 7 as it is now, and the authorisation value.
  bool applyPolicy(const Handle& session) {
    TPM2B_DIGEST current = {};
    auto selection = pcr7();
    return tpmDid(Esys_PolicyPCR(esys, session.value, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                      &current, &selection),
               "a policy over PCR 7"_kj) &&
        tpmDid(Esys_PolicyAuthValue(esys, session.value, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE),
            "a policy over the authorisation value"_kj);
  }

  bool policyDigest(const Handle& key, TPM2B_DIGEST& out) {
    Handle trial(esys);
    TPM2B_DIGEST* digest = nullptr;
    if (!openSession(trial, key, TPM2_SE_TRIAL) || !applyPolicy(trial) ||
        !tpmDid(Esys_PolicyGetDigest(
                    esys, trial.value, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest),
            "the policy's digest"_kj))
      return false;
    FromTpm<TPM2B_DIGEST> owned(digest);
    out = *digest;
    return true;
  }
};

Tpm::Tpm(kj::Own<Context> context): context(kj::mv(context)) {}
Tpm::~Tpm() noexcept(false) = default;

kj::Maybe<kj::Own<Tpm>> Tpm::open(kj::StringPtr tcti) {
  auto context = kj::heap<Context>();
  if (!context->open(tcti)) return nullptr;
  return kj::Own<Tpm>(kj::heap<Tpm>(kj::mv(context)));
}

Result<TpmSealed> Tpm::seal(crypto::Bytes secret, const TpmAuth& auth) {
  Context::Handle key(context->esys), session(context->esys);
  TPM2B_PUBLIC wanted = {};
  if (!context->makeStorageKey(key) || !context->policyDigest(key, wanted.publicArea.authPolicy) ||
      !context->openSession(session, key, TPM2_SE_HMAC))
    return no(REFUSED);
  wanted.publicArea.type = TPM2_ALG_KEYEDHASH;
  wanted.publicArea.nameAlg = TPM2_ALG_SHA256;
  wanted.publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT;
  wanted.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  TPM2B_SENSITIVE_CREATE sensitive = {};
  KJ_DEFER(crypto::wipe(kj::arrayPtr(reinterpret_cast<kj::byte*>(&sensitive), sizeof(sensitive))));
  sensitive.sensitive.userAuth = sized<TPM2B_AUTH>(auth.reveal());
  sensitive.sensitive.data = sized<TPM2B_SENSITIVE_DATA>(secret);
  TPM2B_DATA nothing = {};
  TPML_PCR_SELECTION noPcrs = {};
  TPM2B_PRIVATE* privatePart = nullptr;
  TPM2B_PUBLIC* publicPart = nullptr;
  if (!tpmDid(Esys_Create(context->esys, key.value, ESYS_TR_PASSWORD, session.value, ESYS_TR_NONE,
                  &sensitive, &wanted, &nothing, &noPcrs, &privatePart, &publicPart, nullptr,
                  nullptr, nullptr),
          "sealing"_kj))
    return no(REFUSED);
  FromTpm<TPM2B_PRIVATE> ownedPrivate(privatePart);
  FromTpm<TPM2B_PUBLIC> ownedPublic(publicPart);
  kj::byte marshalled[TpmSealed::PART_BYTES_MAX];
  size_t size = 0;
  if (Tss2_MU_TPM2B_PUBLIC_Marshal(publicPart, marshalled, sizeof(marshalled), &size) != 0 ||
      privatePart->size > TpmSealed::PART_BYTES_MAX)
    return no(REFUSED);
  return TpmSealed{kj::heapArray<kj::byte>(marshalled, size),
      kj::heapArray<kj::byte>(privatePart->buffer, privatePart->size)};
}

Result<crypto::Secret> Tpm::unseal(const TpmSealed& sealed, const TpmAuth& auth) {
  constexpr Error OTHER = {
      Errc::EVIDENCE_REJECTED, "the keys were sealed by another TPM: bring this device in anew"_kj};
  TPM2B_PUBLIC publicPart = {};
  size_t at = 0;
  if (sealed.privatePart.size() > sizeof(TPM2B_PRIVATE::buffer) ||
      Tss2_MU_TPM2B_PUBLIC_Unmarshal(
          sealed.publicPart.begin(), sealed.publicPart.size(), &at, &publicPart) != 0 ||
      at != sealed.publicPart.size())
    return no(OTHER);
  auto privatePart = sized<TPM2B_PRIVATE>(sealed.privatePart);
  Context::Handle key(context->esys), object(context->esys), session(context->esys);
  if (!context->makeStorageKey(key)) return no(REFUSED);
  if (!tpmDid(Esys_Load(context->esys, key.value, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                  &privatePart, &publicPart, &object.value),
          "loading what was sealed"_kj))
    return no(OTHER);
  auto value = sized<TPM2B_AUTH>(auth.reveal());
  KJ_DEFER(crypto::wipe(kj::arrayPtr(reinterpret_cast<kj::byte*>(&value), sizeof(value))));
  if (!tpmDid(Esys_TR_SetAuth(context->esys, object.value, &value), "an authorisation value"_kj) ||
      !context->openSession(session, key, TPM2_SE_POLICY) || !context->applyPolicy(session))
    return no(REFUSED);
  TPM2B_SENSITIVE_DATA* data = nullptr;
  auto rc =
      Esys_Unseal(context->esys, object.value, session.value, ESYS_TR_NONE, ESYS_TR_NONE, &data);
  if (isPolicyFailure(rc)) {
    return no(Errc::MEASUREMENT_MISMATCH,
        "this machine starts otherwise than when its keys were sealed (TPM PCR 7): undo that "
        "change of its firmware or secure boot, or bring the device in anew");
  }
  if (!tpmDid(rc, "opening what was sealed"_kj)) return no(REFUSED);
  auto secret = crypto::Secret::copyOf(kj::arrayPtr(data->buffer, data->size));
  crypto::wipe(kj::arrayPtr(data->buffer, data->size));
  Esys_Free(data);
  return secret;
}

void Tpm::extendPcr7(const crypto::Bytes& digest) {
  TPML_DIGEST_VALUES values = {};
  values.count = 1;
  values.digests[0].hashAlg = TPM2_ALG_SHA256;
  KJ_REQUIRE(digest.size() == TPM2_SHA256_DIGEST_SIZE);
  memcpy(values.digests[0].digest.sha256, digest.begin(), digest.size());
  auto rc = Esys_PCR_Extend(
      context->esys, ESYS_TR_PCR7, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &values);
  KJ_REQUIRE(rc == TSS2_RC_SUCCESS, "PCR 7 cannot be extended", kj::hex(rc));
}

}  // namespace hearth::devices
