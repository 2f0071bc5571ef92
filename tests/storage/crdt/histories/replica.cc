#include "tests/storage/crdt/histories/replica.h"

#include "storage/crdt/rope.h"

#include <algorithm>

namespace hearth::storage {

namespace {

std::u32string decoded(std::string_view utf8) {
  std::u32string points;
  for (size_t i = 0; i < utf8.size();) {
    auto first = static_cast<uint8_t>(utf8[i]);
    size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    char32_t point = size == 1 ? first : first & (0x7f >> size);
    for (size_t k = 1; k < size; ++k)
      point = point << 6 | (static_cast<uint8_t>(utf8[i + k]) & 0x3f);
    points += point;
    i += size;
  }
  return points;
}

}  // namespace

DeviceId deviceOf(int author) {
  DeviceId id;
  id.bytes[0] = static_cast<kj::byte>(author + 1);
  return id;
}

int authorOf(const DeviceId& id) { return id.bytes[0] - 1; }

SlowHistory::Id Replica::idOf(Event event) const {
  if (event == Op::ROOT) return FugueMax::ROOT;
  auto name = document.graph().nameOf(event);
  return {authorOf(name.author), name.number};
}

// Tells the slow account of an operation of this device, of a text one by one.
void Replica::account(Event event, const Op& op, int64_t nowMs, uint32_t run) {
  auto object = idOf(op.object);
  auto typed = decoded(op.content);
  for (uint32_t i = 0; i < op.events(); ++i) {
    auto did = slow.begin(author, op.kind, object);
    must(did.id == idOf(event + i), "an operation is not the next of its author");
    did.timeMs = nowMs;
    did.run = op.kind == Op::Kind::TYPE ? run : 0;
    auto& sequence = slow.sequence(object);
    did.key = op.key;
    did.value = op.value;
    did.element = idOf(op.element);
    if (op.hasBetween())
      did.made = sequence.insertingBetween(idOf(op.left), idOf(op.right), did.id, 0);
    if (op.kind == Op::Kind::TYPE) did.made = sequence.inserting(op.at + i, did.id, typed[i]);
    if (op.kind == Op::Kind::ERASE) did.gone = sequence.erasing(op.at);
    if (op.kind == Op::Kind::BACKSPACE) did.gone = sequence.erasing(op.at - i);
    slow.take(history.add(std::move(did)));
  }
}

Replica::Entry Replica::commit(const std::vector<Op>& ops, int64_t nowMs, uint32_t run) {
  Entry entry{document.graph().countOf(deviceOf(author)), 0, treeOf(document), mergesSoFar};
  auto events = document.commit(deviceOf(author), ops, nowMs);
  must(events.has_value(), "operations that were made for the document are refused");
  auto event = events->begin;
  for (auto& op: ops) {
    account(event, op, nowMs, run);
    event += op.events();
  }
  entry.count = events->size();
  return entry;
}

std::vector<Replica::Bytes> Replica::since(const Version& known) const {
  std::vector<Bytes> all;
  for (auto& bundle: document.since(known)) {
    auto bytes = std::make_shared<kj::Array<kj::byte>>(encode(bundle));
    auto read = readBundle(*bytes);
    must(read.has_value() && *read == bundle, "a bundle is read otherwise than it was written");
    all.push_back(kj::mv(bytes));
  }
  return all;
}

std::vector<Replica::Bytes> Replica::toTell(const Version& before) {
  auto all = since(before);
  bundles.insert(bundles.end(), all.begin(), all.end());
  return all;
}

std::vector<Replica::Bytes> Replica::change(
    const std::vector<Op>& ops, int64_t nowMs, uint32_t run) {
  auto before = document.graph().version();
  done.push_back(commit(ops, nowMs, run));
  takenBack.clear();
  return toTell(before);
}

// As LiveDocument does: the newest events first, and as many at a time as stand side by side.
Replica::Entry Replica::invert(const Entry& entry, int64_t nowMs) {
  Entry inverse{document.graph().countOf(deviceOf(author)), 0, treeOf(document), mergesSoFar};
  std::vector<EventRange> ranges;
  for (uint32_t told = 0; told < entry.count;) {
    auto events =
        document.graph().findRange({deviceOf(author), entry.number + told}, entry.count - told);
    ranges.push_back(events);
    told += events.size();
  }
  for (auto events = ranges.rbegin(); events != ranges.rend(); ++events)
    inverse.count += commit(opsToUndo(document, *events), nowMs, 0).count;
  return inverse;
}

kj::Maybe<std::vector<Replica::Bytes>> Replica::invertNewest(
    std::vector<Entry>& from, std::vector<Entry>& to, int64_t nowMs) {
  if (from.empty()) return nullptr;
  auto entry = std::move(from.back());
  from.pop_back();
  auto before = document.graph().version();
  auto inverse = invert(entry, nowMs);
  if (entry.mergesThen == mergesSoFar)
    must(treeOf(document) == entry.before,
        "what was taken back is not as it was: " + said(treeOf(document)) + ", not " +
            said(entry.before));
  to.push_back(std::move(inverse));
  return toTell(before);
}

kj::Maybe<std::vector<Replica::Bytes>> Replica::takeBack(int64_t nowMs) {
  return invertNewest(done, takenBack, nowMs);
}

kj::Maybe<std::vector<Replica::Bytes>> Replica::makeAgain(int64_t nowMs) {
  return invertNewest(takenBack, done, nowMs);
}

bool Replica::take(Bytes bytes) {
  auto bundle = readBundle(*bytes);
  must(bundle.has_value(), "a bundle that was written is not read");
  Document::Merged merged;
  auto taken = document.merge(*bundle, merged);
  must(taken.has_value() || taken.error().code == Errc::STALE, "an honest change is refused");
  for (auto event = merged.events.begin; event < merged.events.end; ++event)
    slow.take(history.indexOf(idOf(event)));
  if (merged.events.size() > 0) ++mergesSoFar;
  if (taken) bundles.push_back(kj::mv(bytes));
  return taken.has_value();
}

Version Replica::commonWith(const Replica& other) const {
  Version common;
  for (auto head: other.document.graph().version()) {
    KJ_IF_MAYBE(known, document.graph().find(other.document.graph().nameOf(head)))
      common.push_back(*known);
  }
  std::ranges::sort(common);
  return document.graph().isVersion(common) ? common : Version();
}

void Replica::restart(bool fromBundles) {
  auto before = treeOf(document);
  auto events = document.graph().size();
  auto saved = since({});
  std::vector<Bytes> from = fromBundles ? bundles : saved;
  document = Document();
  for (auto& bytes: from) {
    Document::Merged merged;
    auto taken = document.merge(readBundle(*bytes).value(), merged);
    must(taken.has_value(), "what was saved is refused");
  }
  must(document.graph().size() == events, "a restart has lost events");
  must(treeOf(document) == before, "a restart has changed the document");
}

void Replica::checkText(Event event) {
  auto& text = std::get<Text>(document.object(event).state);
  std::vector<SlowHistory::Id> wrote;
  for (auto& range: text.authorship(document.graph())) {
    for (auto typed = range.begin; typed < range.end; ++typed) wrote.push_back(idOf(typed));
  }
  must(wrote == slow.sequence(idOf(event)).visiblePlaces(), "a text is said to be of others");
}

void Replica::check() {
  auto tree = treeOf(document), expected = slow.tree();
  must(tree == expected,
      "device " + std::to_string(author) + " has " + said(tree) + ", not " + said(expected));
  for (auto event: containersOf(document, Container::TEXT)) checkText(event);
}

}  // namespace hearth::storage
