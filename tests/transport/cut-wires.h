#pragma once
// Two devices with their shipping Links, carriers in memory that are cut at any byte and in any way, and
// time as the test says.

#include "tests/transport/circle-device.h"

#include <capnp/persistent.capnp.h>

#include <list>
#include <random>

namespace hearth::transport {

// A carrier between the two, seen by both ends.
struct Wire {
  enum class Cut : uint8_t { ENDS, RESETS, SILENT };  // what the ends see of it
  static constexpr int CUTS = 3;

  bool cut = false;
  Cut how = Cut::ENDS;
  size_t bytesUntilCut = SIZE_MAX;  // that are written by either side
  std::vector<kj::Own<kj::PromiseFulfiller<size_t>>> readers;

  void cutNow() {
    cut = true;
    for (auto& reader: readers) endOf(*reader);
  }
  void endOf(kj::PromiseFulfiller<size_t>& reader) {
    if (how == Cut::ENDS) reader.fulfill(0);
    if (how == Cut::RESETS) reader.reject(KJ_EXCEPTION(DISCONNECTED, "reset by the test"));
  }
  kj::Promise<size_t> whenCut() {
    auto paf = kj::newPromiseAndFulfiller<size_t>();
    if (cut) endOf(*paf.fulfiller);
    readers.push_back(kj::mv(paf.fulfiller));
    return kj::mv(paf.promise);
  }
};

class CutStream final: public kj::AsyncIoStream {
 public:
  CutStream(kj::Own<kj::AsyncIoStream> inner, Wire& wire): inner(kj::mv(inner)), wire(wire) {}

  kj::Promise<size_t> tryRead(void* buffer, size_t minBytes, size_t maxBytes) override {
    if (wire.cut) return wire.whenCut();
    return inner->tryRead(buffer, minBytes, maxBytes).exclusiveJoin(wire.whenCut());
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    if (wire.cut) return afterCut();
    auto passes = kj::min(size, wire.bytesUntilCut);
    wire.bytesUntilCut -= passes;
    auto written = inner->write(buffer, passes);
    if (wire.bytesUntilCut > 0) return written;
    // What comes before the cut arrives.
    return written.then([this]() {
      if (!wire.cut) wire.cutNow();
      return afterCut();
    });
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    for (auto piece: pieces) co_await write(piece.begin(), piece.size());
  }
  kj::Promise<void> whenWriteDisconnected() override { return kj::NEVER_DONE; }
  void shutdownWrite() override { inner->shutdownWrite(); }
  void abortRead() override { inner->abortRead(); }

 private:
  kj::Own<kj::AsyncIoStream> inner;
  Wire& wire;

  kj::Promise<void> afterCut() {
    if (wire.how == Wire::Cut::RESETS) return KJ_EXCEPTION(DISCONNECTED, "reset by the test");
    return kj::READY_NOW;  // into nowhere
  }
};

// No network: everything goes over wires.
class NoNetwork final: public kj::Network {
 public:
  kj::Promise<kj::Own<kj::NetworkAddress>> parseAddress(kj::StringPtr, kj::uint) override {
    return KJ_EXCEPTION(DISCONNECTED, "there is no network here");
  }
  kj::Own<kj::NetworkAddress> getSockaddr(const void*, kj::uint) override {
    KJ_UNIMPLEMENTED("none");
  }
  kj::Own<kj::Network> restrictPeers(
      kj::ArrayPtr<const kj::StringPtr>, kj::ArrayPtr<const kj::StringPtr>) override {
    KJ_UNIMPLEMENTED("none");
  }
};

// What each device offers by RPC: gives back what it is given, and counts.
class Echo final: public capnp::Persistent<capnp::Text, capnp::Text>::Server {
 public:
  explicit Echo(std::map<std::string, int>& served): served(served) {}
  kj::Promise<void> save(SaveContext context) override {
    auto asked = context.getParams().getSealFor();
    ++served[asked.cStr()];
    context.getResults().setSturdyRef(asked);
    return kj::READY_NOW;
  }

 private:
  std::map<std::string, int>& served;
};

struct CutPair {
  struct Side: private Connector {
    CutPair& pair;
    Device device;
    std::map<std::string, int> served;

    Side(CutPair& pair, kj::byte seed): pair(pair), device(seed) {}
    void start() {
      device.offered = capnp::Capability::Client(kj::heap<Echo>(served));
      device.start(pair.timer, pair.network);
      device.links->plug(Path::Kind::TCP, *this);
    }
    void call(Side& other) { device.links->setAddresses(other.id(), {"192.0.2.1:1"}); }
    const DeviceId& id() const { return device.keys.id; }
    Side& other() { return this == &pair.a ? pair.b : pair.a; }

   private:
    kj::Promise<kj::Own<kj::AsyncIoStream>> connect(const DeviceId&, const Path&) override {
      return pair.wireTo(other());
    }
  };

  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  kj::TimerImpl timer{kj::origin<kj::TimePoint>() + 1 * kj::HOURS};
  NoNetwork network;
  std::list<Wire> wires;
  kj::Function<void(Wire&)> plan = [](Wire&) {};  // what becomes of the next one
  bool noWay = false;
  const Side* unreachable = nullptr;  // that the other cannot call
  Side a{*this, 1}, b{*this, 2};

  CutPair() {
    a.device.know(b.device);
    b.device.know(a.device);
    a.start();
    b.start();
  }
  ~CutPair() {
    a.device.links = nullptr;
    b.device.links = nullptr;
  }
  kj::Promise<kj::Own<kj::AsyncIoStream>> wireTo(Side& called) {
    if (noWay || &called == unreachable) return KJ_EXCEPTION(DISCONNECTED, "no way there");
    auto& wire = wires.emplace_back();
    plan(wire);
    auto pipe = kj::newTwoWayPipe();
    called.device.links->answerOn(kj::heap<CutStream>(kj::mv(pipe.ends[0]), wire), Path());
    return kj::Own<kj::AsyncIoStream>(kj::heap<CutStream>(kj::mv(pipe.ends[1]), wire));
  }
  void pass(kj::Duration time) {
    constexpr auto STEP = 10 * kj::MILLISECONDS;
    for (auto until = timer.now() + time; timer.now() < until;) {
      scope.poll();
      timer.advanceTo(timer.now() + STEP);
    }
    scope.poll();
  }
  template <typename Condition>
  bool eventually(Condition&& condition, kj::Duration within = 60 * kj::SECONDS) {
    for (auto until = timer.now() + within; timer.now() < until;) {
      scope.poll();
      if (condition()) return true;
      pass(10 * kj::MILLISECONDS);
    }
    return condition();
  }
  bool bothUp() {
    return eventually(
        [&]() { return a.device.links->isUp(b.id()) && b.device.links->isUp(a.id()); });
  }
  // All that there are now.
  void cutAll(Wire::Cut how) {
    for (auto& wire: wires) {
      if (wire.cut) continue;
      wire.how = how;
      wire.cutNow();
    }
  }
  uint32_t carriers(Side& side) {
    auto views = side.device.links->views();
    return views.empty() ? 0 : views.front().carriers;
  }
};

}  // namespace hearth::transport
