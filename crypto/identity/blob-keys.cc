#include "crypto/identity/blob-keys.h"

#include "core/base/flat.h"

namespace hearth::crypto {

namespace {
Buffer wrapAd(const BlobId& blob) {
  FlatWriter writer;
  writer.bytes("hearth/dek/v1"_kj.asBytes()).bytes(blob.asBytes());
  return writer.finish();
}
}  // namespace

BlobName blobName(const BlobNameKey& key, const ContentId& content) {
  return mac(key.reveal(), "hearth/blob-file/v1", {content.asBytes()});
}

Buffer wrapDataKey(const CollectionKey& key, const BlobId& blob, const XChaChaPoly::Nonce& nonce,
    const DataKey& dataKey) {
  FlatWriter writer;
  writer.bytes(nonce.asBytes());
  writer.bytes(XChaChaPoly::seal(key.reveal(), nonce, wrapAd(blob), dataKey.reveal()));
  return writer.finish();
}

Result<DataKey> unwrapDataKey(const CollectionKey& key, const BlobId& blob, Bytes wrapped) {
  if (wrapped.size() != WRAPPED_DATA_KEY_BYTES) {
    return no(Errc::BAD_LENGTH, "a wrapped key of another length");
  }
  auto nonce = XChaChaPoly::Nonce::from(wrapped.slice(0, XChaChaPoly::Nonce::SIZE)).value();
  auto opened = XChaChaPoly::openSecret(
      key.reveal(), nonce, wrapAd(blob), wrapped.slice(XChaChaPoly::Nonce::SIZE, wrapped.size()));
  if (!opened) return no(opened.error());
  return DataKey::from(opened->reveal());
}

}  // namespace hearth::crypto
