#include "apps/home/home.h"

#include "storage/tables/hearth-db.h"
#include "storage/tables/settings.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hearth::apps {

namespace {

constexpr kj::StringPtr NAME = "name"_kj, CLASS = "class"_kj, LISTEN = "listen"_kj;

void makePrivateFolder(kj::StringPtr path) {
  for (size_t i = 1; i <= path.size(); ++i) {
    if (i < path.size() && path[i] != '/') continue;
    auto part = kj::str(path.slice(0, i));
    if (mkdir(part.cStr(), 0700) != 0 && errno != EEXIST)
      KJ_FAIL_REQUIRE("the home cannot be made", part, strerror(errno));
  }
}

kj::AutoCloseFd lockHome(kj::StringPtr path) {
  auto file = kj::str(path, "/hearth.lock");
  int fd = open(file.cStr(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {
    kj::throwFatalException(kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__,
        kj::str(file, " cannot be opened: ", strerror(errno))));
  }
  kj::AutoCloseFd owned(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    kj::throwFatalException(kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__,
        kj::str("another hearthd or hearth uses ", path, ": stop it first")));
  }
  return owned;
}

kj::Own<const kj::Directory> openFolder(kj::Filesystem& disk, kj::StringPtr path) {
  makePrivateFolder(path);
  auto native = disk.getCurrentPath().evalNative(path);
  return disk.getRoot().openSubdir(native, kj::WriteMode::MODIFY);
}

[[noreturn]] void refuse(const Error& error) {
  kj::throwFatalException(kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__,
      kj::str(nameOf(error.code), ": ", error.because)));
}

std::string textOf(kj::Maybe<kj::Array<kj::byte>> value) {
  KJ_IF_MAYBE(bytes, value) return {bytes->asChars().begin(), bytes->size()};
  return {};
}

}  // namespace

Home::Home(kj::StringPtr path, PassphraseInput passphrasesIn)
    : where(kj::str(path)),
      disk(kj::newDiskFilesystem()),
      folder(openFolder(*disk, path)),
      lock(lockHome(path)),
      passphrases(kj::mv(passphrasesIn)),
      keyStore(*folder, chance, passphrases, devices::LinuxKeyStore::systemTcti()),
      vfs(*folder, chance, kj::systemPreciseCalendarClock()) {}

Home::~Home() noexcept(false) = default;

kj::Maybe<devices::Identity> Home::loadIdentity() {
  auto loaded = devices::Identity::load(*folder, keyStore);
  if (!loaded) refuse(loaded.error());
  return kj::mv(*loaded);
}

kj::Own<storage::Store> Home::openStore(const devices::Identity& identity) {
  auto database =
      storage::Database::open(vfs, storage::HEARTH_DB, identity.database, storage::HEARTH_SCHEMA);
  if (!database) refuse(database.error());
  return kj::heap<storage::Store>(storageThread, kj::mv(*database));
}

kj::Promise<void> writeSettings(storage::Store& store, DeviceSettings settings) {
  return store.write([settings = kj::mv(settings)](storage::Database& db) {
    auto put = [&](kj::StringPtr key, const std::string& value) {
      storage::settings::set(db, key, kj::StringPtr(value.c_str()).asBytes());
    };
    put(NAME, settings.name);
    put(CLASS, settings.deviceClass);
    put(LISTEN, settings.listen);
  });
}

kj::Promise<DeviceSettings> readSettings(storage::Store& store) {
  return store.read([](storage::Database& db) {
    return DeviceSettings{textOf(storage::settings::get(db, NAME)),
        textOf(storage::settings::get(db, CLASS)), textOf(storage::settings::get(db, LISTEN))};
  });
}

DeviceSettings withDefaults(DeviceSettings given) {
  char host[256] = "";
  if (given.name.empty() && gethostname(host, sizeof(host) - 1) == 0) given.name = host;
  if (given.name.empty()) given.name = "device";
  if (given.deviceClass.empty()) given.deviceClass = "laptop";
  if (given.listen.empty()) given.listen = DEFAULT_LISTEN;
  return given;
}

std::vector<std::string> reachableAt(const std::string& listen, kj::uint port) {
  constexpr size_t INTERFACES_MAX =
      6;  // peers keep 16 addresses of a device, and each may be one of UDP, too
  auto host = listen.substr(0, listen.rfind(':'));
  auto number = ":" + std::to_string(port);
  std::vector<std::string> addresses;
  if (host != "*" && host != "0.0.0.0" && host != "[::]") {
    addresses.push_back(host + number);
  } else {
    for (auto& address: transport::interfaceAddresses()) {
      if (addresses.size() < INTERFACES_MAX)
        addresses.push_back(std::string(address.cStr()) + number);
    }
  }
  return addresses;
}

bool isLoopback(const std::string& listen) {
  auto host = listen.substr(0, listen.rfind(':'));
  return host.starts_with("127.") || host == "[::1]" || host == "localhost";
}

}  // namespace hearth::apps
