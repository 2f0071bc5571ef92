#include "simulator/fleet/daemon.h"

#include "devices/node/joining.h"
#include "devices/node/rotation.h"
#include "storage/tables/hearth-db.h"
#include "storage/tables/peers.h"

#include <kj/debug.h>

namespace hearth::sim {

namespace {

uint32_t bundleFlags(const Profile& profile, bool hasAes) {
  return crypto::Bundle::EXECUTES | (profile.hasBattery() ? crypto::Bundle::BATTERY : 0) |
      (hasAes ? crypto::Bundle::AES_HW : 0);
}

DeviceId rootOf(Chance chance) {
  SeededEntropy entropy(chance);
  return entropy.draw<DeviceId>();
}

[[noreturn]] void refused(const Error& error) {
  kj::throwFatalException(kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__,
      kj::str(nameOf(error.code), ": ", error.because)));
}

// The new device's screen: six words, for as many attempts as come.
class CodeOnScreen final: public devices::JoiningPerson {
 public:
  explicit CodeOnScreen(Entropy& entropy): code(crypto::PairingCode::draw(entropy)) {}

  kj::String text() const {
    return kj::str(std::get<crypto::PairingCode>(code).reveal().asChars());
  }

  const crypto::PairingMeans& show() override { return code; }
  kj::Promise<bool> compare(const crypto::Sas&) override { KJ_UNREACHABLE; }
  void guessed() override {}
  void waits() override {}

 private:
  crypto::PairingMeans code;
};

}  // namespace

kj::Promise<void> SimExecutor::execute(kj::Function<void()> work) {
  auto before = disk.syncs;
  co_await inner.execute(kj::mv(work));
  auto synced = static_cast<int64_t>(disk.syncs - before);
  if (synced > 0 && disk.syncTakes > 0 * kj::SECONDS)
    co_await timer.afterDelay(synced * disk.syncTakes);
}

const crypto::PlatformRoot& SimKeyStore::platformRoot() {
  if (locked)
    kj::throwFatalException(
        KJ_EXCEPTION(FAILED, "the key store is locked: unlock the device, and Hearth starts"));
  return root;
}

Daemon::Daemon(DaemonParts partsIn)
    : parts(kj::mv(partsIn)),
      home(parts.disk.directory()),
      keyStore(rootOf(parts.chance), parts.keysLocked),
      vfs(*home, parts.entropy, parts.time.clock()),
      identity(openIdentity()),
      executor(parts.time.timer(), parts.disk),
      store(openStore()),
      engines(parts.time.timer(), parts.engineChance, parts.processor, parts.profile.tasks,
          parts.engineFaults),
      system(describeSystem()) {}

Daemon::~Daemon() noexcept(false) = default;

devices::Identity Daemon::openIdentity() {
  auto loaded = devices::Identity::load(*home, keyStore);
  if (!loaded) refused(loaded.error());
  KJ_IF_MAYBE(found, *loaded) return kj::mv(*found);
  return devices::Identity::create(
      *home, keyStore, parts.entropy, bundleFlags(parts.profile, parts.hasAes));
}

kj::Own<storage::Store> Daemon::openStore() {
  auto database =
      storage::Database::open(vfs, storage::HEARTH_DB, identity.database, storage::HEARTH_SCHEMA);
  if (!database) refused(database.error());
  return kj::heap<storage::Store>(executor, kj::mv(*database));
}

kj::Own<const kj::Directory> Daemon::describeSystem() const {
  auto root = kj::newInMemoryDirectory(kj::nullClock());
  constexpr auto MODE = kj::WriteMode::CREATE | kj::WriteMode::CREATE_PARENT;
  auto put = [&](kj::StringPtr path, kj::String text) {
    root->openFile(kj::Path::parse(path), MODE)->writeAll(text);
  };
  put("proc/meminfo", kj::str("MemTotal: ", parts.profile.memoryBytes / 1'024, " kB\n"));
  if (parts.onBattery) {
    put("sys/class/power_supply/BAT0/capacity",
        kj::str(static_cast<int>(parts.batteryLevel * 100), '\n'));
    put("sys/class/power_supply/BAT0/status", kj::str("Discharging\n"));
  }
  return root;
}

std::expected<devices::StoredCircle, std::string> Daemon::afterPowerLoss() {
  SeededEntropy nobodys(Chance(0));
  SimDisk copy(Chance(0));
  copy.restore(parts.disk.afterPowerCut());
  auto directory = copy.directory();
  storage::DirectoryVfs copyVfs(*directory, nobodys, parts.time.clock());
  std::expected<devices::StoredCircle, std::string> found = std::unexpected("it has no circle");
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() {
                auto database = storage::Database::open(
                    copyVfs, storage::HEARTH_DB, identity.database, storage::HEARTH_SCHEMA);
                if (!database) refused(database.error());
                auto stored = devices::StoredCircle::readFrom(**database);
                if (!stored) refused(stored.error());
                KJ_IF_MAYBE(circle, *stored) found = kj::mv(*circle);
              })) {
    return std::unexpected(std::string(e->getDescription().cStr()));
  }
  return found;
}

kj::Promise<void> Daemon::init() {
  auto seed = crypto::RecoverySeed::draw(parts.entropy);
  co_await devices::StoredCircle::found(
      crypto::RecoveryKeys::fromSeed(seed), identity, *store, parts.time.clock(), parts.entropy);
}

kj::Promise<Result<void>> Daemon::join(kj::Function<void(kj::String)> shown) {
  auto address = co_await parts.network.parseAddress(kj::str("*:", HEARTH_PORT));
  auto receiver = address->listen();
  CodeOnScreen person(parts.entropy);
  shown(person.text());
  co_return co_await devices::joinCircle(
      parts.time.timer(), *receiver, identity, *store, parts.entropy, person);
}

kj::Promise<Result<bool>> Daemon::run() {
  auto stored = co_await devices::StoredCircle::read(*store);
  if (!stored) co_return no(stored.error());
  auto circle = kj::mv(*stored);
  if (circle == nullptr) co_return false;
  auto settled = devices::settleIdentity(*home, kj::mv(identity), KJ_ASSERT_NONNULL(circle));
  if (!settled) co_return no(settled.error());
  identity = kj::mv(*settled);
  parts.becomes(identity.keys.id);
  auto peers = co_await store->read([](storage::Database& db) { return storage::peers::all(db); });
  auto address = co_await parts.network.parseAddress(kj::str("*:", HEARTH_PORT));
  devices::NodeConfig config{
      .name = parts.name,
      .deviceClass = parts.profile.deviceClass,
      .cores = parts.profile.cores,
      .addresses = parts.addresses,
      .port = HEARTH_PORT,
      .keyStore = keyStore.describe().cStr(),
      .hasAes = parts.hasAes,
  };
  KJ_IF_MAYBE(recording, parts.microphone)
    config.microphone = devices::Recording{kj::heapArray<const int16_t>(recording->samples)};
  localLink = kj::heap<SimLocalLink>(parts.link);
  running = kj::heap<devices::Node>(
      devices::Seams{parts.time.timer(), parts.time.clock(), parts.trace, parts.entropy,
          parts.network, *store, engines, *system, *home, executor, executor, *localLink,
          parts.counter, parts.folders, parts.outlook},
      identity, kj::mv(config), kj::mv(KJ_ASSERT_NONNULL(circle)), kj::mv(peers));
  running->addPlugins(parts.plugins);
  co_await running->prepare();
  running->serve(address->listen());
  if (parts.takesDatagrams) running->serveDatagrams(address->bindDatagramPort());
  server = kj::heap<local::Server>(*running, parts.time.timer());
  starting = running->start().eagerlyEvaluate(
      [this](kj::Exception&& e) { parts.fails(e.getDescription()); });
  following = followNetworks().eagerlyEvaluate(
      [](kj::Exception&& e) { KJ_LOG(ERROR, "changes of network are not followed any more", e); });
  renewing = renewed().eagerlyEvaluate(
      [](kj::Exception&& e) { KJ_LOG(ERROR, "a daemon could not go on under other keys", e); });
  co_return true;
}

kj::Promise<void> Daemon::runFalsely() {
  auto stored = co_await devices::StoredCircle::read(*store);
  if (!stored) refused(stored.error());
  auto circle = kj::mv(*stored);
  KJ_REQUIRE(circle != nullptr, "a device without a circle is of no use to anybody");
  auto peers = co_await store->read([](storage::Database& db) { return storage::peers::all(db); });
  auto address = co_await parts.network.parseAddress(kj::str("*:", HEARTH_PORT));
  thief = kj::heap<FalseAdmin>(FalseAdmin::Surroundings{parts.time.timer(), parts.time.clock(),
                                   parts.entropy, parts.network, *store, *home, executor, identity},
      kj::mv(KJ_ASSERT_NONNULL(circle)), kj::mv(peers), address->listen());
}

// As hearthd does: the same process, begun anew.
kj::Promise<void> Daemon::renewed() {
  co_await running->keysReplaced();
  starting = nullptr;
  following = nullptr;
  server = nullptr;
  running = nullptr;
  localLink = nullptr;
  identity = openIdentity();
  // From its own turn: it replaces this promise.
  beginning = kj::evalLater([this]() { return run(); })
                  .then([](Result<bool> ran) {
                    if (!ran) KJ_LOG(ERROR, "a daemon is not there any more", ran.error().because);
                  })
                  .eagerlyEvaluate(
                      [](kj::Exception&& e) { KJ_LOG(ERROR, "a daemon could not begin anew", e); });
}

// As hearthd's AddressWatch. Others know every place at which the device may be from the beginning.
kj::Promise<void> Daemon::followNetworks() {
  auto& terrain = parts.link.wire.terrain;
  auto self = parts.link.host.index();
  auto known = terrain.attachments(self);
  for (;;) {
    co_await terrain.changed();
    if (terrain.attachments(self) == known) continue;
    co_await parts.time.timer().afterDelay(NETWORKS_SETTLE);
    if (terrain.attachments(self) == known) continue;
    known = terrain.attachments(self);
    running->movedTo(parts.addresses);
  }
}

kj::Own<kj::AsyncIoStream> Daemon::connect() {
  if (server.get() == nullptr)
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "no daemon listens there"));
  auto pipe = kj::newTwoWayPipe();
  server->welcome(kj::mv(pipe.ends[0]));
  return kj::mv(pipe.ends[1]);
}

}  // namespace hearth::sim
