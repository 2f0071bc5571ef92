#pragma once
// How the key of one stored blob is kept: a random data key, wrapped under its collection's key, and
// a file name that says nothing of the content.

#include "crypto/identity/circle-keys.h"
#include "crypto/primitives/aead.h"

namespace hearth::crypto {

using ContentId = Id<struct ContentTag, 32>;  // BLAKE3-256 of the plaintext; never stored in clear
using BlobId = Id<struct BlobTag, 32>;
using DataKey = Key<struct DataKeyTag, 32>;
using BlobName = Mac;  // a file is called by its hex form

constexpr size_t WRAPPED_DATA_KEY_BYTES = 72;  // nonce, key, tag

BlobName blobName(const BlobNameKey& key, const ContentId& content);
Buffer wrapDataKey(const CollectionKey& key, const BlobId& blob, const XChaChaPoly::Nonce& nonce,
    const DataKey& dataKey);

// Errors: BAD_LENGTH, DECRYPT_FAILED.
Result<DataKey> unwrapDataKey(const CollectionKey& key, const BlobId& blob, Bytes wrapped);

}  // namespace hearth::crypto
