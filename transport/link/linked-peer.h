#pragma once
// What Links knows of one peer: how it is called, and what goes on with it.

#include "transport/link/link.h"
#include "transport/rpc/link-rpc.h"

#include <map>
#include <string>
#include <vector>

namespace hearth::transport {

// Where a peer may be found, and who looks for it there now.
struct Calling {
  static constexpr kj::Duration AGAIN_AFTER = 250 * kj::MILLISECONDS;  // doubling to
  static constexpr kj::Duration AGAIN_AFTER_MAX = 30 * kj::SECONDS;

  bool isWanted = false;  // called when there is no link
  std::vector<std::string> addresses;
  bool resyncNext = false;  // the peer knows another epoch
  kj::Duration backoff = AGAIN_AFTER;
  Bell news;             // rung when there is a new way to try, for whoever calls
  bool hasNews = false;  // and nobody waited for it
  std::map<DeviceId, kj::TimePoint> refusedBy;  // members that have no way to the peer, and when
  bool isDialling = false;
  kj::Promise<void> dialling = nullptr;

  kj::Duration nextPause() {
    auto pause = backoff;
    backoff = kj::min(backoff * 2, AGAIN_AFTER_MAX);
    return pause;
  }
  void stop() {
    isWanted = false;
    addresses.clear();
    dialling = nullptr;
    isDialling = false;
  }
};

// Who looks for a better way while there is a link.
struct Bettering {
  Bell news;                              // rung when there may be one
  kj::Promise<void> improving = nullptr;  // while the link makes a detour
  kj::TimePoint meetAgainAt = kj::origin<kj::TimePoint>();
  kj::Promise<void> meeting = nullptr;      // the peer wants to go straight as well
  kj::Promise<void> callingAnew = nullptr;  // while the link may be of no use

  void stop() {
    improving = nullptr;
    meeting = nullptr;
    callingAnew = nullptr;
  }
};

struct LinkedPeer {
  kj::Own<Session> session;
  kj::Own<Link> link;                                 // carries the session, or is to; or null
  kj::TimePoint since = kj::origin<kj::TimePoint>();  // the link's being chosen
  kj::Maybe<kj::Promise<void>> parted;                // the session has no link that carries it
  kj::Own<LinkRpc> rpc;                               // of the session
  kj::Promise<void> expecting = nullptr;              // the caller's RPC
  // While the peer is up, to the observer. Before RPC has come from it, what it will be.
  kj::Maybe<capnp::Capability::Client> capability;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<capnp::Capability::Client>>> capabilityComes;
  uint32_t attending = 0;
  kj::Maybe<kj::Own<void>> attention;  // on the session
  size_t carriedHalfOpen = 0;          // callers that the peer brings
  Calling calling;
  Bettering bettering;

  void dropCapability() {
    KJ_IF_MAYBE(comes, capabilityComes)
      (*comes)->reject(KJ_EXCEPTION(DISCONNECTED, "there is no link to the device"));
    capabilityComes = nullptr;
    capability = nullptr;
  }
};

}  // namespace hearth::transport
