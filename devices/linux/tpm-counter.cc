#include "devices/linux/tpm-counter.h"

#include "devices/linux/tpm-context.h"

#include <cstring>

namespace hearth::devices {

namespace {

constexpr UINT16 COUNTER_BYTES = 8;
constexpr TPMA_NV ATTRIBUTES =
    (TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT) | TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE;
constexpr Error SILENT{Errc::BUSY,
    "the TPM does not answer: whether this disk was put back is not known from its counter"_kj};
constexpr Error PASSWORD{Errc::POLICY_DENIED,
    "the TPM has an owner password, without which it gives no counter: tpm2_changeauth -c owner"_kj};
constexpr Error FULL{Errc::LIMIT_EXCEEDED,
    "the TPM has no room for a counter: tpm2_getcap handles-nv-index shows what fills it"_kj};
constexpr Error OTHERS{Errc::EVIDENCE_REJECTED,
    "the TPM's counter is another home's: if that is gone, tpm2_nvundefine 0x1500016 frees it"_kj};
constexpr Error WORN{
    Errc::BUSY, "the TPM takes no more writes just now: its counter is moved on later"_kj};
constexpr Error REFUSED{
    Errc::EVIDENCE_REJECTED, "the TPM refuses its counter: see the daemon's log"_kj};

// The TPM's own code, without the session, handle or parameter that it blames (TPM 2.0 part 2, §6.6). None
// when it is not the TPM that said no.
TSS2_RC codeOf(TSS2_RC rc) {
  auto layer = rc & TSS2_RC_LAYER_MASK;
  bool fromTpm = layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER;
  rc &= ~TSS2_RC_LAYER_MASK;
  bool isFormatOne = (rc & TPM2_RC_FMT1) != 0;
  return fromTpm ? (isFormatOne ? rc & (TPM2_RC_FMT1 | 0x3f) : rc) : TSS2_RC_SUCCESS;
}

Error errorOf(TSS2_RC rc) {
  switch (codeOf(rc)) {
    case TPM2_RC_BAD_AUTH:
    case TPM2_RC_AUTH_FAIL:
      return PASSWORD;
    case TPM2_RC_NV_SPACE:
      return FULL;
    case TPM2_RC_NV_RATE:
    case TPM2_RC_NV_UNAVAILABLE:
    case TPM2_RC_RETRY:
      return WORN;
    case TSS2_RC_SUCCESS:
      return SILENT;
    default:
      return REFUSED;
  }
}

std::unexpected<Error> refusal(TSS2_RC rc, kj::StringPtr what) {
  tpmDid(rc, what);
  return no(errorOf(rc));
}

// The index as this program sees it; the handle is ESAPI's own, and takes no room in the TPM.
struct Index {
  TpmContext context;
  ESYS_TR handle = ESYS_TR_NONE;  // none: it is not defined

  Result<void> open(kj::StringPtr tcti, const Digest& tag) {
    if (!context.open(tcti)) return no(SILENT);
    auto there = isDefined();
    if (!there) return no(there.error());
    if (!*there) return {};
    auto rc = Esys_TR_FromTPMPublic(
        context.esys, TpmCounter::INDEX, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &handle);
    if (rc != TSS2_RC_SUCCESS) return refusal(rc, "finding its counter"_kj);
    return checkOwner(tag);
  }

  // The first index from this one on.
  Result<bool> isDefined() {
    TPMS_CAPABILITY_DATA* found = nullptr;
    auto rc = Esys_GetCapability(context.esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
        TPM2_CAP_HANDLES, TpmCounter::INDEX, 1, nullptr, &found);
    if (rc != TSS2_RC_SUCCESS) return refusal(rc, "looking for its counter"_kj);
    FromTpm<TPMS_CAPABILITY_DATA> owned(found);
    auto& handles = found->data.handles;
    return handles.count > 0 && handles.handle[0] == TpmCounter::INDEX;
  }

  Result<void> checkOwner(const Digest& tag) {
    TPM2B_NV_PUBLIC* found = nullptr;
    auto rc = Esys_NV_ReadPublic(
        context.esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &found, nullptr);
    if (rc != TSS2_RC_SUCCESS) return refusal(rc, "describing its counter"_kj);
    FromTpm<TPM2B_NV_PUBLIC> owned(found);
    auto& area = found->nvPublic;
    auto attributes = area.attributes & ~TPMA_NV_WRITTEN;
    auto policy = kj::arrayPtr(area.authPolicy.buffer, area.authPolicy.size);
    if (attributes != ATTRIBUTES || policy != tag.asBytes()) return no(OTHERS);
    return {};
  }

  Result<void> define(const Digest& tag) {
    TPM2B_AUTH none = {};
    TPM2B_NV_PUBLIC wanted = {};
    auto& area = wanted.nvPublic;
    area.nvIndex = TpmCounter::INDEX;
    area.nameAlg = TPM2_ALG_SHA256;
    area.attributes = ATTRIBUTES;
    area.dataSize = COUNTER_BYTES;
    area.authPolicy.size = Digest::SIZE;
    memcpy(area.authPolicy.buffer, tag.asBytes().begin(), Digest::SIZE);
    auto rc = Esys_NV_DefineSpace(context.esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
        ESYS_TR_NONE, &none, &wanted, &handle);
    if (rc != TSS2_RC_SUCCESS) return refusal(rc, "making a counter"_kj);
    return {};
  }

  Result<kj::Maybe<uint64_t>> read() {
    TPM2B_MAX_NV_BUFFER* data = nullptr;
    auto rc = Esys_NV_Read(context.esys, ESYS_TR_RH_OWNER, handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
        ESYS_TR_NONE, COUNTER_BYTES, 0, &data);
    // Defined and never moved on: a crash lay between.
    if (codeOf(rc) == TPM2_RC_NV_UNINITIALIZED) return kj::Maybe<uint64_t>();
    if (rc != TSS2_RC_SUCCESS) return refusal(rc, "reading its counter"_kj);
    FromTpm<TPM2B_MAX_NV_BUFFER> owned(data);
    if (data->size != COUNTER_BYTES) return no(REFUSED);
    uint64_t value = 0;
    for (auto byte: kj::arrayPtr(data->buffer, data->size)) value = value << 8 | byte;
    return kj::Maybe<uint64_t>(value);
  }
};

}  // namespace

Result<kj::Maybe<uint64_t>> TpmCounter::read() {
  Index index;
  if (auto opened = index.open(tcti, tag); !opened) return no(opened.error());
  if (index.handle == ESYS_TR_NONE) return kj::Maybe<uint64_t>();
  return index.read();
}

Result<uint64_t> TpmCounter::advance() {
  Index index;
  if (auto opened = index.open(tcti, tag); !opened) return no(opened.error());
  if (index.handle == ESYS_TR_NONE) {
    if (auto made = index.define(tag); !made) return no(made.error());
  }
  auto rc = Esys_NV_Increment(index.context.esys, ESYS_TR_RH_OWNER, index.handle, ESYS_TR_PASSWORD,
      ESYS_TR_NONE, ESYS_TR_NONE);
  if (rc != TSS2_RC_SUCCESS) return refusal(rc, "moving its counter on"_kj);
  auto value = index.read();
  if (!value) return no(value.error());
  KJ_IF_MAYBE(now, *value) return *now;
  return no(REFUSED);
}

}  // namespace hearth::devices
