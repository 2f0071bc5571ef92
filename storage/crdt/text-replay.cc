#include "storage/crdt/text-replay.h"

#include <algorithm>

namespace hearth::storage {

TextReplay::TextReplay(
    const EventGraph& graph, const TextLog& log, TextLengths& lengths, Rope& rope, Emit emit)
    : graph(graph),
      log(log),
      lengths(lengths),
      rope(rope),
      emit(kj::mv(emit)) {}

void TextReplay::all(Event first, Event end) {
  for (auto at = graph.criticalUpTo(first); at < end;) {
    auto straightEnd = kj::min(graph.straightFrom(at), end);
    if (straightEnd > at) {
      straight({at, straightEnd});
      at = straightEnd;
    } else {
      auto next = graph.criticalBeyond(at);
      concurrent(at, kj::max(first, at), next);
      lengths.note(next, rope.length());
      at = next;
    }
  }
}

// Positions of straight edits are those of the text.
void TextReplay::straight(EventRange events) {
  log.eachIn(events, [this](const TextLog::Piece& piece) {
    lengths.note(piece.events.begin, rope.length());
    auto made = asMade(piece, rope.length());
    if (made.events.size() > 0) make(made);
  });
}

void TextReplay::make(const TextLog::Piece& piece) {
  if (piece.kind == TextLog::Kind::INSERT) {
    rope.insert(piece.at, piece.content);
  } else {
    rope.erase(piece.at, piece.events.size());
  }
  emit(piece);
}

// Events [critical, end), of which those before `first` are in the text already.
void TextReplay::concurrent(Event critical, Event first, Event end) {
  TextTracker tracker(graph, log, lengths.before(critical, log));
  auto prepared = graph.headsAt(critical);
  walk(tracker, prepared, {{critical, first}}, [](const TextLog::Piece&) {});
  walk(tracker, prepared, {{first, end}}, [this](const TextLog::Piece& change) { make(change); });
}

std::vector<EventRange> TextReplay::authorship(const EventGraph& graph, const TextLog& log) {
  Rope none;
  TextLengths lengths;
  TextReplay replay(graph, log, lengths, none, [](const TextLog::Piece&) {});
  TextTracker tracker(graph, log, 0);
  Version prepared;
  replay.walk(tracker, prepared, {{0, graph.size()}}, [](const TextLog::Piece&) {});
  return tracker.visible();
}

// Branch by branch, so that little is taken back and put in again on the way.
std::vector<TextReplay::Step> TextReplay::planned(const std::vector<EventRange>& ranges) const {
  std::vector<Step> steps;
  for (auto& range: ranges) {
    if (range.size() == 0) continue;
    for (auto i = graph.runOf(range.begin); i < graph.runs().size(); ++i) {
      auto& run = graph.runs()[i];
      if (run.events.begin >= range.end) break;
      auto begin = kj::max(run.events.begin, range.begin);
      steps.push_back({{begin, kj::min(run.events.end, range.end)},
          begin == run.events.begin ? run.parents : Version{begin - 1}});
    }
  }
  auto stepOf = [&](Event event) -> kj::Maybe<size_t> {
    auto after =
        std::ranges::upper_bound(steps, event, {}, [](auto& step) { return step.events.begin; });
    if (after == steps.begin() || (after - 1)->events.end <= event) return nullptr;
    return static_cast<size_t>(after - steps.begin()) - 1;
  };
  std::vector<std::vector<size_t>> children(steps.size());
  std::vector<size_t> awaited(steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    for (auto parent: steps[i].parents) {
      KJ_IF_MAYBE(step, stepOf(parent)) {
        children[*step].push_back(i);
        ++awaited[i];
      }
    }
  }
  std::vector<size_t> ready;
  for (size_t i = steps.size(); i-- > 0;) {
    if (awaited[i] == 0) ready.push_back(i);
  }
  std::vector<Step> order;
  while (!ready.empty()) {
    auto step = ready.back();
    ready.pop_back();
    for (auto child: children[step]) {
      if (--awaited[child] == 0) ready.push_back(child);
    }
    order.push_back(kj::mv(steps[step]));
  }
  return order;
}

template <typename F>
void TextReplay::walk(
    TextTracker& tracker, Version& prepared, const std::vector<EventRange>& ranges, F&& take) {
  for (auto& step: planned(ranges)) {
    if (step.parents != prepared) {
      auto way = graph.difference(prepared, step.parents);
      for (auto& events: way.onlyFirst) tracker.takeBack(events);
      for (auto& events: way.onlySecond) tracker.putIn(events);
    }
    tracker.apply(step.events, take);
    prepared = {step.events.end - 1};
  }
}

}  // namespace hearth::storage
