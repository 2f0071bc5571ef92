#include "devices/node/node.h"

#include "crypto/identity/display.h"
#include "devices/clipboard/clipboard.h"
#include "devices/facts/local-facts.h"
#include "devices/node/lookout.h"
#include "devices/vault/vaults.h"
#include "router/place/facts-codec.h"
#include "transport/link/ferry.h"
#include "transport/wire/datagram-socket.h"

#include <kj/debug.h>

#include <algorithm>
#include <cstdlib>

namespace hearth::devices {

namespace {

// A repeated ephemeral key means a broken random source or a cloned machine (SECURITY.md §6.1).
[[noreturn]] void stopForRepeatedEphemeral() {
  KJ_LOG(FATAL,
      "an ephemeral key came twice: the random source is broken or this machine was cloned; "
      "stopping, so that no key of it is used again");
  abort();
}

constexpr Error TOO_OLD = {
    Errc::BAD_VERSION, "the circle asks for a newer version of Hearth: update this device"_kj};
constexpr Error OUT_OF_THE_CIRCLE = {Errc::REMOVED,
    "this device was removed from its circle: hearth join on a new --home brings it in anew"_kj};

kj::StringPtr wayOf(kj::Maybe<transport::Path> path) {
  KJ_IF_MAYBE(way, path) return transport::nameOf(way->kind);
  return "none";
}

}  // namespace

Node::Node(Seams seams, const Identity& identity, NodeConfig configIn, StoredCircle stored,
    std::vector<storage::PeerRow> remembered)
    : seams(seams),
      identity(identity),
      config(kj::mv(configIn)),
      guard([]() { stopForRepeatedEphemeral(); }),
      storedProposals(kj::mv(stored.proposals)),
      keeper(kj::mv(stored), identity, seams.store, seams.timer, seams.clock, seams.entropy,
          seams.home, seams.aside, seams.counter, *this),
      fleet(
          localFacts(seams.system, identity.keys.id, config.name, config.deviceClass, config.cores),
          kj::mv(remembered)),
      plugins(seams.engines, seams.timer, engine::EngineGrants()),
      links(transport::HandshakeTools{seams.timer, seams.entropy, guard, keeper}, seams.network,
          *this),
      bodies(seams.timer, plugins, levels, kj::mv(config.microphone)),
      relays({seams.timer, seams.clock, seams.network, seams.store, keeper, links}),
      places({seams.timer, seams.clock, seams.store, keeper, fleet, links, relays, *this,
                 seams.localLink},
          config.addresses, config.port),
      cosigning(
          {seams.timer, seams.trace, seams.entropy, seams.store, keeper, links}, storedProposals),
      executor(seams.timer, seams.clock, identity.keys.id, bodies, *this),
      jobs({seams.timer, seams.clock, seams.trace, seams.entropy, seams.store, keeper, fleet,
          bodies, levels, executor, *this, links}),
      rotation({seams.timer, seams.trace, seams.entropy, seams.home, identity, keeper},
          [this]() { return isBusy(); }),
      tasks(*this) {
  links.plug(transport::Path::Kind::TLS, tlsConnector);
  fleet.changeOwn(seams.clock.now(), [this](router::DeviceFacts& own) {
    own.addresses = places.configured();
    if (bodies.hasMicrophone()) own.sensors = {"microphone"};
  });
}

// Peers hold stages that run here: those end before the executor that runs them.
Node::~Node() noexcept(false) {
  tasks.clear();
  rotation.stop();
  places.stop();
  links.hangUp();
}

kj::Promise<void> Node::prepare() {
  co_await keeper.askCounter();
  co_await sayWhetherAes(keeper, identity, config.hasAes);
}

void Node::serveDatagrams(kj::Own<kj::DatagramPort> port) {
  places.takeDatagrams(static_cast<uint16_t>(port->getPort()));
  links.serveDatagrams(transport::batchesOf(kj::mv(port), seams.network));
}

void Node::addPlugins(const kj::ReadableDirectory& directory) {
  for (auto& refusal: plugins.scan(directory, nullptr))
    KJ_LOG(WARNING, "a plugin is not used", refusal.file, refusal.error.because);
}

void Node::hear(Recording recording) {
  KJ_REQUIRE(bodies.hasMicrophone(), "a device without a microphone hears nothing");
  bodies.hear(kj::mv(recording));
}

kj::Promise<void> Node::start() {
  tasks.add(everyHour());
  followRotations();
  learnNames();
  keeper.start();
  co_await ownData.start();
  co_await places.start();
  if (!takesPart()) expelled();
  places.beginToCall();
  for (auto bundle: plugins.bundles()) {
    for (auto& task: bundle->description().tasks) {
      auto measured = co_await costs.measure(*bundle, task);
      KJ_IF_MAYBE(facts, measured) {
        fleet.changeOwn(seams.clock.now(),
            [&](router::DeviceFacts& own) { own.plugins.push_back(kj::mv(*facts)); });
      }
    }
    auto warm = co_await plugins.keepWarm(bundle->measurement().plugin);
    if (!warm)
      KJ_LOG(WARNING, "a plugin does not start", bundle->manifest().name.c_str(),
          warm.error().because);
  }
  tellAll();
  jobs.fleetChanged();
}

// What is left of the time of questions and of silence is remembered, and the write-ahead log emptied (SECURITY.md
// §10.1). A full disk is no reason to stop trying.
kj::Promise<void> Node::everyHour() {
  for (;;) {
    co_await seams.timer.afterDelay(storage::Store::CHECKPOINT_EVERY);
    co_await keeper.saveFreshness().catch_([](kj::Exception&&) {});
    cosigning.circleChanged();  // what nobody has answered in its time is over
    if (!cosigning.waiting().empty()) co_await cosigning.save().catch_([](kj::Exception&&) {});
    co_await seams.store.checkpoint().catch_(
        [](kj::Exception&& e) { KJ_LOG(WARNING, "the write-ahead log stays long", e); });
  }
}

std::vector<DeviceView> Node::devices() {
  std::vector<DeviceView> views;
  for (auto& [id, member]: keeper.state().devices) {
    // It goes on under its other keys.
    if (member.status == crypto::MemberStatus::RETIRED) continue;
    auto view = viewOf(id, member);
    views.insert(view.self ? views.begin() : views.end(), kj::mv(view));
  }
  return views;
}

std::vector<std::string> Node::alarms() const {
  auto lines = keeper.alarms();
  std::ranges::move(ownData.alarms(), std::back_inserter(lines));
  std::ranges::move(
      ownData.vaults().alarms([this](auto& id) { return nameOf(id); }), std::back_inserter(lines));
  for (auto& [device, error]: ownData.liars())
    lines.push_back(nameOf(device) +
        " sends other bytes than blobs have, by a fault or on purpose: it is asked for none until hearthd starts anew");
  return lines;
}

Holdings Node::holdings() const {
  Holdings all;
  links.addTo(all);
  places.addTo(all);
  executor.addTo(all);
  jobs.addTo(all);
  ownData.addTo(all);
  auto inCircle = keeper.state().devices.size();
  all.push_back(
      {"stages", executor.stagesRunning(), router::Executor::STAGES_MAX + Jobs::RUNNING_MAX});
  all.push_back({"plugin instances", plugins.instances(), engine::PluginSet::INSTANCES_MAX});
  all.push_back({"devices remembered", fleet.known(), inCircle});
  all.push_back({"other devices with facts", fleet.reachable().size() - 1, inCircle});
  return all;
}

DeviceView Node::viewOf(const DeviceId& id, const crypto::Member& member) {
  DeviceView view{.id = id, .name = fleet.nameOf(id), .role = member.role, .status = member.status};
  view.self = id == keeper.selfId();
  view.quarantined = view.self ? keeper.hasForgotten() : keeper.isQuarantined(id);
  view.reachable = view.self || links.isUp(id);
  KJ_IF_MAYBE(row, fleet.remembered(id)) {
    view.deviceClass = row->deviceClass;
    if (!row->addresses.empty()) view.address = row->addresses.front();
  }
  KJ_IF_MAYBE(path, links.pathOf(id)) {
    view.path = transport::nameOf(path->kind).cStr();
    if (path->isDirect()) view.address = KJ_ASSERT_NONNULL(links.addressOf(id)).cStr();
    if (!path->isDirect()) view.via = path->address;
    KJ_IF_MAYBE(member, path->member()) view.via = fleet.nameOf(*member);
  }
  auto carried = view.self ? links.carrying().total() : links.carrying().countOf(id);
  view.carriedBytes = carried.bytes;
  view.carriedNow = static_cast<uint32_t>(carried.now);
  KJ_IF_MAYBE(measured, links.factsOf(id)) {
    if (measured->rttS >= 0) view.rttMs = measured->rttS * 1000;
  }
  for (auto& facts: fleet.reachable()) {
    if (facts.id != id) continue;
    view.facts = facts;
    view.deviceClass = facts.deviceClass;
    if (view.self && !facts.addresses.empty()) view.address = facts.addresses.front();
  }
  return view;
}

// A name is what a device says of itself, and may even look like another one's id: what fits two means neither.
Result<DeviceView> Node::device(const std::string& wanted) {
  std::vector<DeviceView> found;
  for (auto& view: devices()) {
    auto shown = crypto::display(view.id);
    if (shown == wanted.c_str()) return view;
    bool begins = !wanted.empty() && shown.startsWith(wanted.c_str());
    if (begins || view.name == wanted) found.push_back(view);
  }
  // Whoever was removed and came in anew is called as before.
  auto isOut = [](auto& view) { return view.status == crypto::MemberStatus::REMOVED; };
  if (!std::ranges::all_of(found, isOut)) std::erase_if(found, isOut);
  if (found.empty())
    return no(Errc::UNKNOWN_PEER, "no device is called so: hearth devices lists them");
  if (found.size() > 1)
    return no(Errc::BAD_FORMAT,
        "several devices are called so: give the id of one, as hearth devices --json has it");
  return kj::mv(found.front());
}

kj::Promise<std::vector<std::string>> Node::waiting() {
  KJ_IF_MAYBE(link, seams.localLink) return lookForWaiting(*link, seams.timer);
  return std::vector<std::string>();
}

kj::Promise<Result<DeviceView>> Node::pair(crypto::PairingMeans means,
    std::vector<std::string> addresses, crypto::Role role, PairingPerson& person) {
  if (rotation.isUnderWay()) co_return no(TAKES_NEW_KEYS);
  ++errands;
  KJ_DEFER(--errands);
  auto waitedAt = addresses;
  auto id = co_await inviter.bringIn(kj::mv(means), kj::mv(addresses), role, person);
  if (!id) co_return no(id.error());
  // It listens where it waited. From behind a NAT this device is not reached: it has to call.
  introduced(*id, waitedAt);
  co_return viewOf(*id, KJ_ASSERT_NONNULL(keeper.state().find(*id)));
}

void Node::tell(const DeviceId& peer) {
  auto client = links.rpc(peer).castAs<rpc::Peer>();
  auto facts = client.factsRequest();
  router::write(fleet.own(), facts.initFacts());
  tasks.add(facts.send().ignoreResult());
  std::vector<storage::PeerRow> known;
  for (auto& row: fleet.everyone()) {
    if (keeper.isActive(row.device) && row.device != peer && !row.addresses.empty())
      known.push_back(row);
  }
  auto introduction = client.introduceRequest();
  auto list = introduction.initPlaces(static_cast<kj::uint>(known.size()));
  for (kj::uint i = 0; i < known.size(); ++i) {
    list[i].setDevice(known[i].device.asBytes());
    auto& addresses = known[i].addresses;
    write(addresses, list[i].initAddresses(static_cast<kj::uint>(addresses.size())));
  }
  tasks.add(introduction.send().ignoreResult());
}

void Node::tellAll() {
  for (auto& peer: links.peersUp()) tell(peer);
}

void Node::heard(const DeviceId& peer, router::DeviceFacts facts) {
  if (!links.isUp(peer) || !fleet.heard(kj::mv(facts), seams.clock.now())) return;
  places.remember(peer);
  places.callKnown();
  // Whoever is here should know where the newcomer is.
  for (auto& other: links.peersUp()) {
    if (other != peer) tell(other);
  }
  jobs.fleetChanged();
}

void Node::circleChanged() {
  seams.trace.event("circle.changed",
      {{"ops", static_cast<int64_t>(keeper.log().size())},
          {"active", static_cast<int64_t>(keeper.state().countActive())}});
  links.sendNews();  // also of what has put this device out: others may not know it yet
  if (!takesPart()) return expelled();
  keeper.renewEpoch();
  learnNames();
  followRotations();
  considerRotation();
  for (auto& [id, member]: keeper.state().devices) {
    if (!member.isActive() && id != keeper.selfId()) links.drop(id, Errc::REMOVED);
  }
  places.circleChanged();
  cosigning.circleChanged();
  ownData.circleChanged();
}

// A device that is called otherwise now says so itself, too: a VAULT cannot read the log.
void Node::learnNames() {
  if (!fleet.setNames(keeper.names())) return;
  auto name = fleet.nameOf(keeper.selfId());
  if (name == fleet.own().name) return;
  fleet.changeOwn(seams.clock.now(), [&](router::DeviceFacts& own) { own.name = name; });
  tellAll();
}

// Where devices that go by other keys now may be found.
void Node::followRotations() {
  for (auto& [id, member]: keeper.state().devices) {
    for (auto& old: member.rotatedFrom) {
      if (fleet.follow(old, id)) places.remember(id);
    }
  }
}

bool Node::isBusy() const {
  return errands > 0 || jobs.running() > 0 || executor.stagesRunning() > 0;
}

// With another admin at hand, who learns of it at once.
void Node::considerRotation() {
  bool witnessed = std::ranges::any_of(links.peersUp(), [this](auto& peer) {
    return keeper.state()
        .find(peer)
        .map([](auto& member) { return member.role == crypto::Role::ADMIN; })
        .orDefault(false);
  });
  if (witnessed) rotation.witnessed();
}

void Node::remembered() { rotation.remembered(); }

void Node::heartbeatCame() { links.sendNews(); }

bool Node::takesPart() const { return keeper.isActive(keeper.selfId()) && !keeper.isTooOld(); }

// Whoever was removed, or speaks no suite that the circle allows, calls nobody and works for nobody.
void Node::expelled() {
  auto why = keeper.isTooOld() ? TOO_OLD : OUT_OF_THE_CIRCLE;
  places.stop();
  for (auto& [id, member]: keeper.state().devices) links.drop(id, why.code);
  jobs.expel(why);
}

void Node::peerUp(const DeviceId& peer) {
  seams.trace.event("link.up", {{"peer", peer}, {"by", wayOf(links.pathOf(peer))}});
  places.linked(peer, true);
  tell(peer);
  cosigning.peerUp(peer);
  ownData.peerUp(peer);
  considerRotation();
  auto arrived = kj::mv(arrival.fulfiller);
  arrival = kj::newPromiseAndFulfiller<void>();
  arriving = arrival.promise.fork();
  arrived->fulfill();
}

void Node::peerDown(const DeviceId& peer, Error why) {
  seams.trace.event("link.down", {{"peer", peer}, {"why", why.because}});
  places.linked(peer, false);
  fleet.left(peer);
  ownData.peerDown(peer);
  jobs.lost(peer);
}

void Node::peerMoved(const DeviceId& peer) {
  seams.trace.event("link.moved", {{"peer", peer}, {"by", wayOf(links.pathOf(peer))}});
  tell(peer);
}

void Node::incoming(
    const DeviceId& peer, kj::Array<const kj::byte> header, kj::Own<kj::AsyncIoStream> stream) {
  if (header[0] == router::STREAM_KIND_EDGE) executor.acceptEdge(header, kj::mv(stream));
  if (header[0] == STREAM_KIND_LEVELS) levels.accept(peer, header, kj::mv(stream));
  bool isData = header[0] == STREAM_KIND_SYNC || header[0] == STREAM_KIND_BLOBS ||
      header[0] == STREAM_KIND_PRESENCE || header[0] == STREAM_KIND_CLIPBOARD ||
      header[0] == STREAM_KIND_VAULT;
  if (isData) ownData.incoming(peer, header[0], kj::mv(stream));
}

kj::Promise<std::vector<std::string>> Node::meet(const DeviceId& device) {
  auto peer = device;
  auto own = co_await places.ownNow();
  auto request = links.rpc(peer).castAs<rpc::Peer>().meetRequest();
  write(own, request.initPlaces(static_cast<kj::uint>(own.size())));
  auto response = co_await request.send();
  auto theirs = textsOf(response.getPlaces());
  KJ_REQUIRE(theirs.size() <= transport::Links::ADDRESSES_MAX, "too many places");
  co_return theirs;
}

kj::Promise<std::vector<std::string>> Node::met(
    const DeviceId& peer, std::vector<std::string> theirs) {
  links.callAt(peer, kj::mv(theirs));
  return places.ownNow();
}

router::rpc::StageHost::Client Node::stages(const DeviceId& peer) {
  KJ_REQUIRE(!keeper.isStale(), "this device has heard of no admin for too long");
  return executor.host(peer);
}

capnp::Capability::Client Node::bootstrapFor(const DeviceId& peer) {
  return kj::heap<PeerServer>(static_cast<PeerServer::Desk&>(*this), peer);
}

// Waits for a link to the device: a job may wait for hours, and whoever asked again and again meanwhile
// would empty a phone's battery.
kj::Promise<kj::Own<kj::AsyncIoStream>> Node::openEdge(
    const DeviceId& device, kj::Array<const kj::byte> header) {
  auto peer = device;
  while (!links.isUp(peer)) co_await arriving.addBranch();
  auto stream = links.open(peer, transport::Lane::INTERACTIVE, header);
  if (stream) co_return kj::mv(*stream);
  kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, stream.error().because));
}

router::rpc::StageHost::Client Node::stageHost(const DeviceId& device) {
  return links.rpc(device).castAs<rpc::Peer>().stagesRequest().send().getHost();
}

void Node::taskFailed(kj::Exception&& e) {
  if (e.getType() != kj::Exception::Type::DISCONNECTED)
    KJ_LOG(WARNING, "telling a peer failed", e.getDescription());
}

}  // namespace hearth::devices
