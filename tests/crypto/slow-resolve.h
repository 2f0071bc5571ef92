#pragma once
// Resolution as SECURITY.md §5.4 puts it, word by word and as slowly as that takes: sets are std::set,
// every op's state is the resolution of its past by this same function. Written from the text alone;
// it shares with crypto/membership only the parser of ops. What a set means is remembered by the set,
// and nothing else is clever here. For sets of some thirty ops.

#include "tests/crypto/slow-state.h"

#include <string>

namespace hearth::crypto::slow {

struct Fork {
  DeviceId author;
  uint64_t seq;
  Ops ops;
};

struct Resolution {
  Ops kept;
  Ops standing;    // removals and makers
  Ops suspending;  // removals that stand as suspensions
  std::vector<Fork> forks;
  std::set<DeviceId> flooders;
  State state;
};

class Circle final {
 public:
  // An op whose parents have been given. False: it is none by the structural checks of §5.1 that
  // depend on the log (known signers, the author's chain; not the allowance).
  bool give(const SealedOp& sealed);

  Resolution resolve(const Ops& set);
  Resolution all();

  // What is different between this account and `log`'s; empty when they agree.
  std::string compare(const MembershipLog& log);

 private:
  enum class Row { ANY_ADMIN, UNMAKE, MAKE, OWN, RECOVERY };
  struct Known {
    SealedOp sealed;
    Payload payload;
    std::optional<Bundle> bundle;
    Ops past;
  };
  struct Judgement {  // in state(op)
    bool authorised = false;
    Row row = Row::ANY_ADMIN;
    int weight = 0;
    Ops rests;
  };
  struct Node {
    std::optional<size_t> op;
    std::optional<Fork> fork;
  };

  std::vector<Known> ops;
  std::map<OpHash, size_t> places;
  std::map<size_t, Judgement> judgements;
  std::map<Ops, Resolution> resolutions;

  const Op& op(size_t o) const { return ops[o].sealed.op; }
  template <typename P>
  const P* as(size_t o) const {
    return std::get_if<P>(&ops[o].payload);
  }
  bool inPast(size_t a, size_t of) const { return ops[of].past.contains(a); }
  bool concurrent(size_t a, size_t b) const { return a != b && !inPast(a, b) && !inPast(b, a); }
  bool signedBy(size_t o, const DeviceId& id) const;

  const Judgement& judge(size_t o);
  Row rowIn(const State& state, size_t o) const;
  int weightIn(const State& state, size_t o) const;
  bool mayDo(const State& state, size_t o) const;
  bool hasSomethingToDo(const State& state, size_t o) const;
  Ops restsOf(size_t o, const Resolution& before, Row row, int weight);

  bool grave(size_t o) { return judge(o).row == Row::UNMAKE || judge(o).row == Row::MAKE; }
  bool isRemoval(size_t o);
  bool isMaker(size_t o);
  DeviceId targetOf(size_t removal) const;
  std::vector<Fork> forksOf(const Ops& set) const;
  // docs/adr/0071, in its own words.
  std::set<DeviceId> floodersOf(const Ops& set) const;
  Ops withoutFloods(const Ops& set, const std::set<DeviceId>& flooders) const;
  int forceOf(const Fork& fork, const Ops& valid);
  Ops hitsOf(const Node& n, const Ops& valid);
  bool attacks(const Node& n, const Node& m, const Ops& valid);

  Resolution resolveAnew(const Ops& set);
  State fold(const Ops& kept, const Ops& seen, const Resolution& verdicts);
  std::optional<DeviceId> madeBy(size_t o) const;
  Ops roleSetters(const DeviceId& id, const Ops& kept, const Resolution& verdicts) const;
  Role roleOf(const DeviceId& id, const Ops& kept, const Resolution& verdicts);
  MemberStatus statusOf(
      const DeviceId& id, const Ops& kept, const Ops& seen, const Resolution& verdicts) const;
  void foldEpoch(State& state, const Ops& kept) const;
  Ops newest(const Ops& among) const;
};

}  // namespace hearth::crypto::slow
