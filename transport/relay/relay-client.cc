#include "transport/relay/relay-client.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {

constexpr uint64_t NEIGHBOURS[] = {0, static_cast<uint64_t>(-1), 1};  // clocks differ

kj::Maybe<RelayName> nameOf(Finder::Beacons& beacons, const DeviceId& device, uint64_t slot) {
  for (auto& other: beacons.beaconsOfOthers(relaySlot(slot))) {
    if (other.device == device) return RelayName::from(other.beacon.asBytes()).value();
  }
  return nullptr;
}

kj::Promise<kj::Own<kj::AsyncIoStream>> connectTo(kj::Network& network, std::string address) {
  auto target = co_await network.parseAddress(address.c_str());
  co_return co_await target->connect();
}

kj::Promise<void> greet(kj::AsyncIoStream& stream, RelayHello::Wish wish, RelayName name) {
  auto hello = RelayHello{wish, name}.write();
  co_await stream.write(hello.begin(), hello.size());
}

kj::Promise<RelayAnswer> answerOf(kj::AsyncIoStream& stream) {
  kj::byte answer;
  co_await stream.read(&answer, 1);
  co_return static_cast<RelayAnswer>(answer);
}

kj::Promise<void> say(kj::AsyncIoStream& stream, RelayWaiter word) {
  auto byte = static_cast<kj::byte>(word);
  co_await stream.write(&byte, 1);
}

[[noreturn]] void throwNobody(kj::StringPtr why) {
  kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, why));
}

kj::String fullText(const std::string& relay) {
  return kj::str("the relay ", relay.c_str(),
      " has no room, or not for more connections from this address: it is tried again; another one "
      "can be named with hearth relay add HOST:PORT");
}

}  // namespace

uint64_t RelayParts::slot() const {
  return crypto::beaconSlot(static_cast<uint64_t>((clock.now() - kj::UNIX_EPOCH) / kj::SECONDS));
}

kj::Promise<kj::Own<kj::AsyncIoStream>> RelayConnector::connect(
    const DeviceId& peer, const Path& path) {
  auto relay = path.address;
  auto late = parts.timer.afterDelay(JOINED_WITHIN).then([relay]() -> kj::Own<kj::AsyncIoStream> {
    throwNobody(kj::str("the relay ", relay.c_str(),
        " did not bring the two together in time: see that hearthd --relay runs there "
        "and that its port is open"));
  });
  return join(peer, relay).exclusiveJoin(kj::mv(late));
}

kj::Promise<kj::Own<kj::AsyncIoStream>> RelayConnector::join(DeviceId device, std::string relay) {
  auto stream = co_await connectTo(parts.network, relay);
  auto slot = parts.slot();
  for (auto offset: NEIGHBOURS) {
    auto known = nameOf(parts.beacons, device, slot + offset);
    if (known == nullptr)
      throwNobody(
          "this device knows no name of that one at relays: bring both to one network once, so that "
          "they have the same circle");
    co_await greet(*stream, RelayHello::Wish::CALL, KJ_ASSERT_NONNULL(known));
    auto answer = co_await answerOf(*stream);
    if (answer == RelayAnswer::JOINED) co_return kj::mv(stream);
    if (answer != RelayAnswer::NOBODY) throwNobody(fullText(relay));
  }
  throwNobody(kj::str("the device does not wait at the relay ", relay.c_str(),
      ": see that it is on, and that hearth relay list names this relay there"));
}

void RelayWaiting::waitAt(std::vector<std::string> relays) {
  if (relays.size() > RELAYS_MAX) relays.resize(RELAYS_MAX);
  std::set<std::string> wanted(relays.begin(), relays.end());
  std::erase_if(places, [&](auto& place) { return !wanted.contains(place.first); });
  for (auto& relay: wanted) {
    if (!places.contains(relay)) begin(relay);
  }
}

void RelayWaiting::circleChanged() {
  for (auto& entry: places) begin(entry.first);
}

std::set<std::string> RelayWaiting::waitingAt() const {
  std::set<std::string> at;
  for (auto& [relay, place]: places) {
    if (place.isWaiting) at.insert(relay);
  }
  return at;
}

void RelayWaiting::begin(const std::string& relay) {
  auto& place = places[relay];
  place.isWaiting = false;
  place.waiting = waitFor(relay).eagerlyEvaluate(
      [](kj::Exception&& e) { KJ_LOG(WARNING, "this device waits at a relay no longer", e); });
}

kj::Promise<void> RelayWaiting::waitFor(std::string relay) {
  auto pause = AGAIN_AFTER;
  for (;;) {
    try {
      co_await waitOnce(relay);
      pause = AGAIN_AFTER;
      continue;
    } catch (const kj::Exception& e) {
      KJ_LOG(INFO, "a relay does not let this device wait", e.getDescription());
    }
    places[relay].isWaiting = false;
    co_await parts.timer.afterDelay(pause);
    pause = kj::min(pause * 2, AGAIN_AFTER_MAX);
  }
}

// Until somebody has called, or the name is an old one. Throws when the relay is not there any more.
kj::Promise<void> RelayWaiting::waitOnce(std::string relay) {
  auto slot = parts.slot();
  auto own = parts.beacons.ownBeacon(relaySlot(slot));
  if (own == nullptr) throwNobody("this device has no name yet");
  auto name = RelayName::from(KJ_ASSERT_NONNULL(own).asBytes()).value();
  auto stream = co_await parts.timer.timeoutAfter(CONNECT_WITHIN, connectTo(parts.network, relay));
  co_await greet(*stream, RelayHello::Wish::WAIT, name);
  places[relay].isWaiting = true;
  auto answered = answerOf(*stream).fork();
  auto slotEnd = [&]() {
    auto into = (parts.clock.now() - kj::UNIX_EPOCH) / kj::SECONDS % crypto::BEACON_SLOT_S;
    return static_cast<int64_t>(crypto::BEACON_SLOT_S - into) * kj::SECONDS;
  };
  auto end = parts.timer.now() + slotEnd();
  for (;;) {
    auto pause = kj::min(SAY_WAITING_EVERY, end - parts.timer.now());
    bool called = co_await answered.addBranch()
                      .then([&relay](RelayAnswer answer) {
                        if (answer != RelayAnswer::JOINED) throwNobody(fullText(relay));
                        return true;
                      })
                      .exclusiveJoin(parts.timer.afterDelay(pause).then([]() { return false; }));
    if (called) break;
    if (parts.timer.now() >= end) co_return;
    co_await say(*stream, RelayWaiter::WAITING);
  }
  co_await say(*stream, RelayWaiter::READY);
  host.calledThrough({Path::Kind::RELAY, relay}, kj::mv(stream));
}

}  // namespace hearth::transport
