#include "storage/crdt/text.h"

#include "storage/crdt/text-replay.h"

#include <algorithm>

namespace hearth::storage {

void Text::insert(EventRange events, uint32_t at, std::string_view utf8) {
  auto runs = log.runs().size();
  log.insert(events, at, utf8);
  if (log.runs().size() > runs) lengths.note(events.begin, length());
  rope.insert(at, utf8);
}

void Text::erase(EventRange events, uint32_t at) {
  auto runs = log.runs().size();
  log.erase(events, at);
  if (log.runs().size() > runs) lengths.note(events.begin, length());
  rope.erase(at, events.size());
}

Text::Changes Text::merge(const EventGraph& graph, Event first) {
  Changes changes;
  TextReplay replay(graph, log, lengths, rope, [&](const TextLog::Piece& piece) {
    bool inserts = piece.kind == TextLog::Kind::INSERT;
    changes.push_back({piece.at, inserts ? 0 : piece.events.size(), piece.content});
  });
  replay.all(first, graph.size());
  return changes;
}

std::string Text::at(const EventGraph& graph, const Version& version) const {
  auto ranges = graph.difference({}, version).onlySecond;
  std::ranges::reverse(ranges);
  Rope past;
  TextLengths pastLengths;
  TextReplay replay(graph, log, pastLengths, past, [](const TextLog::Piece&) {});
  if (ranges.empty()) return {};
  auto begin = ranges.front().begin == 0 ? graph.criticalUpTo(ranges.front().end) : 0;
  replay.all(0, begin);
  if (ranges.front().begin == 0) ranges.front().begin = begin;
  replay.some(begin, ranges);
  return past.text();
}

std::vector<EventRange> Text::authorship(const EventGraph& graph) const {
  return TextReplay::authorship(graph, log);
}

}  // namespace hearth::storage
