#pragma once
// Two conversations on a bad wire, in a time of their own: what one seed draws is lost, doubled, late,
// changed or replayed from elsewhere, and a NAT may forget the caller.

#include "transport/datagram/conversation.h"

#include <kj/debug.h>

#include <map>
#include <vector>

namespace hearth::transport {

// SplitMix64.
class Luck final {
 public:
  explicit Luck(uint64_t seed): state(seed) {}
  uint64_t next() {
    auto z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  bool permille(uint32_t chance) { return next() % 1'000 < chance; }
  uint64_t below(uint64_t limit) { return next() % limit; }

 private:
  uint64_t state;
};

class LuckyEntropy final: public Entropy {
 public:
  explicit LuckyEntropy(uint64_t seed): luck(seed) {}
  void fill(kj::ArrayPtr<kj::byte> out) override {
    for (auto& byte: out) byte = static_cast<kj::byte>(luck.next());
  }

 private:
  Luck luck;
};

inline PacketKey keyOfByte(kj::byte value) {
  return PacketKey::make([&](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), value, 32); });
}

struct Faults {
  uint32_t lost = 0, doubled = 0, late = 0, changed = 0, replayed = 0;  // permille
};

struct DatagramWire {
  static constexpr kj::Duration LATENCY = 10 * kj::MILLISECONDS;
  enum Side : size_t { CALLER = 0, CALLED = 1 };

  struct Flying {
    Side to;
    UdpAddress from, at;
    kj::Array<kj::byte> bytes;
  };

  Luck luck;
  LuckyEntropy entropy;
  Faults faults;
  kj::TimePoint now = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;
  UdpAddress places[2];
  Conversation sides[2];
  std::multimap<kj::TimePoint, Flying> flying;
  uint64_t sent = 0, lost = 0, refused = 0, replays = 0, changes = 0;
  uint64_t bytesSent[2] = {};
  kj::TimePoint lastSent[2] = {now, now};

  explicit DatagramWire(uint64_t seed, Faults faults = {})
      : luck(seed),
        entropy(seed + 1),
        faults(faults),
        places{place(1), place(2)},
        sides{{setup(true), entropy, now}, {setup(false), entropy, now}} {}

  static UdpAddress place(uint16_t port) {
    auto text = kj::str("10.0.0.1:", port);
    return KJ_ASSERT_NONNULL(UdpAddress::parse(text));
  }
  static ConnectionId id(Side side) {
    ConnectionId id;
    id.bytes[0] = static_cast<kj::byte>(side + 1);
    return id;
  }
  static Conversation::Setup setup(bool caller) {
    auto i2r = keyOfByte(1), r2i = keyOfByte(2);
    if (caller) return {true, id(CALLER), id(CALLED), {kj::mv(i2r), kj::mv(r2i)}, place(2)};
    return {false, id(CALLED), id(CALLER), {kj::mv(r2i), kj::mv(i2r)}, place(1)};
  }
  void secure(Side side) {
    auto i2r = keyOfByte(3), r2i = keyOfByte(4);
    if (side == CALLER)
      sides[side].secure({kj::mv(i2r), kj::mv(r2i)});
    else
      sides[side].secure({kj::mv(r2i), kj::mv(i2r)});
  }

  void send(Side by) {
    kj::byte room[DATAGRAM_BYTES];
    for (;;) {
      auto departure = sides[by].next(kj::arrayPtr(room, sizeof(room)), now);
      if (departure == nullptr) return;
      auto& there = KJ_ASSERT_NONNULL(departure);
      ++sent;
      bytesSent[by] += there.bytes;
      lastSent[by] = now;
      launch(by, there.to, kj::heapArray<kj::byte>(kj::arrayPtr(room, there.bytes)));
    }
  }

  // One draw of each kind for each datagram.
  void launch(Side by, UdpAddress to, kj::Array<kj::byte> bytes) {
    bool isLost = luck.permille(faults.lost), twice = luck.permille(faults.doubled);
    bool late = luck.permille(faults.late), changed = luck.permille(faults.changed);
    bool replayed = luck.permille(faults.replayed);
    kj::Duration by50 = static_cast<int64_t>(luck.below(50)) * kj::MILLISECONDS;
    auto target = by == CALLER ? CALLED : CALLER;
    auto from = places[by];
    auto arrives = now + LATENCY + (late ? by50 : 0 * kj::MILLISECONDS);
    if (replayed) {
      ++replays;
      fly(arrives + by50, {target, place(666), to, copy(bytes)});
    }
    if (changed) {
      ++changes;
      auto forged = copy(bytes);
      forged[luck.below(forged.size())] ^= static_cast<kj::byte>(1 + luck.below(255));
      fly(arrives, {target, from, to, kj::mv(forged)});
    }
    if (twice) fly(arrives + by50, {target, from, to, copy(bytes)});
    if (isLost) {
      ++lost;
      return;
    }
    fly(arrives, {target, from, to, kj::mv(bytes)});
  }
  void fly(kj::TimePoint at, Flying datagram) { flying.emplace(at, kj::mv(datagram)); }
  static kj::Array<kj::byte> copy(kj::ArrayPtr<const kj::byte> bytes) {
    return kj::heapArray(bytes);
  }

  // Datagrams to where nobody is any more are gone.
  void arrive(Flying datagram) {
    if (datagram.at != places[datagram.to]) return;
    auto packet = readPacket(datagram.bytes);
    auto& side = sides[datagram.to];
    if (!packet || packet->to != side.own() ||
        !side.received(*packet, datagram.bytes, datagram.from, now))
      ++refused;
  }

  // The next thing happens; false: nothing will any more, or not before `until`.
  bool step(kj::TimePoint until) {
    for (auto side: {CALLER, CALLED}) send(side);
    kj::Maybe<kj::TimePoint> next;
    auto consider = [&](kj::TimePoint at) { next = kj::min(next.orDefault(at), at); };
    if (!flying.empty()) consider(flying.begin()->first);
    for (auto& side: sides) {
      KJ_IF_MAYBE(at, side.wakeAt()) consider(*at);
    }
    KJ_IF_MAYBE(at, next) {
      if (*at > until) return false;
      now = kj::max(now, *at);
      while (!flying.empty() && flying.begin()->first <= now) {
        auto datagram = kj::mv(flying.begin()->second);
        flying.erase(flying.begin());
        arrive(kj::mv(datagram));
      }
      for (auto& side: sides) side.tick(now);
      return true;
    }
    return false;
  }
  void run(kj::Duration time) {
    auto until = now + time;
    while (step(until)) {}
    now = until;
  }
};

// Writes and reads a known stream in one direction.
struct Stream {
  static constexpr size_t PIECE = 3'000;
  DatagramWire& wire;
  DatagramWire::Side from;
  uint64_t size;
  uint64_t written = 0, read = 0;
  bool correct = true;

  static kj::byte byteAt(uint64_t offset) { return static_cast<kj::byte>(offset * 131 >> 7); }

  void pump() {
    kj::byte room[PIECE];
    while (written < size) {
      auto count = kj::min(PIECE, size - written);
      for (size_t i = 0; i < count; ++i) room[i] = byteAt(written + i);
      auto taken = wire.sides[from].write(kj::arrayPtr(room, count));
      written += taken;
      if (written == size) wire.sides[from].finish();
      if (taken < count) break;
    }
    auto& reader =
        wire.sides[from == DatagramWire::CALLER ? DatagramWire::CALLED : DatagramWire::CALLER];
    for (;;) {
      auto count = reader.read(kj::arrayPtr(room, sizeof(room)));
      if (count == 0) break;
      for (size_t i = 0; i < count; ++i) correct &= room[i] == byteAt(read + i);
      read += count;
    }
  }
  bool isDone() const {
    auto& reader =
        wire.sides[from == DatagramWire::CALLER ? DatagramWire::CALLED : DatagramWire::CALLER];
    return read == size && reader.isEnded();
  }
};

}  // namespace hearth::transport
