#include "storage/crdt/text.h"

#include "storage/crdt/text-replay.h"

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

std::vector<EventRange> Text::authorship(const EventGraph& graph) const {
  return TextReplay::authorship(graph, log);
}

}  // namespace hearth::storage
