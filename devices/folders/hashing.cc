#include "devices/folders/hashing.h"

#include "storage/folder/text-merge.h"

#include <kj/debug.h>

namespace hearth::devices {

using storage::FileState;
using storage::TreeError;

namespace {
constexpr size_t READ_BYTES = 1 << 20;
}

FileHashing::FileHashing(const storage::Gear& gear)
    : cutter(
          gear, [](const storage::Cut&) {},
          [this](const Digest& hash, crypto::Bytes encoded) {
            nodes.push_back({hash, kj::heapArray<kj::byte>(encoded)});
          }) {}

storage::TreeResult<bool> FileHashing::step(
    storage::FileTree& tree, const storage::FolderPath& path) {
  if (file.get() == nullptr) {
    auto opened = tree.open(path);
    if (!opened) return std::unexpected(opened.error());
    file = kj::mv(*opened);
    auto state = file->state();
    if (!state) return std::unexpected(state.error());
    if (state->kind != FileState::Kind::FILE) return std::unexpected(TreeError::CHANGED);
    if (state->stamp.size > storage::BLOB_BYTES_MAX) return std::unexpected(TreeError::UNSUPPORTED);
    begun = *state;
  }
  auto buffer = kj::heapArray<kj::byte>(kj::min(READ_BYTES, begun.stamp.size + 1));
  for (uint64_t read = 0; read < STEP_BYTES;) {
    auto bytes = file->read(at, buffer);
    if (!bytes) return std::unexpected(bytes.error());
    if (*bytes == 0) {
      auto now = file->state();
      auto attributes = file->attributes();
      if (!now || !attributes) return std::unexpected(TreeError::CHANGED);
      if (now->stamp != begun.stamp || at != begun.stamp.size)
        return std::unexpected(TreeError::CHANGED);
      isStillFresh = now->isFresh;
      if (isStillFresh && at > WRITTEN_AT_ONCE) return std::unexpected(TreeError::CHANGED);
      found = {storage::PathState::Kind::FILE, kj::mv(*attributes), cutter.finish(), {}};
      file = nullptr;
      return true;
    }
    if (at + *bytes > begun.stamp.size) return std::unexpected(TreeError::CHANGED);
    cutter.add(buffer.slice(0, *bytes));
    if (begun.stamp.size <= storage::MERGED_BYTES_MAX)
      text.append(buffer.asChars().begin(), *bytes);
    at += *bytes;
    read += *bytes;
  }
  return false;
}

std::optional<std::string> FileHashing::takeText() {
  if (begun.stamp.size > storage::MERGED_BYTES_MAX || !storage::isText(text)) return std::nullopt;
  return std::exchange(text, {});
}

}  // namespace hearth::devices
