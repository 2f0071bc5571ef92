#include "storage/crdt/text.h"

#include "storage/crdt/text-replay.h"

namespace hearth::storage {

// Where a run of the log begins, merging may have to begin later.
template <typename F>
void Text::write(EventRange events, F&& addToLog) {
  auto runs = log.runs().size();
  addToLog();
  if (log.runs().size() > runs) lengths.note(events.begin, length());
}

void Text::insert(EventRange events, uint32_t at, std::string_view utf8) {
  write(events, [&]() { log.insert(events, at, utf8); });
  rope.insert(at, utf8);
}

void Text::erase(EventRange events, uint32_t at) {
  write(events, [&]() { log.erase(events, at); });
  rope.erase(at, events.size());
}

void Text::backspace(EventRange events, uint32_t at) {
  write(events, [&]() { log.backspace(events, at); });
  rope.erase(at + 1 - events.size(), events.size());
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
