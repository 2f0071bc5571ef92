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
    auto added = co_await all().add(params.getPath().cStr(), params.getName().cStr());
    if (!added) refuse(added.error().c_str());
  }

  kj::Promise<void> remove(RemoveContext context) override {
    context.getResults().setWasThere(co_await all().remove(context.getParams().getName().cStr()));
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
