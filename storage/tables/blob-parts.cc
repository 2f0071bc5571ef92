#include "storage/tables/blob-parts.h"

namespace hearth::storage::blobs {

kj::Maybe<TreeWalk::Found> TreeWalk::find(const BlobRef& ref, uint8_t level, uint64_t offset) {
  auto at = expectedTop(ref);
  uint64_t begin = 0;
  while (at.level > level) {
    auto node = nodeOf(at);
    if (node == nullptr) return nullptr;
    size_t child = 0;
    while (child < node->children.size() && offset >= begin + node->children[child].length)
      begin += node->children[child++].length;
    if (child == node->children.size()) return nullptr;
    at = expectedChild(*node, child, at.last);
  }
  if (at.level != level || begin != offset) return nullptr;
  Found found{at.part, nullptr};
  if (level == 0) return kj::mv(found);
  auto node = nodeOf(at);
  if (node == nullptr) return nullptr;
  found.node = node->encode();
  return kj::mv(found);
}

const BlobNode* TreeWalk::nodeOf(const Expected& expected) {
  auto known = nodes.find(expected.part.hash);
  if (known != nodes.end()) return &known->second;
  KJ_IF_MAYBE(encoded, node(db, expected.part.hash)) {
    auto read = verifyNode(expected, *encoded);
    if (read) return &nodes.emplace(expected.part.hash, kj::mv(*read)).first->second;
  }
  return nullptr;
}

}  // namespace hearth::storage::blobs
