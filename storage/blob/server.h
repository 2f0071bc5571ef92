#pragma once
// The side that has blobs, towards one peer: questions come in, answers go out as fast as the link takes them. A
// pure machine. It holds the questions and never the parts: those are fetched one message at a time.

#include "storage/blob/messages.h"

#include <deque>

namespace hearth::storage {

// Where parts come from.
class PartSource {
 public:
  // Nothing, where it is not here or not for this peer: the two look alike. At most CHUNK_BYTES_MAX.
  virtual kj::Maybe<crypto::Buffer> part(
      const ContentId& content, uint8_t level, uint64_t offset) = 0;
};

class BlobServer final {
 public:
  static constexpr size_t UNKNOWN_MAX = 16'384;  // questions without an answer in a conversation

  // The source outlives the server.
  explicit BlobServer(PartSource& source): source(source) {}

  // A message of the peer. Errors, after which the conversation is over: BAD_FORMAT; LIMIT_EXCEEDED for a peer that
  // goes on asking without waiting, or for what is not here.
  Result<void> received(const AskParts& ask);

  // The next message to send, when there is one and the link has room for it.
  kj::Maybe<crypto::Buffer> next();

  bool isIdle() const { return asked.empty() && lacks.empty() && busy.empty(); }

 private:
  PartSource& source;
  std::deque<AskedPart> asked;
  std::vector<uint32_t> lacks, busy;
  size_t unknown = 0;
  kj::Maybe<crypto::Buffer> held;  // a part that did not fit the message before
};

}  // namespace hearth::storage
