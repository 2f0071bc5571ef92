#pragma once
// A blind relay: joins a caller with whoever waits under a name, and hands on their bytes. It needs no
// circle, stores nothing and knows nobody: names change every quarter of an hour and mean nothing to
// it. What it carries is a link, handshake and all, between the two: it can drop bytes, never read
// them, nor change them unnoticed.

#include "core/base/holding.h"
#include "core/time/pace.h"
#include "transport/relay/hello.h"
#include "transport/wire/splice.h"

#include <list>
#include <map>
#include <string>

namespace hearth::transport {

class RelayServer final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr kj::Duration HELLO_WITHIN = 5 * kj::SECONDS;
  static constexpr kj::Duration READY_WITHIN = 3 * kj::SECONDS;
  // Longer than a name is good for.
  static constexpr kj::Duration WAIT_MAX = 20 * kj::MINUTES;
  // A link that has nothing to say is silent for long (RFC 5382 gives NATs the same).
  static constexpr kj::Duration IDLE_MAX = 2 * kj::HOURS;
  static constexpr size_t WAITING_UNDER_NAME_MAX = 4;
  static constexpr size_t CALLS_MAX = 4;  // names that one connection may call, one after another

  struct Limits {
    size_t connections = 512;         // memory: two buffers of Splice for each two of them
    size_t connectionsOfSource = 48;  // an IPv4 address or an IPv6 /64; a household may share one
    uint64_t bytesPerS = 32 << 20;    // of all pairs together
    uint64_t bytesPerSOfPair = 8 << 20;
  };

  struct Count {
    size_t connections = 0, waiting = 0, pairs = 0;  // now
    uint64_t joined = 0, refused = 0, bytes = 0;     // ever
  };

  // `timer` outlives the relay.
  RelayServer(kj::Timer& timer, Limits limits);
  ~RelayServer() noexcept(false);

  // Answers on `receiver` until this object is destroyed.
  void serve(kj::Own<kj::ConnectionReceiver> receiver);

  const Count& count() const { return counted; }
  void addTo(Holdings& holdings) const;

 private:
  // One that waits, until a caller takes it.
  struct Waiting {
    uint64_t number;
    kj::Own<kj::AsyncIoStream> stream;
    kj::Promise<void> watching = nullptr;
  };

  kj::Timer& timer;
  Limits limits;
  Pace pace;
  Count counted;
  uint64_t nextNumber = 1;
  std::map<std::string, size_t> sources;            // connections of each
  std::map<RelayName, std::list<Waiting>> waiting;  // newest first
  kj::TaskSet tasks;

  kj::Promise<void> acceptAll(kj::Own<kj::ConnectionReceiver> receiver);
  void arrived(kj::Own<kj::AsyncIoStream> stream);
  kj::Promise<void> talk(kj::Own<kj::AsyncIoStream> stream);
  void hold(kj::Own<kj::AsyncIoStream> stream, const RelayName& name);
  kj::Promise<void> watch(Waiting& waiter, RelayName name);
  void drop(const RelayName& name, uint64_t number);
  kj::Maybe<kj::Own<kj::AsyncIoStream>> take(const RelayName& name);
  kj::Promise<void> call(kj::Own<kj::AsyncIoStream> stream, RelayName name);
  kj::Promise<kj::Maybe<kj::Own<kj::AsyncIoStream>>> wake(RelayName name);
  kj::Promise<void> join(kj::Own<kj::AsyncIoStream> one, kj::Own<kj::AsyncIoStream> other);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::transport
