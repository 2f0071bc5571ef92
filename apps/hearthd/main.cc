// hearthd: the daemon. Builds the seams, the node and the local API, and runs until it is asked to
// end.

#include "apps/hearthd/unused-memory.h"
#include "apps/home/home.h"
#include "apps/home/terminal.h"
#include "bindings/local/home.h"
#include "bindings/local/server.h"
#include "devices/linux/linux-folders.h"
#include "devices/linux/linux-outlook.h"
#include "devices/linux/tpm-counter.h"
#include "devices/vault/vaults.h"
#include "router/engine/sandbox-engine-host.h"
#include "transport/discovery/avahi-link.h"
#include "transport/relay/relay-server.h"
#include "transport/wire/address-watch.h"
#include "transport/wire/port-mapping.h"
#include "transport/wire/uv-network.h"
#include "transport/wire/uv-stream.h"

#include <kj/debug.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <fcntl.h>
#include <iostream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace hearth;

struct Options {
  std::string home, listen, listenTls, plugins, microphone, trace, passphraseFile;
  uint64_t blobRoomGib = devices::BlobStore::ROOM_BYTES >> 30;
  uint64_t vaultRoomGib = devices::VaultHoldings::ROOM_BYTES >> 30;
  bool noDiscovery = false;
  bool relay = false;
  uint64_t relayMibPerS = 32;  // 0: no limit
  bool foreground = false;
  bool mapPort = false;
};

// A port that the router keeps open, and the thread on which it is asked to.
struct MappedPort {
  uint16_t port;
  ThreadExecutor worker;
  transport::Gateway gateway;
  transport::PortMapping mapping;

  MappedPort(kj::Timer& timer, uint16_t port, transport::PortMapping::OnChange changed)
      : port(port),
        mapping(timer, worker, gateway, port, kj::mv(changed)) {}
};

// SECURITY.md §10.3: no core holds our keys, nobody attaches.
void harden() {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

kj::Maybe<devices::Recording> readMicrophone(const std::string& path) {
  if (path.empty()) return nullptr;
  auto disk = kj::newDiskFilesystem();
  auto file = disk->getRoot().tryOpenFile(disk->getCurrentPath().evalNative(path.c_str()));
  auto& opened = KJ_REQUIRE_NONNULL(file, "the microphone's recording cannot be opened", path);
  auto recording = devices::readWav(*opened);
  KJ_REQUIRE(recording.has_value(), path, recording.error().because);
  return kj::mv(*recording);
}

// `hearthd --relay`: a blind relay and nothing else. It reads no home and writes no file.
class Relay final {
 public:
  static constexpr kj::StringPtr LISTEN = "*:7428"_kj;

  explicit Relay(const Options& options): options(options), network(uv.port) {}

  void run() {
    int numbers[] = {SIGINT, SIGTERM};
    auto asked = uv.port.onSignal(numbers).ignoreResult();
    uv.port.run(uv.waitScope, serve().exclusiveJoin(kj::mv(asked)));
  }

 private:
  const Options& options;
  UvLoop uv;
  transport::UvNetwork network;
  transport::RelayServer::Limits limits;
  kj::Own<transport::RelayServer> relay;

  kj::Promise<void> serve() {
    auto listen = options.listen.empty() ? kj::str(LISTEN) : kj::str(options.listen.c_str());
    auto address = co_await network.parseAddress(listen);
    limits.bytesPerS = options.relayMibPerS << 20;
    relay = kj::heap<transport::RelayServer>(uv.timer(), limits);
    relay->serve(address->listen());
    KJ_LOG(INFO, "the relay is ready", listen);
    co_await kj::Promise<void>(kj::NEVER_DONE);
  }
};

// Everything that lives as long as the daemon, in the order in which parts rest on each other.
class Daemon final {
 public:
  explicit Daemon(const Options& options)
      : options(options),
        home(options.home.c_str(), {options.passphraseFile, false}),
        identity(requireIdentity()),
        store(home.openStore(identity)),
        network(uv.port),
        engines(uv.timer(),
            [this](
                kj::AutoCloseFd fd) { return kj::heap<transport::UvStream>(uv.port, kj::mv(fd)); }),
        disk(kj::newDiskFilesystem()),
        trace(openTrace()),
        folders(uv.port, options.home) {}

  void run() {
    int numbers[] = {SIGINT, SIGTERM};
    auto asked = uv.port.onSignal(numbers).ignoreResult();
    uv.port.run(uv.waitScope, serve().exclusiveJoin(kj::mv(asked)));
    following = nullptr;
    server = nullptr;
    node = nullptr;
    KJ_IF_MAYBE(mapped, mappedPort) (*mapped)->mapping.stop().wait(uv.waitScope);
    mappedPort = nullptr;
  }

 private:
  const Options& options;
  apps::Home home;
  UvLoop uv;
  devices::Identity identity;
  kj::Own<storage::Store> store;
  transport::UvNetwork network;
  engine::SandboxEngineHost engines;
  kj::Own<kj::Filesystem> disk;
  kj::Own<kj::OutputStream> traceFile;
  kj::Own<Trace> trace;
  ThreadExecutor aside, files;
  devices::LinuxOutlook outlook{disk->getRoot(), aside};
  apps::UnusedMemory unusedMemory{*store, uv.timer(), aside};
  devices::LinuxFolders folders;
  kj::Maybe<kj::Own<devices::TpmCounter>> counter;
  kj::Maybe<kj::Own<transport::LocalLink>> localLink;
  kj::Own<devices::Node> node;
  kj::Own<local::Server> server;
  kj::Maybe<kj::Own<MappedPort>> mappedPort;
  std::vector<std::string> outside;       // where that port is reached
  kj::Own<transport::RelayServer> relay;  // a VAULT's
  struct Doors {                          // that others come in by
    std::string listen;
    kj::uint port = 0;
    bool takesDatagrams = false;
    kj::uint tlsPort = 0;
  } doors;
  kj::Promise<void> following = nullptr;  // changes of address

  devices::Identity requireIdentity() {
    auto loaded = home.loadIdentity();
    KJ_IF_MAYBE(found, loaded) return kj::mv(*found);
    apps::refuse("this device has no circle yet: run hearth init, or hearth join --code");
  }

  kj::Own<Trace> openTrace() {
    if (options.trace.empty()) return kj::heap<NoTrace>();
    int fd = open(options.trace.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
      apps::refuse(kj::str(options.trace.c_str(), " cannot be written: name another file"));
    traceFile = kj::heap<kj::FdOutputStream>(kj::AutoCloseFd(fd));
    return kj::heap<JsonTrace>(*traceFile, kj::systemPreciseCalendarClock());
  }

  kj::Promise<void> serve() {
    auto settings = co_await apps::readSettings(*store);
    if (!options.listen.empty()) settings.listen = options.listen;
    for (;;) {
      co_await live(settings);
      following = nullptr;
      server = nullptr;
      node = nullptr;
      localLink = nullptr;
    }
  }

  // Until this device has other keys.
  kj::Promise<void> live(apps::DeviceSettings& settings) {
    auto stored = co_await devices::StoredCircle::read(*store);
    if (!stored) apps::refuse(stored.error().because);
    auto circle = kj::mv(*stored);
    if (circle == nullptr) apps::refuse("this device has no circle yet: run hearth init");
    auto settled =
        devices::settleIdentity(home.directory(), kj::mv(identity), KJ_ASSERT_NONNULL(circle));
    if (!settled) apps::refuse(settled.error().because);
    identity = kj::mv(*settled);
    auto peers =
        co_await store->read([](storage::Database& db) { return storage::peers::all(db); });
    auto address = co_await network.parseAddress(settings.listen.c_str());
    auto receiver = address->listen();
    auto port = receiver->getPort();
    // A port that the system has chosen is kept.
    settings.listen =
        settings.listen.substr(0, settings.listen.rfind(':') + 1) + std::to_string(port);
    doors = {settings.listen, port};
    auto datagrams = co_await bindDatagrams(settings.listen, port);
    auto throughTls = co_await listenThroughTls();
    devices::NodeConfig config{.name = settings.name,
        .deviceClass = settings.deviceClass,
        .cores = std::thread::hardware_concurrency(),
        .addresses = ownAddresses(),
        .port = static_cast<uint16_t>(port),
        .keyStore = home.keys().describe().cStr(),
        .microphone = readMicrophone(options.microphone),
        .hasAes = crypto::cpuHasAes()};
    node = kj::heap<devices::Node>(
        devices::Seams{uv.timer(), kj::systemPreciseCalendarClock(), *trace, home.entropy(),
            network, *store, engines, disk->getRoot(), home.directory(), aside, files,
            openLocalLink(settings.listen), openCounter(), folders, outlook},
        identity, kj::mv(config), kj::mv(KJ_ASSERT_NONNULL(circle)), kj::mv(peers));
    node->data().blobs().setRoom(options.blobRoomGib << 30);
    node->data().vaults().holdings().setRoom(options.vaultRoomGib << 30);
    addPlugins();
    co_await node->prepare();
    node->serve(kj::mv(receiver));
    KJ_IF_MAYBE(bound, datagrams) node->serveDatagrams(kj::mv(*bound));
    KJ_IF_MAYBE(bound, throughTls) node->serveTls(kj::mv(*bound));
    if (!apps::isLoopback(settings.listen)) mapPort(static_cast<uint16_t>(port));
    co_await serveLocally();
    if (node->circle().ownRole() == crypto::Role::VAULT) co_await serveAsRelay(settings.listen);
    co_await node->start();
    if (!apps::isLoopback(settings.listen)) {
      following = followAddresses().eagerlyEvaluate([](kj::Exception&& e) {
        KJ_LOG(WARNING, "a change of network is noticed late", e.getDescription());
      });
    }
    KJ_LOG(INFO, "ready");
    co_await node->keysReplaced();
    identity = requireIdentity();
  }

  void mapPort(uint16_t port) {
    if (!options.mapPort) return;
    if (!outside.empty()) node->alsoReachableAt(outside);
    if (mappedPort != nullptr) return;
    mappedPort = kj::heap<MappedPort>(uv.timer(), port, [this](std::vector<std::string> found) {
      outside = kj::mv(found);
      if (node.get() != nullptr) node->alsoReachableAt(outside);
    });
  }

  // Where others reach this device now, best first.
  std::vector<std::string> ownAddresses() const {
    auto found = apps::reachableAt(doors.listen, doors.port);
    auto streams = found;
    if (doors.takesDatagrams) {
      for (auto& reachable: streams) found.push_back("udp:" + reachable);
    }
    if (doors.tlsPort == 0) return found;
    for (auto& reachable: apps::reachableAt(options.listenTls, doors.tlsPort))
      found.push_back("tls:" + reachable);
    return found;
  }

  kj::Promise<void> followAddresses() {
    transport::AddressWatch watch(uv.port);
    for (;;) {
      co_await watch.changed();
      node->movedTo(ownAddresses());
    }
  }

  // UDP at the port of TCP, where nobody else has it.
  kj::Promise<kj::Maybe<kj::Own<kj::DatagramPort>>> bindDatagrams(
      const std::string& listen, kj::uint port) {
    auto host = listen.substr(0, listen.rfind(':'));
    try {
      auto address = co_await network.parseAddress(kj::str(host.c_str(), ':', port));
      auto bound = address->bindDatagramPort();
      doors.takesDatagrams = true;
      co_return kj::mv(bound);
    } catch (const kj::Exception& e) {
      KJ_LOG(WARNING, "no UDP: others reach this device by TCP alone", e.getDescription());
    }
    co_return nullptr;
  }

  kj::Promise<kj::Maybe<kj::Own<kj::ConnectionReceiver>>> listenThroughTls() {
    if (options.listenTls.empty()) co_return nullptr;
    auto address = co_await network.parseAddress(options.listenTls.c_str());
    auto receiver = address->listen();
    doors.tlsPort = receiver->getPort();
    co_return kj::mv(receiver);
  }

  kj::Maybe<devices::RollbackCounter&> openCounter() {
    auto tcti = devices::LinuxKeyStore::systemTcti();
    if (tcti.size() == 0) return nullptr;
    counter = kj::heap<devices::TpmCounter>(tcti, devices::counterTag(identity.storage));
    return counter.map([](auto& there) -> devices::RollbackCounter& { return *there; });
  }

  // Whom nobody on the link could call has nothing to say there.
  kj::Maybe<transport::LocalLink&> openLocalLink(const std::string& listen) {
    if (options.noDiscovery || apps::isLoopback(listen)) return nullptr;
    localLink = transport::openAvahiLink(uv.port, home.entropy());
    return localLink.map([](auto& link) -> transport::LocalLink& { return *link; });
  }

  static constexpr size_t RELAYS_OFFERED_MAX = 2;  // each is a connection for every other device

  // Every VAULT is a relay for its circle, and for whoever knows a name there, on the next port.
  kj::Promise<void> serveAsRelay(std::string listen) {
    auto host = listen.substr(0, listen.rfind(':'));
    auto port = node->settings().port + 1u;
    auto address = co_await network.parseAddress(kj::str(host.c_str(), ':', port));
    auto refused = kj::runCatchingExceptions([&]() {
      auto receiver = address->listen();
      relay = kj::heap<transport::RelayServer>(uv.timer(), transport::RelayServer::Limits());
      relay->serve(kj::mv(receiver));
    });
    KJ_IF_MAYBE(e, refused) {
      KJ_LOG(WARNING, "this VAULT is no relay", e->getDescription());
      co_return;
    }
    std::vector<std::string> offered;
    for (auto& place: apps::reachableAt(listen, port)) {
      if (offered.size() < RELAYS_OFFERED_MAX) offered.push_back("relay:" + place);
    }
    node->offerRelays(kj::mv(offered));
  }

  void addPlugins() {
    auto below = options.plugins.empty() ? kj::str(home.path(), "/plugins")
                                         : kj::str(options.plugins.c_str());
    auto path = disk->getCurrentPath().evalNative(below);
    KJ_IF_MAYBE(folder, disk->getRoot().tryOpenSubdir(path)) node->addPlugins(**folder);
  }

  kj::Promise<void> serveLocally() {
    auto path = local::socketPath(home.path());
    auto folder = kj::str(path.slice(0, KJ_ASSERT_NONNULL(path.findLast('/'))));
    mkdir(folder.cStr(), 0700);
    auto address = co_await network.parseAddress(kj::str("unix:", path));
    server = kj::heap<local::Server>(*node, uv.timer());
    server->serve(address->listen(), getuid());
  }
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The Hearth daemon of this device.");
  Options options;
  app.add_option("--home", options.home, "where this device's Hearth lives");
  app.add_option(
      "--listen", options.listen, "HOST:PORT for other devices, in place of the stored one");
  app.add_option("--listen-tls", options.listenTls,
      "HOST:PORT for other devices on networks that let only TLS pass; none without it");
  app.add_option("--plugins", options.plugins, "a folder of plugins, in place of HOME/plugins");
  app.add_option(
      "--microphone", options.microphone, "a WAV file that stands in for the microphone");
  app.add_option("--trace", options.trace, "append structured events to this file, as JSON lines");
  app.add_option("--passphrase-file", options.passphraseFile,
      "the first line of this file opens this device's keys; -: of standard input");
  app.add_option("--blob-room-gib", options.blobRoomGib,
         "room for blobs: with less, copies go that other devices keep")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 20));
  app.add_option("--vault-room-gib", options.vaultRoomGib,
         "room for what other devices put on this one, if it is a VAULT")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 20));
  app.add_flag("--no-discovery", options.noDiscovery, "call remembered addresses only");
  app.add_flag("--map-port", options.mapPort,
      "ask the router (NAT-PMP, UPnP) to let calls from outside through to this device");
  app.add_flag("--relay", options.relay,
      "be a blind relay, for devices that reach each other by no other way; needs no circle");
  app.add_option(
      "--relay-mib-s", options.relayMibPerS, "what the relay carries in a second, at most");
  app.add_flag("--foreground", options.foreground, "stay in the terminal (the only way so far)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help
    std::cerr << "hearthd: " << e.what() << ": see hearthd --help\n";
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  harden();
  try {
    if (options.relay) {
      Relay(options).run();
      return 0;
    }
    if (options.home.empty()) options.home = local::defaultHome().cStr();
    Daemon(options).run();
    return 0;
  } catch (const kj::Exception& e) {
    std::cerr << "hearthd: " << e.getDescription().cStr() << "\n";
    return 1;
  }
}
