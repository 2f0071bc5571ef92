#include "apps/hearth/newcomer.h"

#include "apps/hearth/output.h"
#include "crypto/membership/sealed-field.h"
#include "crypto/primitives/aead.h"
#include "devices/node/circle-keeper.h"

namespace hearth::cli {

namespace {

uint32_t flagsOf(const std::string& deviceClass) {
  bool battery = deviceClass == "watch" || deviceClass == "phone";
  return crypto::Bundle::EXECUTES | (battery ? crypto::Bundle::BATTERY : 0) |
      (crypto::cpuHasAes() ? crypto::Bundle::AES_HW : 0);
}

devices::Identity identityOf(apps::Home& home, const std::string& deviceClass) {
  auto loaded = home.loadIdentity();
  KJ_IF_MAYBE(found, loaded) return kj::mv(*found);
  return devices::Identity::create(
      home.directory(), home.keys(), home.entropy(), flagsOf(deviceClass));
}

}  // namespace

Newcomer openNewcomer(apps::Home& home, UvLoop& uv, apps::DeviceSettings given) {
  auto settings = apps::withDefaults(kj::mv(given));
  // Others would hear nothing of a device that is called otherwise.
  if (!crypto::isName(settings.name.c_str()))
    throw Failure{USAGE,
        "a name is 1 to 64 bytes of UTF-8, without control characters: give another one with --name"};
  auto identity = identityOf(home, settings.deviceClass);
  auto store = home.openStore(identity);
  auto stored = devices::StoredCircle::read(*store).wait(uv.waitScope);
  if (!stored) throw failureOf(stored.error());
  if (*stored != nullptr)
    throw Failure{FAILED,
        std::string(home.path().cStr()) +
            " belongs to a circle already: use another --home, or start hearthd"};
  return {kj::mv(settings), kj::mv(identity), kj::mv(store)};
}

}  // namespace hearth::cli
