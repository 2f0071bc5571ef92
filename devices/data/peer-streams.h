#pragma once
// One stream to each peer that there is a link to, and a session on it: opened when the peer is up, by the device
// with the smaller id, and again when it has ended while the peer still is.
//
// A Session has run(), a promise of a Result that ends with its stream; an error says that the peer broke the rules.

#include "transport/link/links.h"

#include <kj/debug.h>
#include <kj/timer.h>

#include <map>

namespace hearth::devices {

template <typename Session>
class PeerStreams final: private kj::TaskSet::ErrorHandler {
 public:
  // A stream that has ended while there is a session is opened again after this: a disk was full, perhaps.
  static constexpr kj::Duration AGAIN_AFTER = 5 * kj::SECONDS;
  // To a peer that broke the rules.
  static constexpr kj::Duration FORGIVEN_AFTER = 60 * kj::SECONDS;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    transport::Links& links;
    DeviceId self;
    kj::byte streamKind;  // first byte of the header
    kj::StringPtr what;   // goes on with the peers, for the log
  };
  // The session on a new stream; `opener`: this side opened it.
  using Make = kj::Function<kj::Own<Session>(
      const DeviceId& peer, bool opener, kj::Own<kj::AsyncIoStream> stream)>;
  // The session is over, and the peer's next one has not begun.
  using Over = kj::Function<void(const DeviceId& peer)>;

  PeerStreams(
      Surroundings around, Make make, Over over = [](const DeviceId&) {})
      : around(around),
        make(kj::mv(make)),
        over(kj::mv(over)),
        tasks(*this) {}
  ~PeerStreams() noexcept(false) {}

  void peerUp(const DeviceId& peer) {
    if (!opens(peer)) return;
    kj::byte header[] = {around.streamKind};
    auto stream = around.links.open(peer, transport::Lane::BULK, header);
    if (stream) begin(peer, kj::mv(*stream));
  }

  // The session may be what is running just now.
  void peerDown(const DeviceId& peer) {
    auto found = peers.find(peer);
    if (found == peers.end()) return;
    bool wasThere = found->second.session.get() != nullptr;
    tasks.add(kj::evalLater([gone = kj::mv(found->second)]() {}));
    peers.erase(found);
    if (wasThere) over(peer);
  }

  void incoming(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream) {
    if (!opens(peer)) begin(peer, kj::mv(stream));
  }

  template <typename F>
  void forEach(F&& f) {
    for (auto& [id, peer]: peers)
      if (peer.session.get() != nullptr) f(id, *peer.session);
  }
  template <typename F>
  void forEach(F&& f) const {
    for (auto& [id, peer]: peers)
      if (peer.session.get() != nullptr) f(id, *peer.session);
  }

  kj::Maybe<Session&> find(const DeviceId& peer) {
    auto found = peers.find(peer);
    if (found == peers.end() || found->second.session.get() == nullptr) return nullptr;
    return *found->second.session;
  }

 private:
  struct Peer {
    kj::Own<Session> session;  // none: it has ended
    kj::Promise<void> running = nullptr;
  };
  Surroundings around;
  Make make;
  Over over;
  std::map<DeviceId, Peer> peers;
  kj::TaskSet tasks;

  bool opens(const DeviceId& peer) const { return around.self < peer; }

  void begin(const DeviceId& id, kj::Own<kj::AsyncIoStream> stream) {
    auto& peer = peers[id];
    peer.running = nullptr;
    if (peer.session.get() != nullptr) over(id);
    peer.session = nullptr;
    peer.session = make(id, opens(id), kj::mv(stream));
    peer.running = run(id).eagerlyEvaluate([](kj::Exception&& e) { KJ_LOG(ERROR, e); });
  }

  kj::Promise<void> run(DeviceId id) {
    auto again = AGAIN_AFTER;
    auto& session = *peers.at(id).session;
    try {
      auto ended = co_await session.run();
      if (!ended) {
        KJ_LOG(WARNING, "a device breaks the rules", around.what, id, ended.error().because);
        again = FORGIVEN_AFTER;
      }
    } catch (const kj::Exception& e) {
      if (e.getType() != kj::Exception::Type::DISCONNECTED)
        KJ_LOG(WARNING, "a stream to a device has ended", around.what, id, e.getDescription());
    }
    auto found = peers.find(id);
    if (found == peers.end() || found->second.session.get() != &session) co_return;
    over(id);
    found->second.session = nullptr;  // and its stream with it: the peer is to notice
    if (opens(id)) openAfter(id, again);
  }

  // Unless there is another stream by then.
  void openAfter(const DeviceId& id, kj::Duration time) {
    tasks.add(around.timer.afterDelay(time).then([this, id = id]() {
      auto found = peers.find(id);
      if (found != peers.end() && found->second.session.get() == nullptr) peerUp(id);
    }));
  }

  void taskFailed(kj::Exception&& e) override { KJ_LOG(ERROR, around.what, e); }
};

}  // namespace hearth::devices
