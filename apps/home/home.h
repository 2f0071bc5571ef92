#pragma once
// A device's home directory, opened by one process at a time: the seams that mains build (DESIGN §3),
// and what is kept there.

#include "apps/home/passphrase.h"
#include "core/loop/executor.h"
#include "core/loop/uv-event-port.h"
#include "devices/node/identity.h"
#include "storage/sql/store.h"

#include <string>
#include <vector>

namespace hearth::apps {

struct DeviceSettings {
  std::string name;
  std::string deviceClass;
  std::string listen;  // "HOST:PORT"
};

constexpr const char* DEFAULT_LISTEN = "*:7427";

class Home final {
 public:
  // Makes the directory if need be (mode 0700) and locks it. Throws FAILED with one line when
  // another process holds it.
  Home(kj::StringPtr path, PassphraseInput passphrases);
  ~Home() noexcept(false);

  kj::StringPtr path() const { return where; }
  const kj::Directory& directory() const { return *folder; }
  Entropy& entropy() { return chance; }
  devices::LinuxKeyStore& keys() { return keyStore; }

  // None when the device has none yet. Throws FAILED when it cannot be read.
  kj::Maybe<devices::Identity> loadIdentity();

  // The database of `identity`; the home outlives it. Throws FAILED with one line when it is refused.
  kj::Own<storage::Store> openStore(const devices::Identity& identity);

 private:
  kj::String where;
  SystemEntropy chance;
  kj::Own<kj::Filesystem> disk;
  kj::Own<const kj::Directory> folder;
  kj::AutoCloseFd lock;
  PassphraseInput passphrases;
  devices::LinuxKeyStore keyStore;
  storage::DirectoryVfs vfs;
  ThreadExecutor storageThread;
};

kj::Promise<void> writeSettings(storage::Store& store, DeviceSettings settings);
kj::Promise<DeviceSettings> readSettings(storage::Store& store);

// What a new device is called and taken for when its user does not say.
DeviceSettings withDefaults(DeviceSettings given);

// Where others reach a listener at `listen`: the address itself, or every interface's.
std::vector<std::string> reachableAt(const std::string& listen, kj::uint port);

// Whether nobody but this machine reaches a listener at `listen`.
bool isLoopback(const std::string& listen);

}  // namespace hearth::apps
