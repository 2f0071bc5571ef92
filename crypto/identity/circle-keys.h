#pragma once
// Keys that a circle's devices share, derived from the secret of an epoch. A VAULT never holds the
// epoch secret; it holds its vault PSK alone, because it authenticates links but may not read.

#include "core/base/ids.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/secret.h"

namespace hearth::crypto {

using EpochSecret = Key<struct EpochSecretTag, 32>;
using LinkPsk = Key<struct LinkPskTag, 32>;
using VaultPsk = Key<struct VaultPskTag, 32>;
using LogKey = Key<struct LogKeyTag, 32>;                // sealed fields of ops
using CollectionKey = Key<struct CollectionKeyTag, 32>;  // wraps the data keys of blobs
using BlobNameKey = Key<struct BlobNameKeyTag, 32>;
using BackKey = Key<struct BackKeyTag, 32>;  // opens the secret of the epoch before
using CollectionId = Id<struct CollectionTag, 16>;

// Which epoch: `id` is the hash of its Epoch op.
struct EpochName {
  CircleId circle;
  EpochId id;
};

// What an Epoch op says in clear about the secret that it seals; `n` counts epochs from 1.
Digest epochCommit(const CircleId& circle, uint64_t n, const EpochSecret& secret);

// The same for (a, b) and (b, a).
LinkPsk linkPsk(
    const EpochSecret& secret, const EpochName& epoch, const DeviceId& a, const DeviceId& b);

VaultPsk vaultPsk(
    const EpochSecret& secret, const CircleId& circle, const Digest& commit, const DeviceId& vault);
LinkPsk vaultLinkPsk(const VaultPsk& psk, const DeviceId& vault, const DeviceId& other);

LogKey logKey(const EpochSecret& secret, const EpochName& epoch);
CollectionKey collectionKey(
    const EpochSecret& secret, const EpochName& epoch, const CollectionId& collection);
BlobNameKey blobNameKey(
    const EpochSecret& secret, const EpochName& epoch, const CollectionId& collection);

// `previous` is the epoch whose secret the key opens.
BackKey backKey(const EpochSecret& secret, const EpochName& previous);

}  // namespace hearth::crypto
