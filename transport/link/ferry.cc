#include "transport/link/ferry.h"

#include <kj/debug.h>

namespace hearth::transport {

Result<void> Ferry::mayCarry(const DeviceId& asking) const {
  auto found = askedFor.find(asking);
  if (found != askedFor.end() && found->second >= PASSAGES_OF_PEER_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a peer that has itself carried to too many");
  if (all.now >= PASSAGES_MAX) return no(Errc::BUSY, "this device carries for too many");
  return {};
}

void Ferry::carry(const DeviceId& asking, const DeviceId& target, kj::Own<kj::AsyncIoStream> there,
    kj::Own<kj::AsyncIoStream> back) {
  KJ_REQUIRE(mayCarry(asking).has_value());
  tasks.add(passage(asking, target, kj::mv(there), kj::mv(back)));
}

kj::Promise<void> Ferry::passage(DeviceId asking, DeviceId target, kj::Own<kj::AsyncIoStream> there,
    kj::Own<kj::AsyncIoStream> back) {
  Count* touched[] = {&all, &counts[asking], &counts[target]};
  for (auto count: touched) ++count->now, ++count->passages;
  ++askedFor[asking];
  KJ_DEFER({
    for (auto count: touched) --count->now;
    if (--askedFor[asking] == 0) askedFor.erase(asking);
  });
  co_await there->write(YES, sizeof(YES));
  Splice splice(timer, kj::mv(there), kj::mv(back));
  co_await splice.run(NEVER_IDLE, [this, touched](size_t bytes) {
    for (auto count: touched) count->bytes += bytes;
    return pace.passed(bytes, timer.now());
  });
}

Ferry::Count Ferry::countOf(const DeviceId& peer) const {
  auto found = counts.find(peer);
  return found == counts.end() ? Count() : found->second;
}

void Ferry::addTo(Holdings& holdings) const {
  holdings.push_back({HELD.data(), all.now, PASSAGES_MAX});
}

void Ferry::taskFailed(kj::Exception&& e) {
  if (e.getType() != kj::Exception::Type::DISCONNECTED) KJ_LOG(WARNING, "a passage failed", e);
}

}  // namespace hearth::transport
