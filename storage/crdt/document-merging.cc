// How operations of others come into a document.

#include "storage/crdt/admission.h"
#include "storage/crdt/document.h"

namespace hearth::storage {

// The events of this document by their numbers in a bundle.
class Document::Names {
 public:
  // Gives the next numbers to these.
  void add(EventRange events) {
    parts.push_back({next, events.begin});
    next += events.size();
  }

  Event of(Event number) const {
    auto after = std::ranges::upper_bound(parts, number, {}, &Part::number);
    KJ_REQUIRE(number < next && after != parts.begin(), "an event that the bundle does not name");
    return (after - 1)->event + (number - (after - 1)->number);
  }
  Version of(const Version& numbers) const {
    Version version;
    for (auto number: numbers) version.push_back(of(number));
    std::ranges::sort(version);
    return version;
  }
  Event newest() const { return of(next - 1); }

  // The operations of a run from its event `known` on.
  std::vector<Op> opsOf(const Bundle::Run& run, uint32_t known) const {
    std::vector<Op> ops;
    for (auto& op: run.ops) {
      if (known >= op.events()) {
        known -= op.events();
        continue;
      }
      ops.push_back(op);
      if (known > 0) dropFirst(ops.back(), known);
      known = 0;
      eachReference(ops.back(), [this](Event& event) { event = of(event); });
    }
    return ops;
  }

 private:
  struct Part {
    Event number, event;
  };
  std::vector<Part> parts;
  Event next = 0;
};

Result<void> Document::merge(const Bundle& bundle, Merged& merged) {
  merged.events = {graph_.size(), graph_.size()};
  Names names;
  for (auto& event: bundle.foreign) {
    KJ_IF_MAYBE(known, graph_.find({bundle.authors[event.author], event.number})) {
      names.add({*known, *known + 1});
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
    const Bundle& bundle, const Bundle::Run& run, Names& names, Merged& merged) {
  auto& author = bundle.authors[run.author];
  auto here = graph_.countOf(author);
  if (run.number > here) return no(Errc::STALE, "changes that come before these are missing");
  auto all = run.events();
  auto known = kj::min(here - run.number, all);
  for (uint32_t done = 0; done < known;) {
    auto events = graph_.findRange({author, run.number + done}, known - done);
    names.add(events);
    done += events.size();
  }
  if (known == all) return {};
  auto parents = known > 0 ? Version{names.newest()} : names.of(run.parents);
  if (auto follow = mayFollow(author, parents); !follow) return follow;

  auto first = graph_.size();
  names.add({first, first + (all - known)});
  auto ops = names.opsOf(run, known);
  Admission admission(*this, first, parents);
  for (auto& op: ops) {
    if (auto admitted = admission.admit(op); !admitted) return admitted;
  }
  auto index = graph_.indexOf(author);
  if (!index) return no(index.error());
  auto events = graph_.append(*index, all - known, parents);
  if (!events) return no(events.error());
  takeTimes(run, known, first);
  auto event = first;
  for (auto& op: ops) {
    take(event, op, false);
    if (op.isOfText()) merged.texts.try_emplace(op.object);
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
