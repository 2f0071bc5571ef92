// Links through a member: asked of one, and carried for others.
#include "core/base/flat.h"
#include "transport/link/ferry.h"
#include "transport/link/links.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {

[[noreturn]] void noWay(kj::StringPtr why) {
  kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, why));
}

crypto::Buffer carryHeader(kj::byte kind, const DeviceId& device) {
  FlatWriter out;
  out.u8(kind);
  out.bytes(device.asBytes());
  return out.finish();
}

}  // namespace

// Whether a member may have a way to the device. Of two devices that it has links to, the one that came
// last asks; so a refusal holds for a while.
bool Links::mayAsk(const DeviceId& member, const DeviceId& target) {
  if (member == target || !isUp(member) || peers[member].link.get() == nullptr) return false;
  if (peers[member].link->path().kind == Path::Kind::MEMBER) return false;
  auto& refusedBy = peers[target].calling.refusedBy;
  auto refused = refusedBy.find(member);
  return refused == refusedBy.end() || tools.timer.now() - refused->second > ASK_MEMBER_AGAIN_AFTER;
}

// The link to a member has come up.
void Links::newWayThrough(const DeviceId& member) {
  for (auto& [id, peer]: peers) {
    peer.calling.refusedBy.erase(member);
    if (id == member || peer.link.get() != nullptr) continue;
    peer.calling.hasNews = true;
    peer.calling.news.ring();
  }
}

// The way through a member: a stream to it, on which it says one byte when it has one to the peer.
kj::Promise<kj::Own<kj::AsyncIoStream>> Links::connect(const DeviceId& target, const Path& path) {
  auto id = target;
  auto member = KJ_REQUIRE_NONNULL(path.member(), "not a path through a member");
  if (!mayAsk(member, id)) noWay("the member has no way to the device");
  auto stream = open(member, Lane::BULK, carryHeader(STREAM_KIND_CARRY, id));
  if (!stream) noWay(stream.error().because);
  kj::byte yes[1];
  try {
    co_await (*stream)->read(yes, sizeof(yes));
  } catch (const kj::Exception&) {
    peers[id].calling.refusedBy.insert_or_assign(member, tools.timer.now());
    throw;
  }
  co_return kj::mv(*stream);
}

// A peer asks to be carried. What is carried runs on the bulk lane: whatever this device and its peers
// have to say to each other goes first.
Result<void> Links::carry(
    Link& from, kj::ArrayPtr<const kj::byte> header, kj::Own<kj::AsyncIoStream>& stream) {
  auto target = DeviceId::from(header.slice(1, header.size()));
  if (!target) return no(Errc::BAD_FORMAT, "a stream that does not say where to");
  auto wanted = *target;
  // One detour at most: no chains, no circles.
  if (from.path().kind == Path::Kind::MEMBER)
    return no(Errc::NOT_AUTHORISED, "a carried link carries nobody else");
  if (wanted == from.peer() || !isUp(wanted) || peers[wanted].link.get() == nullptr ||
      peers[wanted].link->path().kind == Path::Kind::MEMBER)
    return no(Errc::UNKNOWN_PEER, "this device has no link of its own to that one");
  for (auto& end: {from.peer(), wanted}) {
    auto member = tools.circle.find(end);
    if (member == nullptr || KJ_ASSERT_NONNULL(member).standing != Circle::Standing::ACTIVE)
      return no(Errc::NOT_AUTHORISED, "not between active devices of the circle");
  }
  if (auto may = ferry->mayCarry(from.peer()); !may) return no(may.error());
  auto onward = open(wanted, Lane::BULK, carryHeader(STREAM_KIND_CARRIED, from.peer()));
  if (!onward) return no(onward.error());
  ferry->carry(from.peer(), wanted, kj::mv(stream), kj::mv(*onward));
  return {};
}

// Whoever is carried here is a caller like any other. A member that brings many keeps nobody else out.
kj::Promise<void> Links::answerCarried(DeviceId member, kj::Own<kj::AsyncIoStream> stream) {
  auto& brought = peers[member].carriedHalfOpen;
  if (brought >= CARRIED_HALF_OPEN_MAX) co_return;
  ++brought;
  KJ_DEFER(--brought);
  co_await answer(kj::mv(stream), Path::through(member));
}

}  // namespace hearth::transport
