#include "router/run/checkpoints.h"

#include <kj/debug.h>

namespace hearth::router {

Checkpoints::Checkpoints(Checkpoint origin, Lineage upstream): stage(origin.stage) {
  for (auto upto: origin.inUpto) arrivals.push_back({{upto, upstream}});
  cuts.push_back(kj::mv(origin));
}

void Checkpoints::received(size_t port, uint64_t seq, const Lineage& lineage) {
  KJ_REQUIRE(port < arrivals.size(), port);
  arrivals[port].push_back({seq, lineage});
}

Result<Lineage> Checkpoints::cut(
    uint64_t outSeq, std::vector<uint64_t> inUpto, std::vector<kj::byte> state) {
  auto& last = cuts.back();
  if (inUpto.size() != arrivals.size() || outSeq < last.outSeq)
    return no(Errc::BAD_FORMAT, "a cut that does not fit the stage");
  for (size_t port = 0; port < inUpto.size(); ++port) {
    if (inUpto[port] < last.inUpto[port]) return no(Errc::BAD_FORMAT, "a cut that goes backwards");
  }
  Checkpoint checkpoint{stage, outSeq, kj::mv(inUpto), kj::mv(state)};
  Lineage lineage = {checkpoint};
  for (size_t port = 0; port < arrivals.size(); ++port) {
    auto& queue = arrivals[port];
    while (queue.size() > 1 && queue[1].seq <= checkpoint.inUpto[port]) queue.pop_front();
    join(lineage, queue.front().lineage);
  }
  if (cuts.size() >= CUTS_MAX) cuts.erase(cuts.begin() + 1);
  cuts.push_back(kj::mv(checkpoint));
  return lineage;
}

kj::Maybe<std::vector<uint64_t>> Checkpoints::committed(uint64_t outSeq) {
  bool moved = false;
  while (cuts.size() > 1 && cuts[1].outSeq <= outSeq) {
    cuts.pop_front();
    moved = true;
  }
  if (!moved) return nullptr;
  return cuts.front().inUpto;
}

}  // namespace hearth::router
