#include "devices/node/private-file.h"

#include <kj/debug.h>

namespace hearth::devices {

kj::Maybe<crypto::Buffer> readPrivate(const kj::Directory& home, kj::PathPtr path) {
  KJ_IF_MAYBE(file, home.tryOpenFile(path)) {
    auto size = (*file)->stat().size;
    KJ_REQUIRE(size <= PRIVATE_FILE_BYTES_MAX, "a private file over its limit", path);
    return (*file)->readAllBytes();
  }
  return nullptr;
}

void writePrivate(const kj::Directory& home, kj::PathPtr path, crypto::Bytes content) {
  auto mode = kj::WriteMode::CREATE | kj::WriteMode::MODIFY | kj::WriteMode::CREATE_PARENT |
      kj::WriteMode::PRIVATE;
  auto replacer = home.replaceFile(path, mode);
  replacer->get().writeAll(content);
  replacer->get().sync();
  replacer->commit();
  // The new name is durable when its directory is.
  if (path.size() == 1) return home.sync();
  home.openSubdir(path.parent(), kj::WriteMode::MODIFY)->sync();
}

}  // namespace hearth::devices
