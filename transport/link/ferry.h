#pragma once
// Carries bytes between two peers of this device that have no way to each other (docs/PROTOCOL.md, "Through
// a member"). Their own link runs inside, from end to end: this device sees sizes and times, no more.

#include "core/base/holding.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/time/pace.h"
#include "transport/wire/splice.h"

#include <map>
#include <string_view>

namespace hearth::transport {

class Ferry final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t PASSAGES_MAX = 64;
  // Asked for by one peer: one for each device that it cannot reach, and some that are about to end.
  static constexpr size_t PASSAGES_OF_PEER_MAX = 16;
  // Of all passages together: more than most uplinks have, and less than would keep a core busy.
  static constexpr uint64_t BYTES_PER_S = 64 << 20;

  // Said to whoever asked, once there is a stream to the other.
  static constexpr kj::byte YES[] = {1};

  static constexpr std::string_view HELD = "streams carried for others";

  struct Count {
    size_t now = 0;         // passages that go on
    uint64_t passages = 0;  // ever
    uint64_t bytes = 0;
  };

  explicit Ferry(kj::Timer& timer): timer(timer), tasks(*this) {}
  void setRate(uint64_t bytesPerS) { pace = Pace(bytesPerS); }

  // Errors: LIMIT_EXCEEDED, BUSY.
  Result<void> mayCarry(const DeviceId& asking) const;

  // Until either stream ends. Requires mayCarry().
  void carry(const DeviceId& asking, const DeviceId& target, kj::Own<kj::AsyncIoStream> there,
      kj::Own<kj::AsyncIoStream> back);

  // Ends all passages.
  void stop() { tasks.clear(); }

  // What was carried in all, and between that peer and others.
  const Count& total() const { return all; }
  Count countOf(const DeviceId& peer) const;
  void addTo(Holdings& holdings) const;

 private:
  kj::Timer& timer;
  Pace pace{BYTES_PER_S};
  Count all;
  std::map<DeviceId, Count> counts;     // of both ends
  std::map<DeviceId, size_t> askedFor;  // passages that go on, by who asked
  kj::TaskSet tasks;

  kj::Promise<void> passage(DeviceId asking, DeviceId target, kj::Own<kj::AsyncIoStream> there,
      kj::Own<kj::AsyncIoStream> back);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::transport
