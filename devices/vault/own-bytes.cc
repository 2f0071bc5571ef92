#include "devices/vault/own-bytes.h"

#include <kj/debug.h>

#include <utility>

namespace hearth::devices {

using crypto::Buffer;
using storage::AskedPart;

namespace {
constexpr Error GONE{Errc::STALE, "the blob is not here any more"_kj};
}

// As many of the first ones as are given; an error where the very first is not here.
kj::Promise<Result<std::vector<Buffer>>> OwnBytes::partsOf(
    std::vector<AskedPart> asked, size_t mostBytes) {
  auto found = co_await exchange.ownParts(kj::mv(asked), mostBytes);
  std::vector<Buffer> parts;
  for (auto& part: found) {
    KJ_IF_MAYBE(there, part) {
      parts.push_back(kj::mv(there->bytes));
    } else {
      break;
    }
  }
  if (parts.empty()) co_return no(GONE);
  co_return kj::mv(parts);
}

kj::Promise<Result<void>> OwnBytes::open(storage::Expected expected, uint64_t offset) {
  auto encoded = co_await partsOf({{ref.contentId(), 0, expected.level, offset}}, AT_ONCE_BYTES);
  if (!encoded) co_return no(encoded.error());
  auto node = storage::verifyNode(expected, encoded->front());
  if (!node) co_return no(GONE);
  path.push_back({kj::mv(*node), expected.last, offset});
  co_return Result<void>();
}

kj::Promise<Result<Buffer>> OwnBytes::next() {
  auto top = storage::expectedTop(ref);
  if (!std::exchange(isBegun, true)) {
    if (top.level == 0) {
      auto whole = co_await partsOf({{ref.contentId(), 0, 0, 0}}, AT_ONCE_BYTES);
      if (!whole) co_return no(whole.error());
      if (!storage::verifyChunk(top, whole->front())) co_return no(GONE);
      co_return kj::mv(whole->front());
    }
    if (auto opened = co_await open(top, 0); !opened) co_return no(opened.error());
  }
  while (!path.empty() && path.back().child == path.back().node.children.size()) path.pop_back();
  KJ_REQUIRE(!path.empty(), "a blob has ended");
  while (path.back().node.level > 1) {
    auto& above = path.back();
    auto below = storage::expectedChild(above.node, above.child++, above.isLast);
    auto offset = above.offset;
    above.offset += below.part.length;
    if (auto opened = co_await open(below, offset); !opened) co_return no(opened.error());
  }
  auto& node = path.back();
  std::vector<AskedPart> asked;
  uint64_t offset = node.offset;
  size_t bytes = 0;
  for (auto i = node.child; i < node.node.children.size() && bytes < AT_ONCE_BYTES; ++i) {
    asked.push_back({ref.contentId(), 0, 0, offset});
    offset += node.node.children[i].length;
    bytes += node.node.children[i].length;
  }
  auto chunks = co_await partsOf(kj::mv(asked), AT_ONCE_BYTES);
  if (!chunks) co_return no(chunks.error());
  kj::Vector<kj::byte> joined;
  for (auto& chunk: *chunks) {
    auto expected = storage::expectedChild(node.node, node.child++, node.isLast);
    if (!storage::verifyChunk(expected, chunk)) co_return no(GONE);
    joined.addAll(chunk);
    node.offset += chunk.size();
  }
  co_return joined.releaseAsArray();
}

}  // namespace hearth::devices
