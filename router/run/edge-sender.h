#pragma once
// The producer's end of one edge: keeps frames until they are committed, feeds whichever consumer
// attached last, and learns from it what has been committed.

#include "core/base/holding.h"
#include "router/run/edge-buffer.h"
#include "router/run/edge-stream.h"

#include <kj/function.h>

namespace hearth::router {

class EdgeSender final {
 public:
  class Owner {
   public:
    virtual void edgeCommitted() = 0;  // committedUpto() or full() has changed
  };

  EdgeSender(EdgeIndex edge, Owner& owner): edge(edge), owner(owner) {}

  // A consumer has come and said where it goes on. Replaces the one before unless its attempt is
  // an older one. Errors; the caller drops the stream: BUSY for an older attempt, STALE when it goes
  // on before where this attempt began: the consumer before it was further, so the stage must be begun
  // again.
  Result<void> attach(uint32_t attempt, Resume resume, kj::Own<kj::AsyncIoStream> stream);

  // Numbering begins once it is known where the consumers go on. Requires that it is called once,
  // before push().
  void beginAfter(uint64_t outSeq);
  void push(Frame&& frame);

  bool attached() const { return everAttached; }
  const Resume& resume() const { return origin; }
  bool full() const { return buffer.full(); }
  void addTo(Holdings& holdings) const;
  uint64_t committedUpto() const { return buffer.firstSeq() - 1; }
  const EdgeIndex edge;

 private:
  Owner& owner;
  EdgeBuffer buffer;
  bool everAttached = false;
  bool begun = false;
  uint32_t consumerAttempt = 0;
  Resume origin;  // of the consumer that attached last
  uint64_t nextToSend = 1;
  uint64_t commitAsked = 0;  // may run ahead of a producer that makes frames again
  kj::Own<kj::AsyncIoStream> stream;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> wakeSender;
  kj::Promise<void> sending = nullptr;
  kj::Promise<void> listening = nullptr;

  void startTasks();
  kj::Promise<void> send();
  kj::Promise<void> listen();
  Result<void> committed(uint64_t seq);
  void applyCommit();
};

}  // namespace hearth::router
