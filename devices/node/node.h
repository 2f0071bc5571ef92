#pragma once
// One device: owns every part, wires them together, and says what apps may ask. It builds no seam
// and reads no environment; hearthd does, and the simulator.

#include "devices/data/data.h"
#include "devices/node/bodies.h"
#include "devices/node/circle-desk.h"
#include "devices/node/inviter.h"
#include "devices/node/jobs.h"
#include "devices/node/key-rotation.h"
#include "devices/node/own-bundle.h"
#include "devices/node/peer-server.h"
#include "devices/node/places.h"
#include "devices/node/plugin-costs.h"
#include "router/run/executor.h"
#include "storage/sql/checkup.h"
#include "transport/link/tls-connector.h"

namespace hearth::devices {

// Everything outside (DESIGN §3). All outlive the node.
struct Seams {
  kj::Timer& timer;
  const kj::Clock& clock;  // wall time, for display and records
  Trace& trace;
  Entropy& entropy;
  kj::Network& network;
  storage::Store& store;
  engine::EngineHost& engines;
  const kj::ReadableDirectory& system;  // what the machine says about itself
  const kj::Directory& home;            // where the identity is kept
  Executor& aside;  // for what blocks and is not the database: small files, a chip
  Executor& files;  // for what takes long as well: the files of blobs and folders
  // Where devices on the same link hear of each other; none: known addresses alone are called.
  kj::Maybe<transport::LocalLink&> localLink = nullptr;
  // What lives outside the disk and shows that it was put back; none: this machine has no such thing.
  kj::Maybe<RollbackCounter&> counter = nullptr;
  // How directories of the owner become folders; none: this device has none.
  kj::Maybe<FolderSystem&> folders = nullptr;
  // What this machine has of power and network; none: nothing is known of it.
  kj::Maybe<OutlookSource&> outlook = nullptr;
};

struct NodeConfig {
  std::string name;
  std::string deviceClass;
  uint32_t cores = 1;
  std::vector<std::string> addresses;  // where others reach this device, best first
  uint16_t port = 0;                   // where it listens, for those on the same link
  std::string keyStore;                // in words
  kj::Maybe<Recording> microphone;
  bool hasAes = false;  // the processor has AES instructions
};

class Node final: private CircleKeeper::Observer,
                  private transport::Links::Observer,
                  private Places::Observer,
                  private PeerServer::Desk,
                  private router::Executor::Peers,
                  private router::JobRunner::Fleet,
                  private kj::TaskSet::ErrorHandler {
 public:
  Node(Seams seams, const Identity& identity, NodeConfig config, StoredCircle stored,
      std::vector<storage::PeerRow> remembered);
  ~Node() noexcept(false);

  // Asks whether this device was put back to an older copy of itself, and tells the circle what has changed of
  // this machine. Await it before the device serves or starts.
  kj::Promise<void> prepare();

  // Answers other devices on `receiver`.
  void serve(kj::Own<kj::ConnectionReceiver> receiver) { links.serve(kj::mv(receiver)); }

  // Answers them by UDP as well, and calls them at addresses that begin with "udp:". At most once.
  void serveDatagrams(kj::Own<kj::DatagramPort> port);

  // Answers them through an outer TLS (SECURITY.md §6.8).
  void serveTls(kj::Own<kj::ConnectionReceiver> receiver) {
    links.serve(transport::newTlsReceiver(*tls, kj::mv(receiver)));
  }

  // Where others reach this device from outside its network, beside its own addresses; tells them.
  void alsoReachableAt(std::vector<std::string> at) { places.alsoReachableAt(kj::mv(at)); }

  // This device is at other addresses now (texts of paths, best first): tells the others, and calls anew
  // those that it has links to.
  void movedTo(std::vector<std::string> addresses) {
    places.movedTo(kj::mv(addresses));
    links.moved();
    ownData.gate().lookAgain();
  }

  // Takes the plugins below `directory` into use. Reads them whole: call it before the loop runs.
  void addPlugins(const kj::ReadableDirectory& directory);

  // What this device's microphone hears from now on. Requires that it has one.
  void hear(Recording recording);

  // Measures the plugins, tells the others, and calls them. Resolves when the plugins are measured.
  kj::Promise<void> start();

  // Resolves when this device has taken other keys: end this node, and begin another with the identity
  // that its home holds now.
  kj::Promise<void> keysReplaced() { return rotation.done(); }

  const NodeConfig& settings() const { return config; }
  // Where others reach this device, best first.
  const std::vector<std::string>& addresses() const { return places.configured(); }
  const CircleKeeper& circle() const { return keeper; }
  Jobs& work() { return jobs; }
  Data& data() { return ownData; }
  const Data& data() const { return ownData; }
  // What the user does to the circle: in an errand.
  CircleDesk& desk() { return circleDesk; }
  std::vector<DeviceView> devices();
  std::vector<transport::LinkView> linksUp() { return links.views(); }
  std::string nameOf(const DeviceId& id) const { return fleet.nameOf(id); }
  // What its user should know, a line each.
  std::vector<std::string> alarms() const;
  // Reads all of the database.
  kj::Promise<storage::Checkup> checkUp() {
    return seams.store.read([](storage::Database& db) { return storage::checkUp(db); });
  }
  // What all parts hold now, each beside its limit.
  Holdings holdings() const;
  // By full id, name or the beginning of an id. Errors: UNKNOWN_PEER; BAD_FORMAT when it fits several.
  Result<DeviceView> device(const std::string& wanted);

  // Where new devices show a code on the local link, if there is one.
  kj::Promise<std::vector<std::string>> waiting();

  // Brings in the device that waits at one of `addresses`. `person` outlives the promise.
  // Errors: those of Inviter::bringIn.
  kj::Promise<Result<DeviceView>> pair(crypto::PairingMeans means,
      std::vector<std::string> addresses, crypto::Role role, PairingPerson& person);

  const Relays& relaysUsed() const { return relays; }
  // Errors: those of Relays.
  kj::Promise<Result<void>> addRelay(std::string place) { return places.addRelay(kj::mv(place)); }
  kj::Promise<Result<void>> removeRelay(std::string place) {
    return places.removeRelay(kj::mv(place));
  }
  // This device runs relays itself, and others may wait at them (texts of paths).
  void offerRelays(std::vector<std::string> offered) { places.offerRelays(kj::mv(offered)); }

  // Runs an errand of the user that changes the circle: none may begin while this device takes new keys,
  // nor does it take any meanwhile. Errors: BUSY; those of the errand.
  template <typename Func>
  auto errand(Func run) -> decltype(run()) {
    if (rotation.isUnderWay()) co_return no(TAKES_NEW_KEYS);
    ++errands;
    KJ_DEFER(--errands);
    co_return co_await run();
  }

 private:
  Seams seams;
  const Identity& identity;
  NodeConfig config;
  crypto::EphemeralGuard guard;
  crypto::Buffer storedProposals;  // as the disk held them at the start
  CircleKeeper keeper;
  devices::Fleet fleet;
  Inviter inviter{{seams.timer, seams.entropy, seams.network, seams.store, identity, guard, keeper,
      fleet, places, circleDesk}};
  engine::PluginSet plugins;
  PluginCosts costs{{seams.store, seams.trace, plugins}};
  kj::Own<transport::Tls> tls = transport::newTls(seams.entropy, seams.timer);
  transport::TlsConnector tlsConnector{seams.network, *tls};
  transport::Links links;
  Levels levels{identity.keys.id, links};
  Bodies bodies;
  Relays relays;
  Places places;
  // The next link to any peer, for whoever waits for one.
  kj::PromiseFulfillerPair<void> arrival = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> arriving = arrival.promise.fork();
  Cosigning cosigning;
  CircleDesk circleDesk{{seams.timer, keeper, fleet, links, cosigning}};
  router::Executor executor;
  Jobs jobs;
  Data ownData{{seams.timer, seams.clock, seams.trace, seams.entropy, seams.store, keeper, identity,
      links, seams.home, seams.files, seams.folders, seams.outlook}};
  size_t errands = 0;  // of the user, that are under way
  KeyRotation rotation;
  kj::TaskSet tasks;

  bool isBusy() const;
  static constexpr Error TAKES_NEW_KEYS = {
      Errc::BUSY, "this device is just taking new keys: try again in some seconds"_kj};
  void considerRotation();
  void learnNames();
  void followRotations();
  kj::Promise<void> everyHour();
  void tell(const DeviceId& peer);
  void tellAll();
  bool takesPart() const;
  void expelled();
  DeviceView viewOf(const DeviceId& id, const crypto::Member& member);

  void circleChanged() override;
  void remembered() override;
  void heartbeatCame() override;
  void ownPlacesChanged() override { tellAll(); }
  void heard(const DeviceId& peer, router::DeviceFacts facts) override;
  void introduced(const DeviceId& device, const std::vector<std::string>& addresses) override {
    places.introduced(device, addresses);
  }
  kj::Promise<std::vector<std::string>> met(
      const DeviceId& peer, std::vector<std::string> theirs) override;
  router::rpc::StageHost::Client stages(const DeviceId& peer) override;
  void asked(const DeviceId& peer, const std::vector<crypto::Bytes>& open) override {
    cosigning.asked(peer, open);
  }
  kj::Promise<bool> answered(
      const DeviceId& peer, const crypto::ProposalId& id, bool agrees) override {
    return cosigning.answered(peer, id, agrees);
  }
  kj::Promise<crypto::Signature> cosign(
      const DeviceId& peer, const crypto::ProposalId& id, crypto::Buffer body) override {
    return cosigning.cosign(peer, id, kj::mv(body));
  }
  kj::Promise<void> renamed(const DeviceId& peer, std::string name) override {
    return circleDesk.renamed(peer, kj::mv(name));
  }
  kj::Promise<std::vector<bool>> keeps(const DeviceId& peer, const crypto::CollectionId& folder,
      std::vector<FolderProving::Asked> files) override {
    return ownData.keeps(peer, folder, kj::mv(files));
  }
  void peerUp(const DeviceId& peer) override;
  void peerDown(const DeviceId& peer, Error why) override;
  void peerMoved(const DeviceId& peer) override;
  void incoming(const DeviceId& peer, kj::Array<const kj::byte> header,
      kj::Own<kj::AsyncIoStream> stream) override;
  kj::Promise<std::vector<std::string>> meet(const DeviceId& device) override;
  capnp::Capability::Client bootstrapFor(const DeviceId& peer) override;
  kj::Promise<kj::Own<kj::AsyncIoStream>> openEdge(
      const DeviceId& device, kj::Array<const kj::byte> header) override;
  router::rpc::StageHost::Client stageHost(const DeviceId& device) override;
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices
