#pragma once
// The two machines of a transfer over blobs that are at hand without waiting: in memory, for benchmarks, tests and
// whatever else has no disk to wait for.

#include "storage/blob/fetcher.h"
#include "storage/blob/server.h"

namespace hearth::storage {

// What of a wanted blob is here.
class Holdings {
 public:
  virtual kj::Maybe<crypto::Buffer> node(const Digest& hash) = 0;
  virtual bool hasChunk(const ContentId& content, uint64_t offset, const Child& chunk) = 0;
};

// Where parts come from.
class PartSource {
 public:
  // Nothing, where it is not here. At most CHUNK_BYTES_MAX.
  virtual kj::Maybe<crypto::Buffer> part(
      const ContentId& content, uint8_t level, uint64_t offset) = 0;
};

// What the fetcher wants done, once it knows what is here.
inline BlobFetcher::Effects takeAtOnce(
    BlobFetcher& fetcher, Holdings& holdings, BlobFetcher::Time now) {
  BlobFetcher::Effects all;
  for (;;) {
    auto effects = fetcher.take(now);
    auto move = [](auto& from, auto& to) {
      for (auto& each: from) to.push_back(kj::mv(each));
    };
    move(effects.send, all.send);
    move(effects.here, all.here);
    move(effects.lied, all.lied);
    move(effects.ended, all.ended);
    if (effects.look.empty()) return all;
    for (auto& look: effects.look) {
      kj::Maybe<crypto::Bytes> answer;
      auto node = look.level > 0 ? holdings.node(look.part.hash) : nullptr;
      KJ_IF_MAYBE(bytes, node) answer = bytes->asPtr();
      if (look.level == 0 && holdings.hasChunk(look.content, look.offset, look.part))
        answer = crypto::Bytes();
      fetcher.looked(look.number, answer);
    }
  }
}

// The next message, once what has to be looked up for it is.
inline kj::Maybe<crypto::Buffer> nextAtOnce(
    BlobServer& server, PartSource& source, BlobServer::Time now) {
  kj::Vector<kj::Maybe<crypto::Buffer>> answers;
  size_t bytes = 0;
  for (auto& asked: server.toLookUp()) {
    if (bytes >= BlobServer::READ_BYTES_MAX) break;
    auto part = source.part(asked.content, asked.level, asked.offset);
    KJ_IF_MAYBE(found, part) bytes += found->size();
    answers.add(kj::mv(part));
  }
  server.lookedUp(kj::mv(answers), now);
  return server.next();
}

}  // namespace hearth::storage
