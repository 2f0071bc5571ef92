// The gate before handshakes, driven by bytes and times.
#include "core/base/flat.h"
#include "tests/crypto/seeded-entropy.h"
#include "transport/link/gate.h"

#include <kj/debug.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <optional>
#include <vector>

namespace hearth::transport {
namespace {

using crypto::Bytes;
using Verdict = Gate::Verdict;

constexpr auto T0 = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;

crypto::SourceAddress ip4(uint32_t number, uint16_t port = 4000) {
  crypto::SourceAddress source{.port = port};
  source.ip[10] = source.ip[11] = 0xff;
  for (int i = 0; i < 4; ++i) source.ip[15 - i] = static_cast<kj::byte>(number >> (8 * i));
  return source;
}

crypto::SourceAddress ip6(uint32_t site, uint32_t host) {
  crypto::SourceAddress source{.port = 4000};
  source.ip[0] = 0x20;
  for (int i = 0; i < 4; ++i) source.ip[7 - i] = static_cast<kj::byte>(site >> (8 * i));
  for (int i = 0; i < 4; ++i) source.ip[15 - i] = static_cast<kj::byte>(host >> (8 * i));
  return source;
}

// A gate, and callers that know whom they call. What they would have as Noise is not looked at here.
struct Door {
  crypto::SeededEntropy entropy{1};
  Gate gate{entropy, T0};
  crypto::GateKeys keys = crypto::GateKeys::forLink(crypto::DhPublic());

  crypto::Buffer knock(kj::Maybe<crypto::Cookie> cookie = nullptr) {
    static const kj::byte NOISE[1456] = {};
    return crypto::writeHsInit(keys, 3, 7, NOISE, cookie);
  }
  static crypto::HsInit parsed(const crypto::Buffer& record) {
    return crypto::readHsInit(record.slice(crypto::RECORD_HEADER_BYTES, record.size())).value();
  }
  Gate::Judgement judge(
      const crypto::Buffer& record, const crypto::SourceAddress& source, kj::TimePoint now) {
    return gate.judge(keys, parsed(record), source, now);
  }
  Verdict verdict(const crypto::SourceAddress& source, kj::TimePoint now) {
    auto record = knock();
    return judge(record, source, now).verdict;
  }
  // What an honest caller does with a COOKIE.
  crypto::Cookie opened(const crypto::Buffer& record, const crypto::Buffer& reply) {
    auto body = reply.slice(crypto::RECORD_HEADER_BYTES, reply.size());
    auto cookie = crypto::readCookie(body).value();
    return crypto::openCookie(keys, parsed(record).mac1, cookie).value();
  }
  // Callers from everywhere, until the gate asks for cookies.
  void flood(kj::TimePoint now) {
    for (uint32_t i = 0; i <= Gate::INITIATIONS_EASY; ++i) verdict(ip4(i), now);
    REQUIRE(gate.isUnderLoad(now));
  }
};

TEST_CASE("a caller in peaceful times is let in at its first knock") {
  Door door;
  REQUIRE(door.verdict(ip4(1), T0) == Verdict::WORK);
}

TEST_CASE("a wrong mac1 is dropped without an answer, and is no load") {
  Door door;
  auto record = door.knock();
  record[record.size() - 20] ^= 1;
  for (int i = 0; i < 200; ++i) {
    auto judgement = door.judge(record, ip4(1), T0);
    REQUIRE(judgement.verdict == Verdict::DROP);
    REQUIRE(judgement.reply.size() == 0);
  }
  REQUIRE_FALSE(door.gate.isUnderLoad(T0));
}

TEST_CASE("T15: the 51st initiation of a second is asked for a cookie, and let in with it") {
  Door door;
  for (uint32_t i = 0; i < Gate::INITIATIONS_EASY; ++i)
    REQUIRE(door.verdict(ip4(i), T0 + i * kj::MILLISECONDS) == Verdict::WORK);
  auto now = T0 + 60 * kj::MILLISECONDS;
  auto first = door.knock();
  auto judgement = door.judge(first, ip4(99), now);
  REQUIRE(judgement.verdict == Verdict::COOKIE);
  REQUIRE(judgement.reply.size() < first.size());  // nothing to amplify with
  auto cookie = door.opened(first, judgement.reply);
  auto second = door.knock(cookie);
  REQUIRE(door.judge(second, ip4(99), now).verdict == Verdict::WORK);
  REQUIRE(door.judge(second, ip4(99, 4001), now).verdict == Verdict::COOKIE);
  REQUIRE(door.judge(second, ip4(98), now).verdict == Verdict::COOKIE);
}

TEST_CASE("T15: a second without callers ends the load") {
  Door door;
  door.flood(T0);
  REQUIRE(door.gate.isUnderLoad(T0 + 999 * kj::MILLISECONDS));
  REQUIRE_FALSE(door.gate.isUnderLoad(T0 + 1 * kj::SECONDS));
  REQUIRE(door.verdict(ip4(1), T0 + 2 * kj::SECONDS) == Verdict::WORK);
}

TEST_CASE("T15: 20 ms of handshakes at one moment are load, and wear off as time passes") {
  Door door;
  auto fit = static_cast<uint32_t>(Gate::WORK_EASY / Gate::WORK_OF_ONE);
  for (uint32_t i = 0; i <= fit; ++i) REQUIRE(door.gate.mayWork(ip4(i), T0));
  REQUIRE(door.gate.isUnderLoad(T0));
  REQUIRE_FALSE(door.gate.isUnderLoad(T0 + 1 * kj::MILLISECONDS));
}

TEST_CASE(
    "T15: a minute of 10,000 spoofed initiations a second costs no work, and honest callers get in") {
  constexpr uint32_t A_SECOND = 10'000, SECONDS = 60, HONEST_EVERY = 1'000;
  Door door;
  auto spoofed = door.knock();
  size_t work = 0, honest = 0, tries = 0;
  for (uint32_t i = 0; i < A_SECOND * SECONDS; ++i) {
    auto now = T0 + i * (1 * kj::SECONDS / A_SECOND);
    work += door.judge(spoofed, ip4(i * 2654435761u), now).verdict == Verdict::WORK;
    if (i % HONEST_EVERY != HONEST_EVERY - 1) continue;
    ++tries;
    auto caller = ip4(1'000'000'000 + i);
    auto first = door.knock();
    auto judgement = door.judge(first, caller, now);
    REQUIRE(judgement.verdict == Verdict::COOKIE);
    auto second = door.knock(door.opened(first, judgement.reply));
    honest += door.judge(second, caller, now).verdict == Verdict::WORK;
  }
  REQUIRE(tries == A_SECOND * SECONDS / HONEST_EVERY);
  REQUIRE(honest == tries);
  REQUIRE(work <= Gate::INITIATIONS_EASY);  // before the load was seen
}

TEST_CASE("one source is worked for 20 times a second, others are not held up by it") {
  Door door;
  for (size_t i = 0; i < Gate::SOURCE_INITIATIONS_MAX; ++i)
    REQUIRE(door.verdict(ip4(1), T0) == Verdict::WORK);
  REQUIRE(door.verdict(ip4(1, 9), T0) == Verdict::DROP);  // another port is no other source
  REQUIRE(door.verdict(ip4(2), T0) == Verdict::WORK);
  REQUIRE(door.verdict(ip4(1), T0 + 50 * kj::MILLISECONDS) == Verdict::WORK);
  REQUIRE(door.verdict(ip4(1), T0 + 51 * kj::MILLISECONDS) == Verdict::DROP);
}

TEST_CASE("an IPv6 site is one source, whatever host of it calls") {
  Door door;
  for (uint32_t i = 0; i < Gate::SOURCE_INITIATIONS_MAX; ++i)
    REQUIRE(door.verdict(ip6(1, i), T0) == Verdict::WORK);
  REQUIRE(door.verdict(ip6(1, 99), T0) == Verdict::DROP);
  REQUIRE(door.verdict(ip6(2, 99), T0) == Verdict::WORK);
}

TEST_CASE("no more sources than the limit are remembered, and a second later there is room again") {
  Door door;
  for (uint32_t i = 0; i < Gate::SOURCES_MAX; ++i) REQUIRE(door.gate.mayWork(ip4(i), T0));
  REQUIRE_FALSE(door.gate.mayWork(ip4(Gate::SOURCES_MAX), T0));
  REQUIRE(door.gate.mayWork(ip4(0), T0));  // one that is known goes on
  REQUIRE(door.gate.mayWork(ip4(Gate::SOURCES_MAX), T0 + 1 * kj::SECONDS));
}

// Callers that hold places; who has to give way is not in there any more.
struct Queue {
  Door door;
  std::map<size_t, kj::Own<Gate::Place>> places;  // by when they came
  size_t came = 0;
  std::vector<size_t> gone;

  bool come(crypto::SourceAddress source, kj::TimePoint now = T0) {
    auto number = came++;
    auto place = door.gate.enter(source, now, [this, number]() { gone.push_back(number); });
    KJ_IF_MAYBE(held, place) {
      places[number] = kj::mv(*held);
      return true;
    }
    return false;
  }
  void fillFrom(uint32_t firstSource, uint32_t sources, kj::TimePoint now = T0) {
    for (uint32_t i = 0; places.size() < Gate::HALF_OPEN_MAX; ++i)
      REQUIRE(come(ip4(firstSource + i % sources, static_cast<uint16_t>(i)), now));
  }
};

TEST_CASE("T16: the 33rd half-open caller is load, the 65th is turned away, and places come back") {
  Queue queue;
  for (size_t i = 0; i < Gate::HALF_OPEN_EASY; ++i) REQUIRE(queue.come(ip4(1)));
  REQUIRE_FALSE(queue.door.gate.isUnderLoad(T0));
  queue.fillFrom(1, 1);
  REQUIRE(queue.door.gate.isUnderLoad(T0));
  REQUIRE_FALSE(queue.come(ip4(1)));
  queue.places.erase(5);
  REQUIRE(queue.come(ip4(1)));
  queue.places.clear();
  REQUIRE(queue.door.gate.halfOpen() == 0);
  REQUIRE(queue.gone.empty());
}

TEST_CASE("T16: a source that holds most places gives its oldest to a newcomer of another") {
  Queue queue;
  REQUIRE(queue.come(ip4(7)));
  queue.fillFrom(1, 1);
  REQUIRE(queue.come(ip4(2)));
  REQUIRE(queue.gone == std::vector<size_t>{1});
  REQUIRE(queue.door.gate.halfOpen() == Gate::HALF_OPEN_MAX);
  for (size_t i = 0; i < 200; ++i) queue.come(ip4(2));
  // Neither has more than one above the other, and the one that came first kept its place.
  REQUIRE(queue.gone.size() == 31);
  REQUIRE(std::ranges::find(queue.gone, 0u) == queue.gone.end());
}

TEST_CASE("T16: a household of IPv6 is one source, and does not keep others out") {
  Queue queue;
  for (uint32_t host = 0; host < Gate::HALF_OPEN_MAX; ++host) REQUIRE(queue.come(ip6(1, host)));
  REQUIRE_FALSE(queue.come(ip6(1, 999)));
  REQUIRE(queue.come(ip6(2, 1)));
}

TEST_CASE("T16: where every place is another source's, one that is silent for a second gives way") {
  Queue queue;
  queue.fillFrom(1, Gate::HALF_OPEN_MAX);
  REQUIRE_FALSE(queue.come(ip4(1'000)));
  REQUIRE_FALSE(queue.come(ip4(1'000), T0 + Gate::SILENT_EASY - 1 * kj::MILLISECONDS));
  REQUIRE(queue.come(ip4(1'000), T0 + Gate::SILENT_EASY));
  REQUIRE(queue.gone == std::vector<size_t>{0});
}

TEST_CASE("T16: a caller that has shown that it knows this device gives way to nobody") {
  Queue queue;
  queue.fillFrom(1, 1);
  for (auto& [number, place]: queue.places) place->spoke();
  REQUIRE_FALSE(queue.come(ip4(2), T0 + 1 * kj::HOURS));
  queue.places.erase(9);
  REQUIRE(queue.come(ip4(2)));
}

}  // namespace
}  // namespace hearth::transport
