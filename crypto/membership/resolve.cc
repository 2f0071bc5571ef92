#include "crypto/membership/resolve.h"

#include "crypto/membership/authority.h"
#include "crypto/membership/verdicts.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

// One pass over a set, after its nodes have been judged.
class Pass {
 public:
  Pass(const OpTable& table, const OpSet& set)
      : table(table),
        set(set),
        floods(floodsIn(table, set)),
        counted(set - floods.outside) {
    auto verdicts = judgeNodes(table, counted);
    standing = kj::mv(verdicts.standing);
    voided = kj::mv(verdicts.fallen);
    for (auto op: counted) {
      if (!table[op].authorised) voided.insert(op);
    }
  }

  Resolution run() {
    OpSet kept;
    Fold fold;
    for (auto op: counted) {
      if (voided.contains(op)) continue;
      if (applies(kept, op)) {
        kept.insert(op);
        fold.keep(table, op, standing);
      } else {
        voided.insert(op);
      }
    }
    auto state = fold.state(table, counted, standing, floods.authors);
    voided |= floods.outside;
    return {set, kj::mv(voided), kj::mv(standing), kj::mv(fold), kj::mv(floods), kj::mv(state)};
  }

 private:
  const OpTable& table;
  const OpSet& set;
  Floods floods;
  OpSet counted;  // the set without what floods leave outside
  Standing standing;
  OpSet voided;
  OpSet judgedSet;  // what `judged` holds
  Fold judged;

  bool applies(const OpSet& kept, OpIndex op) {
    auto& record = table[op];
    bool removes = record.isRemoval() || record.as<RecoveryResetPayload>();
    if (removes && (standing.nodes.contains(op) || standing.suspending.contains(op))) return true;
    bool asBefore = (voided & record.past) == record.voidBefore &&
        standing.within(record.past).isSame(record.before);
    return asBefore || hasAuthority(stateOf(kept & record.past, record.past), record);
  }

  // Ops that follow each other are judged by Folds that follow each other.
  CircleState stateOf(const OpSet& kept, const OpSet& past) {
    if (!(judgedSet - kept).empty()) {
      judged = Fold();
      judgedSet = OpSet();
    }
    for (auto op: kept - judgedSet) judged.keep(table, op, standing);
    judgedSet = kept;
    auto flooders = floods.authors.empty() ? floods.authors : floodsIn(table, past).authors;
    return judged.state(table, past, standing, flooders);
  }
};

}  // namespace

Resolution resolve(const OpTable& table, const OpSet& set) { return Pass(table, set).run(); }

Resolution extend(const OpTable& table, const Resolution& past, OpIndex top) {
  Resolution next = past;
  auto& record = table[top];
  next.set.insert(top);
  if (record.authorised) {
    bool isNode = record.isRemoval() || record.as<RecoveryResetPayload>() ||
        (record.makesAdmin() && record.weight >= 2);
    if (isNode) next.standing.nodes.insert(top);
    next.fold.keep(table, top, next.standing);
    next.state = next.fold.state(table, next.set, next.standing, next.floods.authors);
  } else {
    next.voided.insert(top);
  }
  return next;
}

const Resolution& Resolver::of(const OpTable& table, const OpSet& set) {
  if (auto* known = find(set)) return *known;
  auto made = std::make_shared<const Resolution>(make(table, set));
  kept.push_front(kj::mv(made));
  if (kept.size() > KEPT_MAX) kept.pop_back();
  return *kept.front();
}

const Resolution* Resolver::find(const OpSet& set) {
  auto found = std::ranges::find_if(kept, [&](auto& known) { return known->set == set; });
  if (found == kept.end()) return nullptr;
  std::rotate(kept.begin(), found, found + 1);
  return kept.front().get();
}

Resolution Resolver::make(const OpTable& table, const OpSet& set) {
  if (set.empty()) return {};
  auto top = set.last();
  auto below = set;
  below.erase(top);
  if (table[top].past == below) {
    auto* known = find(below);
    // With its past a flood's part outside it would be inside.
    bool extends = known != nullptr && known->floods.outside.empty() &&
        !known->floods.authors.contains(table[top].op().author);
    if (extends) return extend(table, *known, top);
  }
  return resolve(table, set);
}

}  // namespace hearth::crypto
