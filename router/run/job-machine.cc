#include "router/run/job-machine.h"

#include <kj/debug.h>

namespace hearth::router {

void JobMachine::Effects::add(Effects&& more) {
  start.insert(start.end(), more.start.begin(), more.start.end());
  rewire.insert(rewire.end(), more.rewire.begin(), more.rewire.end());
  stop.insert(stop.end(), more.stop.begin(), more.stop.end());
  for (auto& note: more.notes) notes.push_back(kj::mv(note));
  over = over || more.over;
}

JobMachine::JobMachine(std::vector<JobStage> stages, std::vector<JobEdge> edges, Placer placer)
    : stages(kj::mv(stages)),
      edges(kj::mv(edges)),
      placer(kj::mv(placer)) {
  attempts.resize(this->stages.size());
}

JobMachine::Effects JobMachine::begin() {
  KJ_REQUIRE(current == State::PLACING);
  return place();
}

JobMachine::Effects JobMachine::lost(const DeviceId& device) {
  Effects effects;
  if (over()) return effects;
  bool sourceLost = false;
  for (StageIndex stage = 0; stage < stages.size(); ++stage) {
    auto at = assignments.find(stage);
    if (at == assignments.end() || at->second.device != device || finished.contains(stage))
      continue;
    effects.notes.push_back({JobNote::Kind::LOST, stage, device, attempts[stage],
        "the device can no longer be reached"});
    assignments.erase(at);
    effects.stop.push_back(stage);
    sourceLost = sourceLost || stages[stage].kind == JobStage::Kind::SOURCE;
  }
  if (effects.notes.empty()) return effects;
  effects.add(sourceLost
          ? end(State::FAILED,
                "the device of the source was lost; all text up to then is delivered")
          : place());
  return effects;
}

JobMachine::Effects JobMachine::fleetChanged() {
  return current == State::WAITING ? place() : Effects();
}

JobMachine::Effects JobMachine::failed(StageIndex stage, uint32_t attempt, Error error) {
  KJ_REQUIRE(stage < stages.size(), stage);
  Effects effects;
  if (!isCurrent(stage, attempt)) return effects;
  auto at = assignments.find(stage);
  auto device = at->second.device;
  auto because = std::string(nameOf(error.code).cStr()) + ": " + error.because.cStr();
  effects.notes.push_back({JobNote::Kind::FAILED, stage, device, attempt, because});
  if (stages[stage].kind != JobStage::Kind::PLUGIN) {
    effects.add(end(State::FAILED, stages[stage].name + " failed: " + because));
    return effects;
  }
  bool beginsAgain = error.code == Errc::STALE && ++restarts[{stage, device}] <= RESTARTS_MAX;
  if (!beginsAgain) ++strikes[{stage, device}];
  assignments.erase(at);
  effects.stop.push_back(stage);
  effects.add(place());
  return effects;
}

JobMachine::Effects JobMachine::ended(StageIndex stage, uint32_t attempt) {
  Effects effects;
  if (!isCurrent(stage, attempt)) return effects;
  if (stages[stage].kind == JobStage::Kind::SINK) return end(State::DONE, "");
  finished.insert(stage);
  effects.stop.push_back(stage);
  return effects;
}

JobMachine::Effects JobMachine::cancel() {
  return over() ? Effects() : end(State::CANCELLED, "cancelled");
}

JobMachine::Effects JobMachine::giveUp(std::string because) {
  return over() ? Effects() : end(State::FAILED, kj::mv(because));
}

kj::Maybe<const Assignment&> JobMachine::assigned(StageIndex stage) const {
  auto at = assignments.find(stage);
  if (at == assignments.end()) return nullptr;
  return at->second;
}

bool JobMachine::isCurrent(StageIndex stage, uint32_t attempt) const {
  return !over() && attempt == attempts[stage] && assignments.contains(stage);
}

JobMachine::Effects JobMachine::place() {
  auto careful = placer(assignments, struckAtLeast(1));
  if (careful) return accept(kj::mv(*careful));
  if (strikes.empty()) return wait(kj::mv(careful.error()));
  // Nothing else can do it: the device that failed gets another try until it is struck out.
  auto placed = placer(assignments, struckAtLeast(STRIKES_MAX));
  if (placed) return accept(kj::mv(*placed));
  KJ_IF_MAYBE(stage, struckOut(struckAtLeast(STRIKES_MAX))) {
    return end(State::FAILED,
        stages[*stage].name + " failed " + std::to_string(STRIKES_MAX) +
            " times and no other device can do it");
  }
  return wait(kj::mv(placed.error()));
}

JobMachine::Effects JobMachine::accept(Assigned&& placed) {
  Effects effects;
  if (current == State::WAITING) {
    effects.notes.push_back(
        {JobNote::Kind::RESUMED, nullptr, {}, 0, "every stage has a device again"});
  }
  std::set<StageIndex> started;
  for (auto& [stage, assignment]: placed) {
    KJ_ASSERT(stage < stages.size(), "the planner placed a stage that is not there");
    if (assignments.contains(stage)) continue;
    started.insert(stage);
    effects.start.push_back(stage);
    effects.notes.push_back(
        {JobNote::Kind::PLACED, stage, assignment.device, ++attempts[stage], ""});
  }
  for (size_t edge = 0; edge < edges.size(); ++edge) {
    if (started.contains(edges[edge].from) && !started.contains(edges[edge].to))
      effects.rewire.push_back(edge);
  }
  assignments = kj::mv(placed);
  KJ_ASSERT(assignments.size() == stages.size(), "the planner left a stage out");
  current = State::RUNNING;
  why.clear();
  return effects;
}

JobMachine::Effects JobMachine::wait(Refusal&& refusal) {
  if (current == State::PLACING) return end(State::FAILED, kj::mv(refusal.because));
  Effects effects;
  if (current == State::WAITING && why == refusal.because) return effects;
  current = State::WAITING;
  why = kj::mv(refusal.because);
  effects.notes.push_back({JobNote::Kind::WAITING, refusal.stage, {}, 0, why});
  return effects;
}

JobMachine::Effects JobMachine::end(State how, std::string message) {
  current = how;
  why = kj::mv(message);
  Effects effects;
  effects.over = true;
  effects.notes.push_back({JobNote::Kind::ENDED, nullptr, {}, 0, why});
  for (auto& [stage, assignment]: assignments) effects.stop.push_back(stage);
  return effects;
}

JobMachine::Excluded JobMachine::struckAtLeast(uint32_t count) const {
  Excluded excluded;
  for (auto& [pair, struck]: strikes) {
    if (struck >= count) excluded.insert(pair);
  }
  return excluded;
}

kj::Maybe<StageIndex> JobMachine::struckOut(const Excluded& excluded) const {
  for (auto& pair: excluded) {
    if (!assignments.contains(pair.first)) return pair.first;
  }
  return nullptr;
}

}  // namespace hearth::router
