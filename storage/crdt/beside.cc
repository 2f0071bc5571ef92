#include "storage/crdt/beside.h"

namespace hearth::storage {

Version versionBeside(const EventGraph& graph, Event event) {
  auto& runs = graph.runs();
  std::vector<bool> follows(runs.size());  // its events from `event` on do
  std::set<Event> heads;
  for (size_t i = 0; i < runs.size(); ++i) {
    auto& run = runs[i];
    auto end = run.events.end;
    if (run.events.begin <= event && event < end) {
      follows[i] = true;
      end = event;
    } else if (run.events.begin > event) {
      follows[i] = std::ranges::any_of(run.parents,
          [&](Event parent) { return parent >= event && follows[graph.runOf(parent)]; });
      if (follows[i]) continue;
    }
    if (end == run.events.begin) continue;
    for (auto parent: run.parents) heads.erase(parent);
    heads.insert(end - 1);
  }
  return Version(heads.begin(), heads.end());
}

WrittenSince::WrittenSince(const Document& document, Event event, const Version& beside) {
  auto& graph = document.graph();
  auto author = graph.nameOf(event).author;
  for (auto i = graph.runOf(event); i < graph.runs().size(); ++i) {
    auto& run = graph.runs()[i];
    if (graph.nameOf(run.events.begin).author == author) continue;
    if (run.events.begin < event || graph.holds(beside, run.events.begin)) continue;
    for (auto& [made, op]: document.opsIn(run.events)) add(op);
  }
}

void WrittenSince::add(const Op& op) {
  switch (op.kind) {
    case Op::Kind::PUT:
    case Op::Kind::REMOVE:
      keys.emplace(op.object, op.key);
      return;
    case Op::Kind::INCLUDE:
    case Op::Kind::EXCLUDE:
      members.emplace_back(op.object, op.value);
      return;
    case Op::Kind::MOVE:
      places.emplace(op.object, op.element);
      return;
    case Op::Kind::SET:
      values.emplace(op.object, op.element);
      return;
    case Op::Kind::HIDE:
    case Op::Kind::SHOW:
      shown.emplace(op.object, op.element);
      return;
    case Op::Kind::ADD:
    case Op::Kind::INSERT:
    case Op::Kind::TYPE:
    case Op::Kind::ERASE:
    case Op::Kind::BACKSPACE:
      return;
  }
}

bool WrittenSince::hasMember(Event set, const Value& value) const {
  return std::ranges::any_of(
      members, [&](auto& member) { return member.first == set && member.second == value; });
}

}  // namespace hearth::storage
