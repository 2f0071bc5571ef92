#include "storage/crdt/op.h"

#include "storage/crdt/rope.h"

namespace hearth::storage {

void dropFirst(Op& op, uint32_t events) {
  KJ_REQUIRE(op.isOfText() && events < op.count, "an edit of which nothing would be left");
  op.count -= events;
  if (op.kind == Op::Kind::TYPE) {
    op.at += events;
    op.content.erase(0, bytesOf(op.content, events));
  } else if (op.kind == Op::Kind::BACKSPACE) {
    op.at -= events;
  }
}

void appendWithinLimits(std::vector<Op>& ops, Op op) {
  while (op.isOfText() && op.count > op.pointsMax()) {
    auto part = op;
    part.count = op.pointsMax();
    part.content.resize(bytesOf(part.content, part.count));
    dropFirst(op, part.count);
    ops.push_back(std::move(part));
  }
  ops.push_back(std::move(op));
}

}  // namespace hearth::storage
