#include "tests/storage/crdt/histories/world.h"

#include "storage/crdt/rope.h"

#include <algorithm>

namespace hearth::storage {

namespace {

void takeAll(Document& document, const Document& from) {
  for (auto& bundle: from.since({})) {
    Document::Merged merged;
    must(document.merge(bundle, merged).has_value(), "an honest change is refused");
  }
}

EventRange committed(Document& document, const DeviceId& author, const std::vector<Op>& ops) {
  auto events = document.commit(author, ops, 0);
  must(events.has_value(), "operations that were made for the document are refused");
  return *events;
}

std::string nameOf(int author) { return std::string(1, static_cast<char>('A' + author)); }

std::string listed(const std::vector<Op>& ops) {
  std::string line;
  for (auto& op: ops) line += (line.empty() ? "" : "; ") + said(op);
  return line;
}

}  // namespace

World::World(size_t devices, std::string* told)
    : inboxes(devices),
      typing(devices),
      side(devices),
      told(told) {
  for (size_t i = 0; i < devices; ++i) replicas.emplace_back(static_cast<int>(i), history);
}

void World::tell(const std::string& line) {
  if (told != nullptr) *told += line + "\n";
}

void World::say(const Replica& from, std::vector<Replica::Bytes> bundles) {
  if (bundles.empty()) return;
  messages.push_back({from.author, std::move(bundles)});
  for (size_t i = 0; i < replicas.size(); ++i)
    if (replicas[i].author != from.author) inboxes[i].push_back(messages.size() - 1);
}

void World::go(const Step& step) {
  Luck luck(step.luck);
  nowMs += static_cast<int64_t>(luck.below(40'000));
  auto& replica = replicas[step.who];
  auto name = nameOf(replica.author);
  using What = Step::What;
  switch (step.what) {
    case What::BEGIN:
      begin(replica);
      break;
    case What::CHANGE:
      change(replica, luck);
      break;
    case What::TYPE:
      type(replica, luck);
      break;
    case What::DELIVER:
      deliver(replica, luck);
      break;
    case What::EXCHANGE:
      if (side[step.who] == side[step.other]) exchange(replica, replicas[step.other], luck);
      break;
    case What::CUT:
      for (size_t i = 0; i < side.size(); ++i) side[i] = luck.below(2) == 0;
      tell("the network falls apart");
      break;
    case What::HEAL:
      side.assign(side.size(), false);
      tell("the network is one again");
      break;
    case What::RESTART:
      tell(name + " starts anew");
      replica.restart(luck.below(2) == 0);
      break;
    case What::TAKE_BACK:
      tell(name + " takes its newest change back");
      KJ_IF_MAYBE(bundles, replica.takeBack(nowMs)) say(replica, std::move(*bundles));
      break;
    case What::MAKE_AGAIN:
      tell(name + " makes it again");
      KJ_IF_MAYBE(bundles, replica.makeAgain(nowMs)) say(replica, std::move(*bundles));
      break;
    case What::NOTE: {
      Note note{{}, treeOf(replica.document)};
      auto& graph = replica.document.graph();
      for (auto head: graph.version()) note.version.push_back(graph.nameOf(head));
      notes.push_back(std::move(note));
      break;
    }
    case What::OPPOSE:
      oppose(replica, replicas[step.other], luck);
      break;
  }
  if (luck.below(8) == 0) replica.check();
}

void World::begin(Replica& replica) {
  tell(nameOf(replica.author) + " makes one of everything, which all take");
  Draft draft(replica.document);
  auto number = [](int64_t value) { return Tree{value}; };
  Tree::Map all{{"a", {Tree::List{number(1), number(2), number(3), number(4)}}},
      {"b", {Tree::Written{"words"}}}, {"c", {Tree::Members{{number(0)}}}},
      {"d", {Tree::Map{{"a", number(5)}}}}, {"e", {Tree::Counted{6}}}};
  must(draft.set({}, {std::move(all)}).has_value(), "a document cannot be begun");
  say(replica, replica.change(draft.ops(), nowMs));
  for (auto& other: replicas)
    if (other.author != replica.author) {
      for (auto& bundle: replica.since({})) other.take(bundle);
    }
}

void World::change(Replica& replica, Luck& luck) {
  auto ops = someOps(replica.document, luck);
  if (ops.empty()) return;
  tell(nameOf(replica.author) + ": " + listed(ops));
  say(replica, replica.change(ops, nowMs));
}

// Where the typing was. Forwards anything may have happened since; backwards what came or was deleted in front of
// the last letter would make it another place.
void World::type(Replica& replica, Luck& luck) {
  auto texts = containersOf(replica.document, Container::TEXT);
  auto wantsMore = luck.below(10) < 7;
  auto backwards = luck.below(2) == 0;
  auto word = someWord(luck);
  if (texts.empty()) {
    auto make = std::vector<Op>{{.kind = Op::Kind::PUT, .key = "t", .value = Container::TEXT}};
    tell(nameOf(replica.author) + ": " + listed(make));
    return say(replica, replica.change(make, nowMs));
  }
  // Mostly the same one, so that many meet in it.
  auto text = texts[luck.below(4) == 0 ? luck.below(texts.size()) : 0];
  auto length = std::get<Text>(replica.document.object(text).state).length();
  auto at = static_cast<uint32_t>(luck.below(2) == 0 ? length / 2 : luck.below(length + 1));
  auto& before = typing[static_cast<size_t>(replica.author)];
  auto id = replica.idOf(text);
  auto visible = replica.slow.sequence(id).visiblePlaces();
  auto last = std::ranges::find(visible, before.last);
  bool goesOn = wantsMore && before.run > 0 && before.text == id && last != visible.end() &&
      (!before.backwards || before.events == replica.document.graph().size());
  if (goesOn) {
    backwards = before.backwards;
    at = static_cast<uint32_t>(last - visible.begin()) + (backwards ? 0 : 1);
  } else {
    before = {.run = ++runs, .text = id, .last = {}, .backwards = backwards};
  }
  std::vector<Op> ops;
  if (backwards) {
    for (size_t i = 0; i < word.size();) {
      auto size = bytesOf(std::string_view(word).substr(i), 1);
      ops.push_back({.kind = Op::Kind::TYPE,
          .object = text,
          .at = at,
          .count = 1,
          .content = word.substr(i, size)});
      i += size;
    }
  } else {
    ops.push_back({.kind = Op::Kind::TYPE,
        .object = text,
        .at = at,
        .count = codePoints(word),
        .content = word});
  }
  tell(nameOf(replica.author) + (goesOn ? " goes on: " : ": ") + listed(ops));
  say(replica, replica.change(ops, nowMs, before.run));
  before.last = replica.idOf(replica.document.graph().size() - 1);
  before.events = replica.document.graph().size();
}

void World::deliver(Replica& replica, Luck& luck) {
  auto& inbox = inboxes[static_cast<size_t>(replica.author)];
  auto many = 1 + luck.below(5);
  for (size_t i = 0; i < many && !inbox.empty(); ++i) {
    auto at = luck.below(inbox.size());
    bool comesAgain = luck.below(4) == 0;
    auto& message = messages[inbox[at]];
    if (side[static_cast<size_t>(message.from)] != side[static_cast<size_t>(replica.author)])
      continue;
    bool taken =
        std::ranges::all_of(message.bundles, [&](auto& bundle) { return replica.take(bundle); });
    tell(nameOf(replica.author) + (taken ? " hears #" : " cannot use yet #") +
        std::to_string(inbox[at]) + " of " + nameOf(message.from));
    if (taken && !comesAgain) inbox.erase(inbox.begin() + static_cast<ptrdiff_t>(at));
  }
}

void World::exchange(Replica& replica, const Replica& from, Luck& luck) {
  tell(nameOf(replica.author) + " takes all of " + nameOf(from.author));
  auto known = luck.below(2) ? from.commonWith(replica) : Version();
  for (auto& bundle: from.since(known))
    must(replica.take(bundle), "all that somebody has is not enough");
}

// A change that is taken back when others have come beside it leaves what there would be without it; and
// made again, what there was before.
void World::oppose(const Replica& replica, const Replica& other, Luck& luck) {
  auto with = replica.clone(), without = replica.clone();
  auto ops = someOps(with, luck);
  if (ops.empty()) return;
  auto author = deviceOf(replica.author);
  auto change = committed(with, author, ops);
  takeAll(with, other.document);
  takeAll(without, other.document);
  auto made = treeOf(with), expected = treeOf(without);
  auto undone = committed(with, author, opsToUndo(with, change));
  auto left = treeOf(with);
  auto line = nameOf(replica.author) + " beside " + nameOf(other.author) + ": " + listed(ops);
  must(left == expected,
      line + "\nmade    " + said(made) + "\nundone  " + said(left) + "\nwithout " + said(expected));
  committed(with, author, opsToUndo(with, undone));
  must(treeOf(with) == made,
      line + "\nmade    " + said(made) + "\nundone  " + said(left) + "\nredone  " +
          said(treeOf(with)));
}

std::optional<std::string> play(const Story& story, std::string* told) {
  try {
    World world(story.devices, told);
    for (auto& step: story.steps) world.go(step);
    world.end();
    return std::nullopt;
  } catch (const Broken& broken) {
    return broken.what;
  } catch (const kj::Exception& e) {
    return std::string(e.getDescription().cStr()) + " (" + e.getFile() + ":" +
        std::to_string(e.getLine()) + ")";
  } catch (const std::exception& e) {
    return std::string(e.what());
  }
}

}  // namespace hearth::storage
