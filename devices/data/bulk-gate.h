#pragma once
// Whether bulk goes just now, and how much of it: blobs, files of folders, and what lies on VAULTs. Whoever sends some or
// asks for some passes here. Documents, operations and live streams do not.
//
//   limits of all devices together ─┐
//   limits towards one device ──────┼─▶ how many bytes now, or when some again
//   battery, network, its owner ────┘   at rest: none before that is over
//
// Nothing is looked at and no timer runs while nobody wants anything.

#include "core/time/pace.h"
#include "devices/facts/outlook.h"
#include "storage/blob/fetcher.h"
#include "storage/sql/store.h"
#include "storage/tables/limits.h"

#include <kj/timer.h>

namespace hearth::devices {

class BulkGate final {
 public:
  enum class Way : uint8_t { UP, DOWN };
  using Rates = storage::limits::Rates;
  using Resting = storage::limits::Resting;
  using Left = storage::BlobFetcher::Allowance::Left;

  // What was seen of battery and network is looked at anew by whoever uses the gate after this; after twice as long
  // nothing goes before it was.
  static constexpr kj::Duration LOOKS_EVERY = 30 * kj::SECONDS;
  // Of a limit that is reached: so much comes together before it is used.
  static constexpr kj::Duration QUANTUM = 20 * kj::MILLISECONDS;

  // Whoever goes through, beside those who wait in untilOpen().
  class User {
   public:
    // Bulk rests, or goes again, or there are other limits.
    virtual void gateChanged() = 0;
    // Whether something would go if it did not rest.
    virtual bool isWaiting() const = 0;
  };

  // All outlive the gate.
  struct Surroundings {
    kj::Timer& timer;
    const kj::Clock& clock;
    storage::Store& store;
    kj::Maybe<OutlookSource&> outlook;  // none: of a machine of which nothing is known
  };
  explicit BulkGate(Surroundings around): around(around) {}

  // The user outlives what is asked of the gate.
  void setUser(User& uses) { user = uses; }

  // Reads what its owner has said, and looks. To be awaited before anything goes.
  kj::Promise<void> start();

  // The machine is somewhere else: looks at once.
  void lookAgain();

  // Why bulk rests; none: it goes. For people: "on battery at 14 %".
  kj::Maybe<std::string> whyResting() const;
  bool isResting() const { return reason() != Reason::NONE; }
  // Resolves when that can be believed.
  kj::Promise<void> looked();

  // How many bytes may go to or come from that device now. What is larger goes whole, and is waited for afterwards.
  Left left(Way way, const DeviceId& peer);
  void passed(Way way, const DeviceId& peer, uint64_t bytes);
  kj::Promise<void> untilOpen(Way way, DeviceId peer);
  // All that has, since this device began.
  uint64_t passedBytes(Way way) const { return way == Way::UP ? sent : fetched; }

  // By device; zero: all together.
  std::map<DeviceId, Rates> rates() const;
  const Resting& resting() const { return rests; }
  // Unix time, as pauses have it.
  int64_t nowMs() const { return (around.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS; }

  // What is said holds when it is on disk. Errors: BAD_FORMAT for what no limit can be; LIMIT_EXCEEDED.
  kj::Promise<Result<void>> setRates(DeviceId device, Rates rates);
  kj::Promise<Result<void>> setResting(Resting resting);

 private:
  enum class Reason : uint8_t { NONE, PAUSED, BATTERY, METERED };
  struct Limit {
    Rates rates;
    Pace up{0}, down{0};

    Pace& of(Way way) { return way == Way::UP ? up : down; }
  };

  Surroundings around;
  kj::Maybe<User&> user;
  std::map<DeviceId, Limit> limits;
  Resting rests;
  Outlook seen;
  kj::TimePoint seenAt = kj::origin<kj::TimePoint>();
  bool toldResting = false, isWatching = false;
  size_t waiting = 0;  // in untilOpen()
  uint64_t sent = 0, fetched = 0;
  kj::PromiseFulfillerPair<void> change = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> changing = change.promise.fork();
  kj::Promise<void> watching = nullptr;

  Reason reason() const;
  bool isOlderThan(kj::Duration age) const;
  bool isWaitedFor() const;
  bool mayEndByItself() const;
  void tell();
  void watchOn();
  kj::Promise<void> look();
  kj::Promise<void> watch();
};

}  // namespace hearth::devices
