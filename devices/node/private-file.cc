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
  // The new name is durable when its folder is, and that in its own.
  for (auto folder = path.parent(); folder.size() > 0; folder = folder.parent())
    home.openSubdir(folder, kj::WriteMode::MODIFY)->sync();
  home.sync();
}

}  // namespace hearth::devices
