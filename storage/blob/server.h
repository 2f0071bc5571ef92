#pragma once
// The side that has blobs, towards one peer: questions come in, answers go out as fast as the link takes them. A
// pure machine. It holds the questions, and of their answers no more than keeps the link busy: parts are looked up
// many at a time, while those before them are being sent.

#include "storage/blob/messages.h"

#include <kj/time.h>
#include <kj/vector.h>

#include <deque>
#include <set>

namespace hearth::storage {

class BlobServer final {
 public:
  using Time = kj::TimePoint;

  // Questions without an answer. Whoever wants as many blobs as a fetcher may, of which nothing is here, comes to
  // this by asking for each once and once more.
  static constexpr size_t UNKNOWN_MAX = 131'072;
  static constexpr size_t FORGOTTEN_PER_S = 1'024;   // of these
  static constexpr size_t READ_BYTES_MAX = 1 << 20;  // that are looked up at a time
  static constexpr size_t REMEMBERED_MAX = 4'096;    // blobs of which some was not here

  // A message of the peer. Errors, after which the conversation is over: LIMIT_EXCEEDED for a peer that goes on
  // asking without waiting, or for what is not here.
  Result<void> received(const AskParts& ask, Time now);

  // What is to be looked up now, if anything. The answers to the first ones come before this is asked again.
  std::vector<AskedPart> toLookUp() const;
  // In the order of toLookUp(), at least one; none for what is not here, or not for this peer: the two look alike.
  // Requires that each is at most CHUNK_BYTES_MAX.
  void lookedUp(kj::Vector<kj::Maybe<crypto::Buffer>> answers, Time now);

  // More of a blob is here than was: whoever was told that some is not here is told so, and whoever is about to be.
  void has(const ContentId& content);
  // For whoever rests: what was looked up and not sent is told to be lacking. With hasAll(), after the rest, the peer is
  // told that whatever was lacking may be here.
  void giveNothing();
  void hasAll();

  // Whether parts wait to be sent: bulk, which may be held back.
  bool hasParts() const { return !found.empty(); }
  // Whether something was told to be lacking, and not yet that it may be here now.
  bool hasRefused() const { return !lacked.empty(); }

  // The next message to send, when there is one and the link has room for it.
  kj::Maybe<crypto::Buffer> next();

  bool isIdle() const {
    return asked.empty() && found.empty() && lacks.empty() && busy.empty() && come.empty();
  }

 private:
  struct Asked {
    AskedPart part;
    bool hasCome = false;  // something of its blob, while it was being looked up
  };
  struct Found {
    ContentId content;
    uint32_t ticket;
    crypto::Buffer bytes;
  };

  std::deque<Asked> asked;
  std::deque<Found> found;
  size_t foundBytes = 0;
  std::deque<uint32_t> lacks, busy;
  std::set<ContentId> lacked;
  std::vector<ContentId> come;  // of those, which the peer has not been told yet
  size_t unknown = 0;
  Time countedAt = kj::origin<Time>();

  void forgetUnknown(Time now);
  void lack(const ContentId& content, uint32_t ticket);
};

}  // namespace hearth::storage
