#include "storage/crdt/event-graph.h"

#include <kj/debug.h>

#include <algorithm>
#include <queue>

namespace hearth::storage {

size_t EventGraph::runOf(Event event) const {
  KJ_REQUIRE(event < size(), "an event that is not here");
  auto after =
      std::ranges::upper_bound(runs_, event, {}, [](auto& run) { return run.events.begin; });
  return static_cast<size_t>(after - runs_.begin()) - 1;
}

Result<AuthorIndex> EventGraph::indexOf(const DeviceId& author) {
  if (auto known = indexes.find(author); known != indexes.end()) return known->second;
  if (authors.size() >= AUTHORS_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a document of more than 4,096 authors");
  auto index = static_cast<AuthorIndex>(authors.size());
  authors.push_back(author);
  byAuthor.emplace_back();
  indexes.emplace(author, index);
  return index;
}

uint32_t EventGraph::countOf(const DeviceId& author) const {
  auto known = indexes.find(author);
  if (known == indexes.end() || byAuthor[known->second].empty()) return 0;
  auto& last = byAuthor[known->second].back();
  return last.number + last.count;
}

Result<EventRange> EventGraph::append(AuthorIndex author, uint32_t count, Version parents) {
  KJ_REQUIRE(count > 0 && author < authors.size() && isVersion(parents), "no events of a document");
  if (count > EVENTS_MAX - size())
    return no(Errc::LIMIT_EXCEEDED, "a document of more than 2,147,483,647 events");
  if (parents.size() > PARENTS_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a change behind more than 64 others");
  EventRange fresh{size(), size() + count};
  auto& numbers = byAuthor[author];
  auto number = numbers.empty() ? 0 : numbers.back().number + numbers.back().count;
  updateCriticals(fresh, parents);
  updateHeads(fresh, parents);
  bool follows = fresh.begin > 0 && parents.size() == 1 && parents[0] == fresh.begin - 1 &&
      runs_.back().author == author;
  if (follows) {
    runs_.back().events.end = fresh.end;
  } else {
    uint32_t lamport = 1;
    for (auto parent: parents) lamport = kj::max(lamport, lamportOf(parent) + 1);
    runs_.push_back({fresh, author, number, lamport, kj::mv(parents)});
  }
  bool adjoins = !numbers.empty() && numbers.back().event + numbers.back().count == fresh.begin;
  if (adjoins) {
    numbers.back().count += count;
  } else {
    numbers.push_back({number, fresh.begin, count});
  }
  return fresh;
}

void EventGraph::updateHeads(EventRange fresh, const Version& parents) {
  std::erase_if(heads, [&](Event head) { return std::ranges::binary_search(parents, head); });
  heads.push_back(fresh.end - 1);
}

Version EventGraph::headsAt(Event critical) const {
  if (critical == size()) return heads;
  return parentsOf(critical);
}

void EventGraph::updateCriticals(EventRange fresh, const Version& parents) {
  // What the new events have seen all of stays critical.
  Event seen = parents.empty() ? 0 : parents.back();
  if (!parents.empty() && seen + 1 < fresh.begin && headsAt(seen + 1) == parents) ++seen;
  while (!criticals.empty() && criticals.back().begin > seen) criticals.pop_back();
  if (!criticals.empty()) criticals.back().end = kj::min(criticals.back().end, seen + 1);
  if (parents != heads) return;
  if (!criticals.empty() && criticals.back().end == fresh.begin) {
    criticals.back().end = fresh.end;
  } else {
    criticals.push_back(fresh);
  }
}

Event EventGraph::criticalUpTo(Event most) const {
  if (most >= size()) return size();
  auto after =
      std::ranges::upper_bound(criticals, most, {}, [](auto& range) { return range.begin; });
  if (after == criticals.begin()) return 0;
  return kj::min(most, (after - 1)->end - 1);
}

Event EventGraph::criticalBeyond(Event event) const {
  auto later =
      std::ranges::upper_bound(criticals, event + 1, {}, [](auto& range) { return range.end; });
  if (later == criticals.end()) return size();
  return kj::max(event + 1, later->begin);
}

Event EventGraph::straightFrom(Event critical) const {
  auto later =
      std::ranges::upper_bound(criticals, critical, {}, [](auto& range) { return range.end; });
  if (later == criticals.end() || later->begin > critical) return critical;
  return later->end == size() ? size() : later->end - 1;
}

kj::Maybe<Event> EventGraph::find(const EventName& name) const {
  auto author = indexes.find(name.author);
  if (author == indexes.end()) return nullptr;
  auto& numbers = byAuthor[author->second];
  auto after = std::ranges::upper_bound(numbers, name.number, {}, &AuthorRun::number);
  if (after == numbers.begin()) return nullptr;
  auto& run = *(after - 1);
  if (name.number - run.number >= run.count) return nullptr;
  return run.event + (name.number - run.number);
}

EventRange EventGraph::findRange(const EventName& first, uint32_t most) const {
  auto event = KJ_REQUIRE_NONNULL(find(first), "an event that is not here");
  auto& numbers = byAuthor[indexes.at(first.author)];
  auto after = std::ranges::upper_bound(numbers, first.number, {}, &AuthorRun::number);
  auto& run = *(after - 1);
  return {event, event + kj::min(most, run.number + run.count - first.number)};
}

EventName EventGraph::nameOf(Event event) const {
  auto& run = runs_[runOf(event)];
  auto& numbers = byAuthor[run.author];
  auto after = std::ranges::upper_bound(numbers, event, {}, &AuthorRun::event);
  auto& known = *(after - 1);
  return {authors[run.author], known.number + (event - known.event)};
}

uint32_t EventGraph::lamportOf(Event event) const {
  auto& run = runs_[runOf(event)];
  return run.lamport + (event - run.events.begin);
}

Version EventGraph::parentsOf(Event event) const {
  auto& run = runs_[runOf(event)];
  return event == run.events.begin ? run.parents : Version{event - 1};
}

bool EventGraph::isLater(Event a, Event b) const {
  auto timeA = lamportOf(a), timeB = lamportOf(b);
  return timeA != timeB ? timeA > timeB : nameOf(b) < nameOf(a);
}

bool EventGraph::isVersion(const Version& version) const {
  if (version == heads) return true;
  for (size_t i = 0; i < version.size(); ++i) {
    if (version[i] >= size() || (i > 0 && version[i - 1] >= version[i])) return false;
  }
  for (size_t i = 0; i + 1 < version.size(); ++i) {
    if (holds(Version(version.begin() + static_cast<ptrdiff_t>(i) + 1, version.end()), version[i]))
      return false;
  }
  return true;
}

bool EventGraph::holds(const Version& version, Event event) const {
  if (version.empty() || event > version.back()) return false;
  if (event < criticalUpTo(version.back()) || version == heads) return true;
  std::priority_queue<Event> waiting;
  for (auto head: version) {
    if (head >= event) waiting.push(head);
  }
  while (!waiting.empty()) {
    auto& run = runs_[runOf(waiting.top())];
    if (run.events.begin <= event) return true;
    while (!waiting.empty() && waiting.top() >= run.events.begin) waiting.pop();
    for (auto parent: run.parents) {
      if (parent >= event) waiting.push(parent);
    }
  }
  return false;
}

// From the newest event backwards, each with the sides that hold it; once both hold all that is left, the
// rest is common (as `diff` in the paper's appendix).
EventGraph::Difference EventGraph::difference(const Version& first, const Version& second) const {
  enum Side : uint8_t { FIRST = 1, SECOND = 2, BOTH = 3 };
  std::map<Event, uint8_t> waiting;
  for (auto head: first) waiting[head] |= FIRST;
  for (auto head: second) waiting[head] |= SECOND;
  size_t undecided = 0;
  for (auto& [event, sides]: waiting) undecided += sides != BOTH;

  auto add = [&](Event event, uint8_t sides) {
    auto& known = waiting[event];
    auto before = known != 0 && known != BOTH;
    known |= sides;
    undecided += static_cast<size_t>(known != BOTH) - static_cast<size_t>(before);
  };
  Difference found;
  auto take = [&](EventRange events, uint8_t sides) {
    if (sides == BOTH) return;
    auto& list = sides == FIRST ? found.onlyFirst : found.onlySecond;
    if (!list.empty() && list.back().begin == events.end) {
      list.back().begin = events.begin;
    } else {
      list.push_back(events);
    }
  };
  while (undecided > 0) {
    auto newest = std::prev(waiting.end());
    auto [event, sides] = *newest;
    waiting.erase(newest);
    undecided -= sides != BOTH;
    auto& run = runs_[runOf(event)];
    // Down to the next event of the same run that somebody has as a head.
    Event begin = run.events.begin;
    if (!waiting.empty()) begin = kj::max(begin, waiting.rbegin()->first + 1);
    take({begin, event + 1}, sides);
    if (begin > run.events.begin) {
      add(begin - 1, sides);
    } else {
      for (auto parent: run.parents) add(parent, sides);
    }
  }
  return found;
}

bool precedes(const EventGraph& graph, Event a, Event b) {
  return graph.nameOf(a) < graph.nameOf(b);
}

}  // namespace hearth::storage
