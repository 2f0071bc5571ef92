#include "transport/link/gate.h"

#include <cstring>

namespace hearth::transport {

namespace {
constexpr size_t IP6_SITE_BYTES = 8;  // a /64: one household, one attacker
constexpr kj::byte IP4_MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
}  // namespace

Gate::Judgement Gate::judge(const crypto::GateKeys& keys, const crypto::HsInit& init,
    const crypto::SourceAddress& source, kj::TimePoint now) {
  if (!crypto::mac1Holds(keys, init)) return {Verdict::DROP, nullptr};
  noteInitiation(now);
  if (isUnderLoad(now)) {
    auto cookie = cookieFor(source, now);
    if (!crypto::mac2Holds(cookie, init)) {
      auto nonce = entropy.draw<crypto::CookieNonce>();
      return {Verdict::COOKIE, crypto::writeCookie(keys, init, cookie, nonce)};
    }
  }
  return {mayWork(source, now) ? Verdict::WORK : Verdict::DROP, nullptr};
}

kj::Maybe<kj::Own<Gate::Place>> Gate::enter(
    const crypto::SourceAddress& address, kj::TimePoint now, kj::Function<void()> giveWay) {
  auto source = sourceOf(address);
  if (held.size() >= HALF_OPEN_MAX && !makeRoom(source, now)) return nullptr;
  auto place = kj::heap<Place>(*this, source, now, kj::mv(giveWay));
  held.push_back(place.get());
  return kj::mv(place);
}

bool Gate::makeRoom(const Source& newcomer, kj::TimePoint now) {
  std::map<Source, size_t> counts;
  for (auto place: held) ++counts[place->source];
  Place* victim = nullptr;  // of two sources with as many the one that was there first
  for (auto place: held) {
    if (!place->isSilent) continue;
    if (victim == nullptr || counts[place->source] > counts[victim->source]) victim = place;
  }
  if (victim == nullptr) return false;
  auto most = counts[victim->source], own = counts[newcomer];
  bool unfair = most >= own + 2;
  bool slow = most >= own && now - victim->since >= SILENT_EASY;
  if (!unfair && !slow) return false;
  victim->leave();
  victim->giveWay();
  return true;
}

void Gate::Place::leave() {
  KJ_IF_MAYBE(there, gate) there->held.remove(this);
  gate = nullptr;
}

bool Gate::isUnderLoad(kj::TimePoint now) const {
  if (held.size() > HALF_OPEN_EASY || workDoneAt - now > WORK_EASY) return true;
  KJ_IF_MAYBE(oldest, arrivals[nextArrival]) return now - *oldest < 1 * kj::SECONDS;
  return false;
}

crypto::Cookie Gate::cookieFor(const crypto::SourceAddress& source, kj::TimePoint now) {
  return cookies.cookie(source, now);
}

void Gate::noteInitiation(kj::TimePoint now) {
  arrivals[nextArrival] = now;
  nextArrival = (nextArrival + 1) % arrivals.size();
}

bool Gate::mayWork(const crypto::SourceAddress& source, kj::TimePoint now) {
  if (!pays(sourceOf(source), now)) return false;
  workDoneAt = kj::max(workDoneAt, now) + WORK_OF_ONE;
  return true;
}

Gate::Source Gate::sourceOf(const crypto::SourceAddress& address) {
  Source source = {};
  bool isIp4 = memcmp(address.ip, IP4_MAPPED, sizeof(IP4_MAPPED)) == 0;
  memcpy(source.data(), address.ip, isIp4 ? source.size() : IP6_SITE_BYTES);
  return source;
}

// A bucket of one second's worth, kept as the time at which it is full again.
bool Gate::pays(const Source& source, kj::TimePoint now) {
  constexpr kj::Duration PRICE = 1 * kj::SECONDS / SOURCE_INITIATIONS_MAX;
  constexpr kj::Duration CREDIT = PRICE * (SOURCE_INITIATIONS_MAX - 1);
  auto known = paidAt.find(source);
  if (known == paidAt.end()) {
    if (paidAt.size() >= SOURCES_MAX)
      std::erase_if(paidAt, [&](auto& entry) { return entry.second <= now; });
    if (paidAt.size() >= SOURCES_MAX) return false;
    known = paidAt.emplace(source, now).first;
  }
  if (known->second - now > CREDIT) return false;
  known->second = kj::max(known->second, now) + PRICE;
  return true;
}

}  // namespace hearth::transport
