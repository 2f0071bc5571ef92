#include "crypto/membership/waiting.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::crypto {

namespace {

template <typename Key>
void countDown(std::map<Key, size_t>& counts, const Key& key) {
  auto count = counts.find(key);
  if (--count->second == 0) counts.erase(count);
}

}  // namespace

WaitingOps& WaitingOps::operator=(const WaitingOps& other) {
  if (this == &other) return *this;
  ops = other.ops;
  wanted = other.wanted;
  byAuthor = other.byAuthor;
  bytes = other.bytes;
  places.clear();
  for (auto op = ops.begin(); op != ops.end(); ++op) places[op->hash] = op;
  return *this;
}

void WaitingOps::put(SealedOp&& op) {
  if (places.contains(op.hash)) return;
  bytes += op.envelope.size();
  ++byAuthor[op.op.author];
  for (auto& hash: op.before()) ++wanted[hash];
  ops.push_back(kj::mv(op));
  places[ops.back().hash] = std::prev(ops.end());
  while (ops.size() > OPS_MAX || bytes > BYTES_MAX) makeRoom();
}

SealedOp WaitingOps::take(const OpHash& hash) {
  auto found = places.find(hash);
  KJ_REQUIRE(found != places.end(), "an op that does not wait");
  auto taken = *found->second;
  drop(found->second);
  return taken;
}

const SealedOp* WaitingOps::find(const OpHash& hash) const {
  auto found = places.find(hash);
  return found == places.end() ? nullptr : &*found->second;
}

void WaitingOps::drop(Place op) {
  bytes -= op->envelope.size();
  countDown(byAuthor, op->op.author);
  for (auto& hash: op->before()) countDown(wanted, hash);
  places.erase(op->hash);
  ops.erase(op);
}

void WaitingOps::makeRoom() {
  auto most = std::ranges::max_element(byAuthor, {}, [](auto& entry) { return entry.second; });
  auto author = most->first;
  drop(std::ranges::find_if(ops, [&](auto& op) { return op.op.author == author; }));
}

}  // namespace hearth::crypto
