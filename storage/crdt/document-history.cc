// How a document's operations leave it and come into another.

#include "storage/crdt/admission.h"
#include "storage/crdt/document.h"

#include <set>

namespace hearth::storage {

namespace {

constexpr size_t CONTENT_BYTES_MAX =
    Bundle::UNPACKED_MAX / 4;  // of one bundle, so that it can be read

Op opOf(Event text, const TextLog::Piece& piece) {
  constexpr Op::Kind KINDS[] = {Op::Kind::TYPE, Op::Kind::ERASE, Op::Kind::BACKSPACE};
  Op op{.kind = KINDS[static_cast<size_t>(piece.kind)], .object = text};
  op.at = piece.at;
  op.count = piece.events.size();
  op.content = piece.content;
  return op;
}

// Drops the first events of an edit.
void dropFirst(Op& op, uint32_t events) {
  op.count -= events;
  if (op.kind == Op::Kind::TYPE) {
    op.at += events;
    op.content.erase(0, bytesOf(op.content, events));
  } else if (op.kind == Op::Kind::BACKSPACE) {
    op.at -= events;
  }
}

size_t bytesIn(const Op& op) {
  auto text = std::get_if<std::string>(&op.value);
  auto octets = std::get_if<Octets>(&op.value);
  return op.content.size() + op.key.size() + (text ? text->size() : 0) +
      (octets ? octets->bytes.size() : 0);
}

template <typename F>
void eachReference(Op& op, F&& change) {
  for (auto field: {&Op::object, &Op::element, &Op::left, &Op::right}) {
    if (op.*field != Op::ROOT) change(op.*field);
  }
}

// By the names that events have here.
Version named(const Version& numbers, const std::vector<Event>& names) {
  Version version;
  for (auto number: numbers) version.push_back(names[number]);
  std::ranges::sort(version);
  return version;
}

// The operations of a run from its event `known` on.
std::vector<Op> opsFrom(const Bundle::Run& run, uint32_t known, const std::vector<Event>& names) {
  std::vector<Op> ops;
  for (auto& op: run.ops) {
    if (known >= op.events()) {
      known -= op.events();
      continue;
    }
    ops.push_back(op);
    if (known > 0) dropFirst(ops.back(), known);
    known = 0;
    eachReference(ops.back(), [&](Event& event) { event = names[event]; });
  }
  return ops;
}

// Puts together one bundle.
class Packer {
 public:
  explicit Packer(const EventGraph& graph): graph(graph) {}

  void add(EventRange events, std::vector<Op> ops, std::vector<Bundle::Time> times) {
    own.push_back(events);
    auto parents = graph.parentsOf(events.begin);
    for (auto parent: parents) need(parent);
    for (auto& op: ops) eachReference(op, [this](Event event) { need(event); });
    auto name = graph.nameOf(events.begin);
    bundle.runs.push_back(
        {authorOf(name.author), name.number, kj::mv(parents), kj::mv(times), kj::mv(ops)});
  }

  Bundle finish() {
    for (auto event: foreign) {
      auto name = graph.nameOf(event);
      bundle.foreign.push_back({authorOf(name.author), name.number});
    }
    auto base = static_cast<Event>(foreign.size());
    for (auto events: own) {
      bases.push_back(base);
      base += events.size();
    }
    for (auto& run: bundle.runs) {
      for (auto& parent: run.parents) parent = numberOf(parent);
      std::ranges::sort(run.parents);
      for (auto& op: run.ops) eachReference(op, [this](Event& event) { event = numberOf(event); });
    }
    return kj::mv(bundle);
  }

 private:
  const EventGraph& graph;
  Bundle bundle;
  std::vector<EventRange> own;  // ascending
  std::vector<Event> bases;     // numbers of their first within the bundle
  std::set<Event> foreign;
  std::map<DeviceId, uint32_t> authors;

  const EventRange* ownRange(Event event) const {
    auto after = std::ranges::upper_bound(own, event, {}, &EventRange::begin);
    return after == own.begin() || (after - 1)->end <= event ? nullptr : &*(after - 1);
  }
  void need(Event event) {
    if (ownRange(event) == nullptr) foreign.insert(event);
  }
  uint32_t authorOf(const DeviceId& id) {
    auto [entry, isNew] = authors.try_emplace(id, static_cast<uint32_t>(authors.size()));
    if (isNew) bundle.authors.push_back(id);
    return entry->second;
  }
  Event numberOf(Event event) const {
    if (auto range = ownRange(event))
      return bases[static_cast<size_t>(range - own.data())] + (event - range->begin);
    return static_cast<Event>(std::distance(foreign.begin(), foreign.find(event)));
  }
};

}  // namespace

std::vector<std::pair<Event, Op>> Document::opsIn(EventRange events) const {
  std::vector<std::pair<Event, Op>> found;
  log.eachIn(events, [&](Event event, Op op) { found.emplace_back(event, kj::mv(op)); });
  for (auto& [name, object]: objects) {
    auto text = std::get_if<Text>(&object.state);
    if (text == nullptr) continue;
    text->edits().eachIn(events, [&](const TextLog::Piece& piece) {
      found.emplace_back(piece.events.begin, opOf(name, piece));
    });
  }
  std::ranges::sort(found, {}, [](auto& entry) { return entry.first; });
  return found;
}

// The same events as parts of the graph's runs, the oldest first.
std::vector<EventRange> Document::runsIn(std::vector<EventRange> descending) const {
  std::vector<EventRange> found;
  for (auto range = descending.rbegin(); range != descending.rend(); ++range) {
    for (auto i = graph_.runOf(range->begin); i < graph_.runs().size(); ++i) {
      auto& run = graph_.runs()[i].events;
      if (run.begin >= range->end) break;
      found.push_back({kj::max(run.begin, range->begin), kj::min(run.end, range->end)});
    }
  }
  return found;
}

std::vector<Bundle> Document::bundlesOf(const std::vector<EventRange>& runs) const {
  std::vector<Bundle> bundles;
  kj::Own<Packer> packer;
  size_t ops = 0, bytes = 0, count = 0;
  auto finish = [&]() {
    if (packer.get() != nullptr) bundles.push_back(packer->finish());
    packer = nullptr;
    ops = bytes = count = 0;
  };
  for (auto& run: runs) {
    std::vector<Op> piece;
    auto begin = run.begin, next = run.begin;
    auto cut = [&]() {
      if (piece.empty()) return;
      if (packer.get() == nullptr) packer = kj::heap<Packer>(graph_);
      std::vector<Bundle::Time> told{{0, timeMsOf(begin)}};
      for (auto at = std::ranges::upper_bound(times, begin, {}, &Time::event);
          at != times.end() && at->event < next; ++at)
        told.push_back({at->event - begin, at->ms});
      packer->add({begin, next}, kj::mv(piece), kj::mv(told));
      piece = {};
      begin = next;
    };
    for (auto& [event, op]: opsIn(run)) {
      ops += 1;
      bytes += bytesIn(op);
      next = event + op.events();
      piece.push_back(kj::mv(op));
      if (ops < Bundle::OPS_MAX / 2 && bytes < CONTENT_BYTES_MAX) continue;
      cut();
      finish();
    }
    cut();
    if (++count >= Bundle::RUNS_MAX / EventGraph::PARENTS_MAX) finish();
  }
  finish();
  return bundles;
}

std::vector<Bundle> Document::since(const Version& known) const {
  return bundlesOf(runsIn(graph_.difference(graph_.version(), known).onlyFirst));
}

Document Document::at(const Version& version) const {
  Document past;
  for (auto& bundle: bundlesOf(runsIn(graph_.difference(version, {}).onlyFirst))) {
    Merged merged;
    auto taken = past.merge(bundle, merged);
    KJ_ASSERT(taken.has_value(), "a document that refuses its own past", taken.error().because);
  }
  return past;
}

Result<void> Document::merge(const Bundle& bundle, Merged& merged) {
  merged.events = {graph_.size(), graph_.size()};
  std::vector<Event> names;
  for (auto& event: bundle.foreign) {
    KJ_IF_MAYBE(known, graph_.find({bundle.authors[event.author], event.number})) {
      names.push_back(*known);
    } else {
      return no(Errc::STALE, "changes that come before these are missing");
    }
  }
  Result<void> taken;
  for (auto& run: bundle.runs) {
    taken = take(bundle, run, names, merged);
    if (!taken) break;
  }
  merged.events.end = graph_.size();
  for (auto& [event, changes]: merged.texts)
    changes = std::get<Text>(object(event).state).merge(graph_, merged.events.begin);
  return taken;
}

// `names`: the events of this document by their numbers in the bundle; those of the run are added.
Result<void> Document::take(
    const Bundle& bundle, const Bundle::Run& run, std::vector<Event>& names, Merged& merged) {
  auto& author = bundle.authors[run.author];
  auto here = graph_.countOf(author);
  if (run.number > here) return no(Errc::STALE, "changes that come before these are missing");
  auto all = run.events();
  auto known = kj::min(here - run.number, all);
  for (uint32_t i = 0; i < known; ++i)
    names.push_back(KJ_ASSERT_NONNULL(graph_.find({author, run.number + i})));
  if (known == all) return {};
  auto parents = known > 0 ? Version{names.back()} : named(run.parents, names);
  if (auto follow = mayFollow(author, parents); !follow) return follow;

  auto first = graph_.size();
  for (auto i = known; i < all; ++i) names.push_back(first + (i - known));
  auto ops = opsFrom(run, known, names);
  Admission admission(*this, first, parents);
  for (auto& op: ops) {
    if (auto admitted = admission.admit(op); !admitted) return admitted;
  }
  auto index = graph_.indexOf(author);
  if (!index) return no(index.error());
  auto events = graph_.append(*index, all - known, kj::mv(parents));
  if (!events) return no(events.error());
  takeTimes(run, known, first);
  auto event = first;
  for (auto& op: ops) {
    if (op.isOfText()) {
      editText({event, event + op.events()}, op, false);
      merged.texts.try_emplace(op.object);
    } else {
      log.add(event, op);
      apply(event, op);
    }
    event += op.events();
  }
  return {};
}

// Whether an author may go on there: nobody writes beside himself.
Result<void> Document::mayFollow(const DeviceId& author, const Version& parents) const {
  if (!graph_.isVersion(parents)) return no(Errc::BAD_FORMAT, "parents that follow one another");
  auto here = graph_.countOf(author);
  if (here == 0) return {};
  auto last = KJ_ASSERT_NONNULL(graph_.find({author, here - 1}));
  if (!graph_.holds(parents, last))
    return no(Errc::BAD_FORMAT, "a change whose author had not seen its own last one");
  return {};
}

void Document::takeTimes(const Bundle::Run& run, uint32_t known, Event first) {
  for (size_t i = 0; i < run.times.size(); ++i) {
    // Of those before the first new event only the last still tells something.
    if (i + 1 < run.times.size() && run.times[i + 1].offset <= known) continue;
    times.push_back({first + kj::max(run.times[i].offset, known) - known, run.times[i].ms});
  }
}

}  // namespace hearth::storage
