#include "bindings/local/folders.h"

#include "bindings/local/refuse.h"

namespace hearth::local {

namespace {

void write(devices::Node& node, const devices::Folders::View& view, Folder::Builder out) {
  auto& status = view.status;
  out.setName(view.name.c_str());
  out.setPath(view.path.c_str());
  out.setFiles(status.totals.files);
  out.setBytes(status.totals.bytes);
  out.setPending(status.totals.pending);
  out.setScanning(status.isLookingAtAll);
  out.setLookedAt(status.lookedAt);
  out.setReceivedBytes(status.receivedBytes);
  out.setProblem(status.problem.c_str());
  out.setAwayFiles(status.totals.awayFiles);
  out.setAwayBytes(status.totals.awayBytes);
  out.setRests(status.rests.c_str());
  out.setDirection(static_cast<Direction>(view.direction));
  out.setChangedHere(status.changedHere);
  out.setNotTaken(status.notTaken);
  auto choices = out.initChoices(static_cast<kj::uint>(status.choices.size()));
  for (kj::uint i = 0; i < status.choices.size(); ++i) {
    choices[i].setPath(status.choices[i].path.str().c_str());
    choices[i].setKept(status.choices[i].isKept);
  }
  auto troubles = out.initTroubles(static_cast<kj::uint>(status.troubles.size()));
  kj::uint next = 0;
  for (auto& [path, trouble]: status.troubles) {
    troubles[next].setPath(path.c_str());
    troubles[next].setLeftOut(trouble.isLeftOut);
    troubles[next++].setWhat(trouble.what.c_str());
  }
  std::vector<DeviceId> inStep;
  bool isDone = status.totals.pending == 0 && !status.isLookingAtAll && status.problem.empty();
  if (isDone) inStep = node.data().inStepWith();
  auto with = out.initUpToDateWith(static_cast<kj::uint>(inStep.size()));
  for (kj::uint i = 0; i < inStep.size(); ++i) with.set(i, node.nameOf(inStep[i]).c_str());
  std::vector<std::string> up;
  for (auto& link: node.linksUp()) up.push_back(node.nameOf(link.peer));
  auto reachable = out.initReachable(static_cast<kj::uint>(up.size()));
  for (kj::uint i = 0; i < up.size(); ++i) reachable.set(i, up[i].c_str());
}

// The two have the same numbers.
devices::Folders::Direction directionOf(Direction direction) {
  if (direction > Direction::RECEIVE) refuse("a direction that this hearthd does not know");
  return static_cast<devices::Folders::Direction>(direction);
}

devices::Folder::Choice choiceOf(KeepChoice what) {
  switch (what) {
    case KeepChoice::FREE:
      return devices::Folder::Choice::FREE;
    case KeepChoice::ONLY:
      return devices::Folder::Choice::ONLY;
    case KeepChoice::KEEP:
      return devices::Folder::Choice::KEEP;
  }
  refuse("a choice that this hearthd does not know");
}

void write(const devices::FolderFreeing::Report& report, Freed::Builder out) {
  out.setFiles(report.files);
  out.setBytes(report.bytes);
  out.setStaying(report.staying);
  auto reasons = out.initReasons(static_cast<kj::uint>(report.reasons.size()));
  kj::uint next = 0;
  for (auto& [path, why]: report.reasons) {
    reasons[next].setPath(path.c_str());
    reasons[next++].setWhat(why.c_str());
  }
}

void write(const storage::folder_listing::Held& held, FolderEntry::Builder out) {
  out.setHereFiles(held.files);
  out.setHereBytes(held.bytes);
  out.setAwayFiles(held.awayFiles);
  out.setAwayBytes(held.awayBytes);
}

void write(const storage::folder_listing::Entry& entry, FolderEntry::Builder out) {
  using Kind = storage::PathState::Kind;
  auto& state = entry.state;
  out.setName(entry.name.c_str());
  out.setKind(state.kind == Kind::FILE    ? FolderEntry::Kind::FILE
          : state.kind == Kind::DIRECTORY ? FolderEntry::Kind::DIRECTORY
                                          : FolderEntry::Kind::LINK);
  out.setBytes(state.kind == Kind::FILE ? state.content.top.length : 0);
  out.setModifiedNs(state.attributes.modifiedNs);
  out.setMode(state.attributes.mode);
  out.setHere(entry.isHere);
  out.setKept(entry.isKept);
  out.setTarget(state.target.c_str());
  if (state.kind == Kind::FILE) out.setContent(state.content.encode());
}

FolderRead howOf(devices::FolderReading::Failure failure) {
  using Failure = devices::FolderReading::Failure;
  switch (failure) {
    case Failure::MISSING:
      return FolderRead::MISSING;
    case Failure::CHANGED:
      return FolderRead::CHANGED;
    case Failure::NOWHERE:
      return FolderRead::NOWHERE;
    case Failure::TIMED_OUT:
      return FolderRead::TIMED_OUT;
    case Failure::FAILED:
      return FolderRead::FAILED;
  }
  KJ_UNREACHABLE;
}

class FoldersServer final: public Folders::Server {
 public:
  explicit FoldersServer(kj::Own<NodeWhileThere> node): node(kj::mv(node)) {}

  kj::Promise<void> list(ListContext context) override {
    auto views = co_await all().list();
    auto out = context.getResults().initFolders(static_cast<kj::uint>(views.size()));
    for (kj::uint i = 0; i < views.size(); ++i) write(node->there(), views[i], out[i]);
  }

  kj::Promise<void> add(AddContext context) override {
    auto params = context.getParams();
    auto added = co_await all().add(
        params.getPath().cStr(), params.getName().cStr(), directionOf(params.getDirection()));
    if (!added) refuse(added.error().c_str());
  }

  kj::Promise<void> set(SetContext context) override {
    auto params = context.getParams();
    context.getResults().setWasThere(
        co_await all().set(params.getName().cStr(), directionOf(params.getDirection())));
  }

  kj::Promise<void> remove(RemoveContext context) override {
    context.getResults().setWasThere(co_await all().remove(context.getParams().getName().cStr()));
  }

  kj::Promise<void> choose(ChooseContext context) override {
    auto params = context.getParams();
    std::vector<std::string> paths;
    for (auto path: params.getPaths()) paths.emplace_back(path.cStr());
    auto chosen = co_await all().choose(choiceOf(params.getWhat()), kj::mv(paths));
    if (!chosen) refuse(chosen.error().c_str());
    write(*chosen, context.getResults().initFreed());
  }

  kj::Promise<void> show(ShowContext context) override {
    auto params = context.getParams();
    auto shown = co_await all().show(params.getPath().cStr(), params.getAfter().cStr());
    if (!shown) refuse(shown.error().c_str());
    auto out = context.getResults().initShown();
    out.setFolder(shown->name.c_str());
    out.setPath(shown->path.str().c_str());
    auto entry = out.initEntry();
    entry.setKind(FolderEntry::Kind::DIRECTORY);
    entry.setHere(true);
    entry.setKept(true);
    KJ_IF_MAYBE(itself, shown->entry) write(*itself, entry);
    write(shown->held, entry);
    auto entries = out.initEntries(static_cast<kj::uint>(shown->in.size()));
    for (kj::uint i = 0; i < shown->in.size(); ++i) {
      write(shown->in[i].first, entries[i]);
      write(shown->in[i].second, entries[i]);
    }
    out.setMore(shown->hasMore);
  }

  kj::Promise<void> look(LookContext context) override {
    auto found = co_await all().look(context.getParams().getPath().cStr());
    KJ_IF_MAYBE(entry, found) {
      context.getResults().setFound(true);
      write(*entry, context.getResults().initEntry());
    }
  }

  kj::Promise<void> read(ReadContext context) override {
    auto params = context.getParams();
    auto ref = devices::BlobRef::parse(params.getContent());
    if (!ref) refuse("what is read has no content");
    auto read =
        co_await all().read(params.getPath().cStr(), *ref, params.getOffset(), params.getBytes());
    context.getResults().setHow(read ? FolderRead::DONE : howOf(read.error()));
    if (read) context.getResults().setBytes(*read);
  }

 private:
  kj::Own<NodeWhileThere> node;

  devices::Folders& all() {
    KJ_IF_MAYBE(folders, node->there().data().folders()) return *folders;
    refuse("this device has no folders");
  }
};

}  // namespace

Folders::Client newFolders(kj::Own<NodeWhileThere> node) {
  return kj::heap<FoldersServer>(kj::mv(node));
}

}  // namespace hearth::local
