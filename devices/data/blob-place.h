#pragma once
// What the exchange of blobs (blob-exchange.h) asks of whoever keeps blobs on this device: the blob store, and
// folders, whose blobs are the owner's own files. Everything comes in batches, so that many small blobs cost few
// turns of the disk's thread.

#include "crypto/identity/circle-keys.h"
#include "storage/blob/messages.h"

#include <kj/async.h>
#include <kj/vector.h>

#include <string>

namespace hearth::devices {

using storage::BlobRef;
using storage::ContentId;

// Somewhere blobs are.
class BlobPlace {
 public:
  struct Found {
    crypto::CollectionId collection;  // who may not read it gets nothing
    crypto::Buffer bytes;             // as hashed: a chunk, or a node encoded
  };
  using Answers = kj::Vector<kj::Maybe<Found>>;

  // Answers to the first of `asked`, one each and in their order; none for a part that is not here. As many as come
  // to `mostBytes`, at least one. No disk is read on the loop. What throws counts as not here.
  virtual kj::Promise<Answers> parts(std::vector<storage::AskedPart> asked, size_t mostBytes) = 0;
};

// A part of a blob that is wanted: what is said of it by the node above it, or the reference.
struct WantedPart {
  ContentId content;
  uint8_t level = 0;  // 0: a chunk
  uint64_t offset = 0;
  storage::Child part;
};

// Somewhere blobs go. One target takes any number of blobs, and should: batches are a target's.
class BlobTarget {
 public:
  struct Arrived {
    WantedPart part;
    crypto::Buffer bytes;
  };
  using Looked = kj::Vector<kj::Maybe<crypto::Buffer>>;

  // What of these is here already, one answer each: of a node its bytes, of a chunk that needs not be sent no bytes;
  // none for what is to be fetched. A chunk that is taken from elsewhere on this device is put where it belongs
  // before this resolves.
  virtual kj::Promise<Looked> look(std::vector<WantedPart> parts) = 0;

  // Parts that have come and are what their hash says, in any order. The next ones come when this has resolved, and
  // a fetch ends when all of its parts are kept. What it throws is what the fetches of these blobs throw.
  virtual kj::Promise<void> keep(std::vector<Arrived> parts) = 0;
};

// Whoever fetches blobs for targets.
class BlobFetching {
 public:
  struct Wish {
    uint32_t need = 0;  // lower ones first; among equal ones who came first
    uint64_t begin = 0, end = storage::BLOB_BYTES_MAX;  // of the blob's bytes
  };

  // Resolves when all that is wished for has been kept; goes on for as long as nobody has it. Dropping the promise
  // gives the fetch up: then nothing more is kept, but for what the target is keeping just now. The target outlives
  // the promise. Who wishes for a blob that another target is being given waits for that one's end, and looks then.
  // Errors: BAD_FORMAT, LIMIT_EXCEEDED where the blob's author has made its tree wrong; LIMIT_EXCEEDED where more
  // than BlobFetcher::WANTED_MAX are fetched at once.
  virtual kj::Promise<Result<void>> fetch(BlobRef ref, Wish wish, BlobTarget& target) = 0;

  // The peer has more of the blob than when it was asked last.
  virtual void peerHas(const DeviceId& peer, const ContentId& content) = 0;

  // This device has more of the blob than it may have said.
  virtual void isHere(const crypto::CollectionId& collection, const ContentId& content) = 0;

  // Whether nobody who is here has what is lacking of the blob.
  virtual bool isStuck(const ContentId& content) const = 0;

  // Why nothing is fetched just now, for people; none: it is (bulk-gate.h).
  virtual kj::Maybe<std::string> whyResting() const = 0;
};

}  // namespace hearth::devices
