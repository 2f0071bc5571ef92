#pragma once
// Whom this device works for before it knows who that is (SECURITY.md §6.3). One gate for all carriers;
// a pure machine that is told what came, from where and when:
//
//   HS_INIT ─▶ mac1 wrong: DROP ─▶ under load, mac2 wrong: COOKIE ─▶ source too fast: DROP ─▶ WORK
//
// Under load means one of: more than 50 initiations in the last second, more than 32 callers that are
// half open, more than 20 ms of handshake work that waits. A COOKIE costs no Diffie-Hellman, keeps no
// state and is shorter than what it answers. Sources are counted only behind the cookie, so that
// spoofed ones crowd out nobody.

#include "crypto/handshake/cookies.h"

#include <kj/function.h>
#include <kj/memory.h>

#include <array>
#include <list>
#include <map>

namespace hearth::transport {

class Gate final {
 public:
  static constexpr size_t HALF_OPEN_MAX = 64;
  static constexpr size_t HALF_OPEN_EASY = 32;  // above: under load
  // An honest caller speaks at once: it has the whole of a round trip and a bad radio in this time.
  static constexpr kj::Duration SILENT_EASY = 1 * kj::SECONDS;
  static constexpr size_t INITIATIONS_EASY = 50;  // in a second; above: under load
  static constexpr kj::Duration WORK_EASY = 20 * kj::MILLISECONDS;
  static constexpr kj::Duration WORK_OF_ONE = 300 * kj::MICROSECONDS;  // a responder's, measured
  static constexpr size_t SOURCE_INITIATIONS_MAX =
      20;                                       // a second; a source is an IPv4 /32 or IPv6 /64
  static constexpr size_t SOURCES_MAX = 2'048;  // that have called within the last second

  enum class Verdict : uint8_t { WORK, COOKIE, DROP };
  struct Judgement {
    Verdict verdict;
    crypto::Buffer reply;  // the COOKIE record, else empty
  };

  Gate(Entropy& entropy, kj::TimePoint now): entropy(entropy), cookies(entropy, now) {}

  // The caller must go on with the handshake at once when the verdict is WORK.
  Judgement judge(const crypto::GateKeys& keys, const crypto::HsInit& init,
      const crypto::SourceAddress& source, kj::TimePoint now);

  // A place among the callers that are half open: from being accepted to being authenticated, on
  // datagrams from WORK on. It is free again when the object is dropped, which must be before the gate
  // is.
  class Place;

  // None: all are taken, hang up. Where all are taken and another caller has to give way, its `giveWay` is
  // called, and its place is free at once: the silent caller that has been there longest, of the source
  // that has most of them. It has to where that source has two more than the one that comes, and where it
  // has as many and the caller has been silent for SILENT_EASY. Who has shown that it knows this device
  // gives way to nobody.
  kj::Maybe<kj::Own<Place>> enter(
      const crypto::SourceAddress& source, kj::TimePoint now, kj::Function<void()> giveWay);
  size_t halfOpen() const { return held.size(); }

  // The parts of judge(), for a carrier that must decide before it has a whole HS_INIT. The last two
  // count what they are asked about.
  bool isUnderLoad(kj::TimePoint now) const;
  crypto::Cookie cookieFor(const crypto::SourceAddress& source, kj::TimePoint now);
  void noteInitiation(kj::TimePoint now);
  bool mayWork(const crypto::SourceAddress& source, kj::TimePoint now);

 private:
  using Source = std::array<kj::byte, 16>;

  Entropy& entropy;
  crypto::CookieJar cookies;
  std::list<Place*> held;  // the newest last
  // When the newest initiations came, one more than are easy; a ring.
  std::array<kj::Maybe<kj::TimePoint>, INITIATIONS_EASY + 1> arrivals;
  size_t nextArrival = 0;
  kj::TimePoint workDoneAt = kj::origin<kj::TimePoint>();  // if it is done without a pause
  // When each source has paid for what it was given, at SOURCE_INITIATIONS_MAX a second.
  std::map<Source, kj::TimePoint> paidAt;

  static Source sourceOf(const crypto::SourceAddress& address);
  bool makeRoom(const Source& newcomer, kj::TimePoint now);
  bool pays(const Source& source, kj::TimePoint now);
};

class Gate::Place final {
 public:
  Place(Gate& gate, const Source& source, kj::TimePoint since, kj::Function<void()> giveWay)
      : gate(gate),
        source(source),
        since(since),
        giveWay(kj::mv(giveWay)) {}
  ~Place() noexcept(false) { leave(); }
  KJ_DISALLOW_COPY_AND_MOVE(Place);

  // The caller has shown that it knows this device.
  void spoke() { isSilent = false; }

 private:
  friend class Gate;
  kj::Maybe<Gate&> gate;  // none: it has given way
  Source source;
  kj::TimePoint since;
  kj::Function<void()> giveWay;
  bool isSilent = true;

  void leave();
};

}  // namespace hearth::transport
