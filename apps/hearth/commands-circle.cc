// init and join: how a device comes to its circle. No daemon runs yet, so they open the home
// themselves.

#include "apps/hearth/commands.h"
#include "apps/home/home.h"
#include "crypto/identity/display.h"
#include "crypto/pairing/lock.h"
#include "devices/node/circle-keeper.h"
#include "devices/node/pairing.h"
#include "storage/tables/peers.h"
#include "storage/tables/settings.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>

#include <fcntl.h>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace hearth::cli {

namespace {

constexpr size_t WORDS_ASKED_BACK = 3;
constexpr kj::StringPtr LOCK_SETTING = "pairing-lock"_kj;

uint32_t flagsOf(const std::string& deviceClass) {
  bool battery = deviceClass == "watch" || deviceClass == "phone";
  return crypto::Bundle::EXECUTES | (battery ? crypto::Bundle::BATTERY : 0);
}

[[noreturn]] void alreadyIn(const apps::Home& home) {
  throw Failure{FAILED,
      std::string(home.path().cStr()) +
          " belongs to a circle already: use another --home, or start hearthd"};
}

bool hasCircle(apps::Home& home, UvLoop& uv, storage::Store& store) {
  (void)home;
  auto stored = devices::CircleKeeper::read(store).wait(uv.waitScope);
  if (!stored) throw failureOf(stored.error());
  return *stored != nullptr;
}

// An identity that an interrupted init or join has left behind is taken up again.
devices::Identity identityOf(apps::Home& home, const std::string& deviceClass) {
  auto loaded = home.loadIdentity();
  KJ_IF_MAYBE(found, loaded) return kj::mv(*found);
  return devices::Identity::create(
      home.directory(), home.keys(), home.entropy(), flagsOf(deviceClass));
}

void writeRecovery(const std::string& path, const crypto::Secret& words) {
  int fd = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) throw Failure{FAILED, path + " is there already or cannot be made: name a new file"};
  kj::AutoCloseFd owned(fd);
  kj::FdOutputStream out(fd);
  out.write(words.reveal().begin(), words.reveal().size());
  out.write("\n", 1);
  if (fsync(fd) != 0) throw Failure{FAILED, path + " could not be written to disk"};
}

std::vector<std::string> splitWords(const crypto::Secret& words) {
  std::istringstream in(std::string(words.reveal().asChars().begin(), words.reveal().size()));
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

// The words are the only copy: a person who cannot give three of them has not written them down.
void showAndAskBack(const crypto::Secret& words, Entropy& entropy) {
  auto all = splitWords(words);
  std::cout << "These 24 words bring your circle back when every device is lost. Write them down; "
               "they are never shown again.\n\n";
  for (size_t i = 0; i < all.size(); ++i)
    std::cout << (i + 1 < 10 ? " " : "") << i + 1 << " " << all[i] << ((i + 1) % 6 ? "\t" : "\n");
  std::set<size_t> asked;
  while (asked.size() < WORDS_ASKED_BACK) asked.insert(entropy.draw<uint32_t>() % all.size());
  for (auto index: asked) {
    std::cout << "\nWord " << index + 1 << ": " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != all[index])
      throw Failure{FAILED, "that is another word; nothing was made: run hearth init again"};
  }
}

crypto::PairingLock readLock(storage::Store& store, UvLoop& uv) {
  auto stored =
      store.read([](storage::Database& db) { return storage::settings::get(db, LOCK_SETTING); })
          .wait(uv.waitScope);
  KJ_IF_MAYBE(bytes, stored) {
    if (bytes->size() == 2)
      return crypto::PairingLock::restored((*bytes)[0], (*bytes)[1] != 0, uv.timer().now());
  }
  return {};
}

kj::Promise<void> writeLock(storage::Store& store, const crypto::PairingLock& lock, bool locked) {
  return store.write([failures = lock.failures, locked](storage::Database& db) {
    kj::byte value[] = {failures, locked};
    storage::settings::set(db, LOCK_SETTING, value);
  });
}

void rememberHints(storage::Store& store, UvLoop& uv, const crypto::PairingJoiner::Joined& joined) {
  std::map<DeviceId, storage::PeerRow> rows;
  for (auto& hint: joined.hints) {
    auto& row = rows[hint.device];
    row.device = hint.device;
    row.addresses.emplace_back(hint.address.cStr());
  }
  store
      .write([rows = kj::mv(rows)](storage::Database& db) {
        for (auto& [id, row]: rows) storage::peers::put(db, row);
      })
      .wait(uv.waitScope);
}

void showCode(
    const Common& common, const std::string& code, const std::vector<std::string>& addresses) {
  if (common.json) {
    printJson({{"event", "waiting"}, {"code", code}, {"addresses", addresses}});
    return;
  }
  std::cout << "On a device that is an admin of your circle, run:\n\n";
  for (auto& address: addresses)
    std::cout << "  hearth pair \"" << code << "\" --at " << address << "\n";
  std::cout << "\nWaiting two minutes." << std::endl;
}

}  // namespace

int init(const Common& common, const InitOptions& options) {
  apps::Home home(common.home.c_str());
  UvLoop uv;
  auto settings = apps::withDefaults({options.name, options.deviceClass, options.listen});
  auto identity = identityOf(home, settings.deviceClass);
  auto store = home.openStore(identity);
  if (hasCircle(home, uv, *store)) alreadyIn(home);
  auto seed = crypto::RecoverySeed::draw(home.entropy());
  auto words = crypto::recoveryWords(seed);
  if (options.recoveryOut.empty()) {
    showAndAskBack(words, home.entropy());
  } else {
    writeRecovery(options.recoveryOut, words);
  }
  apps::writeSettings(*store, settings).wait(uv.waitScope);
  devices::CircleKeeper::found(crypto::RecoveryKeys::fromSeed(seed), identity, *store,
      kj::systemPreciseCalendarClock(), home.entropy())
      .wait(uv.waitScope);
  auto id = crypto::display(identity.keys.id);
  if (common.json) {
    printJson({{"device_id", id.cStr()}, {"name", settings.name}});
  } else {
    std::cout << settings.name << " is the first device of a new circle:\n  " << id.cStr()
              << "\nStart it with hearthd; bring others in with hearth join --code there.\n";
  }
  return DONE;
}

int join(const Common& common, const JoinOptions& options) {
  apps::Home home(common.home.c_str());
  UvLoop uv;
  auto settings = apps::withDefaults({options.name, options.deviceClass, options.listen});
  auto identity = identityOf(home, settings.deviceClass);
  auto store = home.openStore(identity);
  if (hasCircle(home, uv, *store)) alreadyIn(home);
  auto lock = readLock(*store, uv);
  if (auto admitted = lock.admit(uv.timer().now()); !admitted) throw failureOf(admitted.error());

  transport::UvNetwork network(uv.port);
  auto receiver = network.parseAddress(settings.listen.c_str()).wait(uv.waitScope)->listen();
  auto code = crypto::PairingCode::draw(home.entropy());
  showCode(common, std::string(code.reveal().asChars().begin(), code.reveal().size()),
      apps::reachableAt(settings.listen, receiver->getPort()));
  crypto::EphemeralGuard guard([]() { KJ_FAIL_REQUIRE("an ephemeral key came twice"); });
  crypto::PairingJoiner::Setup setup{identity.keys, identity.bundle, code};
  auto joined = devices::waitForAdmin(
      uv.timer(), *receiver, setup, home.entropy(), guard, [&]() -> kj::Promise<bool> {
        bool locked = lock.fail(uv.timer().now());
        std::cerr << "hearth: somebody tried a wrong code" << std::endl;
        return writeLock(*store, lock, locked).then([locked]() { return !locked; });
      }).wait(uv.waitScope);
  if (!joined) throw failureOf(joined.error());

  auto stored =
      devices::CircleKeeper::join(joined->circle, joined->log, identity, *store).wait(uv.waitScope);
  if (!stored) throw failureOf(stored.error());
  lock.succeed();
  writeLock(*store, lock, false).wait(uv.waitScope);
  rememberHints(*store, uv, *joined);
  apps::writeSettings(*store, settings).wait(uv.waitScope);
  auto id = crypto::display(identity.keys.id);
  if (common.json) {
    printJson({{"event", "joined"}, {"device_id", id.cStr()}, {"name", settings.name}});
  } else {
    std::cout << settings.name << " is in the circle:\n  " << id.cStr()
              << "\nStart it with hearthd.\n";
  }
  return DONE;
}

}  // namespace hearth::cli
