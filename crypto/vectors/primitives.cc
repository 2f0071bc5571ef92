#include "crypto/vectors/primitives.h"

#include <kj/debug.h>

#include <mbedtls/asn1write.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <sodium.h>

namespace hearth::crypto {

namespace {

class PublicKey final {
 public:
  explicit PublicKey(Bytes der) {
    mbedtls_pk_init(&context);
    KJ_REQUIRE(mbedtls_pk_parse_public_key(&context, der.begin(), der.size()) == 0, "no key");
  }
  ~PublicKey() { mbedtls_pk_free(&context); }
  KJ_DISALLOW_COPY_AND_MOVE(PublicKey);
  mbedtls_pk_context* get() { return &context; }

 private:
  mbedtls_pk_context context;
};

class Number final {
 public:
  Number() { mbedtls_mpi_init(&value); }
  ~Number() { mbedtls_mpi_free(&value); }
  KJ_DISALLOW_COPY_AND_MOVE(Number);
  mbedtls_mpi* get() { return &value; }

 private:
  mbedtls_mpi value;
};

// mbedTLS reads BER as well; a signature in another form than DER's only one does not hold.
bool isDer(Bytes signature) {
  constexpr size_t BYTES_MAX = 128;
  if (signature.size() > BYTES_MAX) return false;
  Number r, s;
  auto at = const_cast<kj::byte*>(signature.begin());
  auto end = at + signature.size();
  size_t length;
  bool read = mbedtls_asn1_get_tag(
                  &at, end, &length, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) == 0 &&
      mbedtls_asn1_get_mpi(&at, end, r.get()) == 0 && mbedtls_asn1_get_mpi(&at, end, s.get()) == 0;
  if (!read) return false;
  kj::byte out[2 * BYTES_MAX];
  auto begin = out + sizeof(out);
  auto body = mbedtls_asn1_write_mpi(&begin, out, s.get());
  body += mbedtls_asn1_write_mpi(&begin, out, r.get());
  mbedtls_asn1_write_len(&begin, out, static_cast<size_t>(body));
  mbedtls_asn1_write_tag(&begin, out, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
  return kj::arrayPtr(begin, out + sizeof(out)) == signature;
}

}  // namespace

bool verifyEd25519(Bytes pk, Bytes message, Bytes signature) {
  if (pk.size() != crypto_sign_PUBLICKEYBYTES || signature.size() != crypto_sign_BYTES)
    return false;
  return crypto_sign_ed25519_verify_detached(
             signature.begin(), message.begin(), message.size(), pk.begin()) == 0;
}

Result<Buffer> hkdfSha256(Bytes salt, Bytes secret, Bytes info, size_t bytes) {
  if (bytes > crypto_kdf_hkdf_sha256_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "more than HKDF gives");
  kj::byte prk[crypto_kdf_hkdf_sha256_KEYBYTES];
  crypto_kdf_hkdf_sha256_extract(prk, salt.begin(), salt.size(), secret.begin(), secret.size());
  auto out = kj::heapArray<kj::byte>(bytes);
  crypto_kdf_hkdf_sha256_expand(
      out.begin(), out.size(), reinterpret_cast<const char*>(info.begin()), info.size(), prk);
  return kj::mv(out);
}

bool verifyEcdsaP256(Bytes key, Bytes message, Bytes signature) {
  if (!isDer(signature)) return false;
  kj::byte digest[32];
  auto sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
  KJ_REQUIRE(mbedtls_md(sha256, message.begin(), message.size(), digest) == 0);
  return mbedtls_pk_verify(PublicKey(key).get(), MBEDTLS_MD_SHA256, digest, sizeof(digest),
             signature.begin(), signature.size()) == 0;
}

}  // namespace hearth::crypto
