// How a document's operations leave it.

#include "storage/crdt/document.h"

namespace hearth::storage {

namespace {

// What one bundle is filled with before the next is begun, so that it can be read.
constexpr size_t OPS_FULL = Bundle::OPS_MAX / 8;
constexpr size_t BYTES_FULL = Bundle::UNPACKED_MAX / 4;
constexpr size_t RUNS_FULL = Bundle::RUNS_MAX / EventGraph::PARENTS_MAX;
constexpr size_t REFERENCES = 4;  // of one operation at most
static_assert(OPS_FULL * REFERENCES + RUNS_FULL * EventGraph::PARENTS_MAX <= Bundle::FOREIGN_MAX);

Op opOf(Event text, const TextLog::Piece& piece) {
  constexpr Op::Kind KINDS[] = {Op::Kind::TYPE, Op::Kind::ERASE, Op::Kind::BACKSPACE};
  Op op{.kind = KINDS[static_cast<size_t>(piece.kind)], .object = text};
  op.at = piece.at;
  op.count = piece.events.size();
  op.content = piece.content;
  return op;
}

size_t bytesIn(const Op& op) {
  auto text = std::get_if<std::string>(&op.value);
  auto octets = std::get_if<Octets>(&op.value);
  return op.content.size() + op.key.size() + (text ? text->size() : 0) +
      (octets ? octets->bytes.size() : 0);
}

// Puts together one bundle.
class Packer {
 public:
  explicit Packer(const EventGraph& graph): graph(graph) {}

  bool isEmpty() const { return own.empty(); }

  void add(EventRange events, std::vector<Op> ops, std::vector<Bundle::Time> times) {
    own.push_back(events);
    auto parents = graph.get().parentsOf(events.begin);
    for (auto parent: parents) need(parent);
    for (auto& op: ops) eachReference(op, [this](Event event) { need(event); });
    auto name = graph.get().nameOf(events.begin);
    bundle.runs.push_back(
        {authorOf(name.author), name.number, kj::mv(parents), kj::mv(times), kj::mv(ops)});
  }

  Bundle finish() {
    std::ranges::sort(foreign);
    foreign.erase(std::ranges::unique(foreign).begin(), foreign.end());
    for (auto event: foreign) {
      auto name = graph.get().nameOf(event);
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
  std::reference_wrapper<const EventGraph> graph;
  Bundle bundle;
  std::vector<EventRange> own;  // ascending
  std::vector<Event> bases;     // numbers of their first within the bundle
  std::vector<Event> foreign;   // ascending, none twice, when it is finished
  std::map<DeviceId, uint32_t> authors;

  const EventRange* ownRange(Event event) const {
    auto after = std::ranges::upper_bound(own, event, {}, &EventRange::begin);
    return after == own.begin() || (after - 1)->end <= event ? nullptr : &*(after - 1);
  }
  void need(Event event) {
    if (ownRange(event) == nullptr) foreign.push_back(event);
  }
  uint32_t authorOf(const DeviceId& id) {
    auto [entry, isNew] = authors.try_emplace(id, static_cast<uint32_t>(authors.size()));
    if (isNew) bundle.authors.push_back(id);
    return entry->second;
  }
  Event numberOf(Event event) const {
    if (auto range = ownRange(event))
      return bases[static_cast<size_t>(range - own.data())] + (event - range->begin);
    return static_cast<Event>(std::ranges::lower_bound(foreign, event) - foreign.begin());
  }
};

}  // namespace

// Cuts operations into bundles.
class Document::Cutter {
 public:
  explicit Cutter(const Document& document): document(document), packer(document.graph_) {}

  // Operations of one run of the graph.
  void add(const std::vector<std::pair<Event, Op>>& run) {
    for (auto& [event, op]: run) {
      if (ops.empty()) begin = event;
      end = event + op.events();
      bytes += bytesIn(op);
      ops.push_back(op);
      ++opCount;
      if (opCount >= OPS_FULL || bytes >= BYTES_FULL) finishBundle();
    }
    finishRun();
    if (runCount >= RUNS_FULL) finishBundle();
  }

  std::vector<Bundle> finish() {
    finishBundle();
    return kj::mv(bundles);
  }

 private:
  const Document& document;
  Packer packer;
  std::vector<Bundle> bundles;
  std::vector<Op> ops;  // of the run
  Event begin = 0, end = 0;
  size_t opCount = 0, bytes = 0, runCount = 0;  // of the bundle

  void finishRun() {
    if (ops.empty()) return;
    packer.add({begin, end}, kj::mv(ops), document.timesIn({begin, end}));
    ops = {};
    ++runCount;
  }

  void finishBundle() {
    finishRun();
    if (packer.isEmpty()) return;
    bundles.push_back(packer.finish());
    packer = Packer(document.graph_);
    opCount = bytes = runCount = 0;
  }
};

// That are edited there.
std::set<Event> Document::textsIn(EventRange events) const {
  std::set<Event> found;
  auto turn = std::ranges::upper_bound(turns, events.begin, {}, &Turn::event);
  if (turn != turns.begin()) --turn;
  for (; turn != turns.end() && turn->event < events.end; ++turn) found.insert(turn->text);
  return found;
}

std::vector<std::pair<Event, Op>> Document::opsIn(EventRange events) const {
  std::vector<std::pair<Event, Op>> found;
  log.eachIn(events, [&](Event event, Op op) { found.emplace_back(event, kj::mv(op)); });
  for (auto name: textsIn(events)) {
    std::get<Text>(objects.at(name).state).edits().eachIn(events, [&](const TextLog::Piece& piece) {
      auto event = piece.events.begin;
      std::vector<Op> parts;
      appendWithinLimits(parts, opOf(name, piece));
      for (auto& op: parts) {
        auto count = op.count;
        found.emplace_back(event, kj::mv(op));
        event += count;
      }
    });
  }
  std::ranges::sort(found, {}, [](auto& entry) { return entry.first; });
  return found;
}

// When the events of a part of a run were made.
std::vector<Bundle::Time> Document::timesIn(EventRange events) const {
  std::vector<Bundle::Time> told{{0, timeMsOf(events.begin)}};
  auto at = std::ranges::upper_bound(times, events.begin, {}, &Time::event);
  for (; at != times.end() && at->event < events.end; ++at)
    told.push_back({at->event - events.begin, at->ms});
  return told;
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
  Cutter cutter(*this);
  for (auto& run: runs) cutter.add(opsIn(run));
  return cutter.finish();
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

}  // namespace hearth::storage
