#pragma once
// One stage's memory of where it can be cut. Input lineages come in, cuts of the plugin come in,
// lineages for output frames and commits for the producers come out.

#include "router/run/frame.h"

#include <deque>

namespace hearth::router {

class Checkpoints final {
 public:
  // More cuts than this without a commit: the oldest but one is forgotten, which costs a longer
  // replay and nothing else.
  static constexpr size_t CUTS_MAX = 4'096;

  // A stage that starts at `origin`: its inputs begin behind origin.inUpto.
  Checkpoints(Checkpoint origin, Lineage upstream);

  // A frame with a lineage has come in on `port`.
  void received(size_t port, uint64_t seq, const Lineage& lineage);

  // The plugin cuts behind its output frame `outSeq`. Gives the lineage for that frame.
  // Errors: BAD_FORMAT when the cut goes backwards or names another number of inputs.
  Result<Lineage> cut(uint64_t outSeq, std::vector<uint64_t> inUpto, std::vector<kj::byte> state);

  // The consumers have committed output up to `outSeq`. Gives the inputs that are no longer
  // needed, by port, when that is more than before.
  kj::Maybe<std::vector<uint64_t>> committed(uint64_t outSeq);

 private:
  struct Arrival {
    uint64_t seq;
    Lineage lineage;
  };
  StageIndex stage;
  std::vector<std::deque<Arrival>>
      arrivals;                 // by port, ascending; front: the newest that a cut took
  std::deque<Checkpoint> cuts;  // ascending; front: the newest committed
};

}  // namespace hearth::router
