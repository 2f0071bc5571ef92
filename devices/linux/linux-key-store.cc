#include "devices/linux/file-key-store.h"

#include "devices/node/private-file.h"

#include <kj/debug.h>

namespace hearth::devices {

crypto::PlatformRoot FileKeyStore::platformRoot() {
  kj::Path path{"keys", "platform-root"};
  KJ_IF_MAYBE(found, readPrivate(home, path)) {
    auto root = crypto::PlatformRoot::from(*found);
    crypto::wipe(*found);
    KJ_REQUIRE(root.has_value(), "keys/platform-root is damaged: restore it from a backup");
    return kj::mv(*root);
  }
  auto root = crypto::PlatformRoot::draw(entropy);
  writePrivate(home, path, root.reveal());
  return root;
}

}  // namespace hearth::devices
