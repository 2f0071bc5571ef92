#include "bindings/local/daemon.h"

#include "bindings/local/blobs.h"
#include "bindings/local/clipboard.h"
#include "bindings/local/documents.h"
#include "bindings/local/finding.h"
#include "bindings/local/folders.h"
#include "bindings/local/invitation.h"
#include "bindings/local/limits.h"
#include "bindings/local/refuse.h"
#include "bindings/local/settings.h"
#include "bindings/local/views.h"
#include "crypto/identity/display.h"
#include "devices/vault/vaults.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <algorithm>

namespace hearth::local {

namespace {

constexpr uint32_t JOBS_SHOWN_MAX = 1'000;

// The app at the other end of the socket.
class AppClient final: public devices::JobClient, private kj::TaskSet::ErrorHandler {
 public:
  AppClient(TextSink::Client sink, JobWatch::Client watch, bool levels)
      : sink(kj::mv(sink)),
        watch(kj::mv(watch)),
        levels(levels),
        tasks(*this) {}

  kj::Promise<void> piece(Piece piece) override {
    auto request = sink.textRequest();
    auto out = request.initPiece();
    out.setSeq(piece.text.seq);
    out.setText(piece.text.text);
    out.setPtsUs(piece.text.ptsUs);
    out.setLatencyMs(piece.latencyMs);
    return request.send().ignoreResult();
  }

  void event(const devices::JobRecord::Event& event) override {
    auto request = watch.eventRequest();
    write(event, request.initEvent());
    tasks.add(request.send().ignoreResult());
  }

  bool wantsLevels() const override { return levels; }
  void level(devices::Level level) override {
    auto request = watch.levelRequest();
    auto out = request.initLevel();
    out.setDbBelowFull(level.dBBelowFull);
    out.setSkipped(level.skipped);
    tasks.add(request.send().ignoreResult());
  }

  void ended(const devices::JobRecord& record) override {
    auto request = sink.endedRequest();
    auto end = request.initEnd();
    end.setOk(record.state == "done");
    end.setMessage(record.message.c_str());
    // The last word goes out though nobody holds this client any more.
    request.send().ignoreResult().detach([](kj::Exception&&) {});
  }

 private:
  TextSink::Client sink;
  JobWatch::Client watch;
  bool levels;
  kj::TaskSet tasks;

  void taskFailed(kj::Exception&&) override {}  // an app that does not watch
};

// A node's jobs, for capabilities that may outlive them.
struct JobsWhileThere final: public kj::Refcounted {
  explicit JobsWhileThere(devices::Jobs& jobs): jobs(jobs) {}
  kj::Maybe<devices::Jobs&> jobs;  // none: the node is gone, and its jobs with it

  void cancel(const JobId& id) {
    KJ_IF_MAYBE(there, jobs) there->cancel(id);
  }
};

class JobServer final: public Job::Server {
 public:
  JobServer(kj::Own<JobsWhileThere> jobs, const JobId& id): jobs(kj::mv(jobs)), jobId(id) {}
  ~JobServer() noexcept(false) { jobs->cancel(jobId); }  // whoever drops the job does not want it

  kj::Promise<void> id(IdContext context) override {
    context.getResults().setId(kj::encodeHex(jobId.asBytes()));
    return kj::READY_NOW;
  }

  kj::Promise<void> cancel(CancelContext) override {
    jobs->cancel(jobId);
    return kj::READY_NOW;
  }

 private:
  kj::Own<JobsWhileThere> jobs;
  JobId jobId;
};

class DaemonServer final: public Daemon::Server {
 public:
  DaemonServer(devices::Node& node, kj::Timer& timer, kj::TimePoint startedAt)
      : node(node),
        timer(timer),
        startedAt(startedAt),
        work(kj::refcounted<JobsWhileThere>(node.work())),
        papers(kj::refcounted<NodeWhileThere>(node)) {}
  ~DaemonServer() noexcept(false) {
    work->jobs = nullptr;
    papers->node = nullptr;
  }

  kj::Promise<void> status(StatusContext context) override {
    writeStatus(node, node.devices(), node.work().running(), timer.now() - startedAt,
        context.getResults().initStatus());
    return kj::READY_NOW;
  }

  kj::Promise<void> devices(DevicesContext context) override {
    auto views = node.devices();
    auto pending = node.desk().pending();
    auto out = context.getResults().initDevices(static_cast<kj::uint>(views.size()));
    for (kj::uint i = 0; i < views.size(); ++i) {
      write(views[i], out[i]);
      writePending(pending, views[i], out[i]);
    }
    for (kj::uint i = 0; i < views.size(); ++i) {
      if (views[i].role != crypto::Role::VAULT) continue;
      auto held = co_await node.data().vaults().usage(views[i].id);
      out[i].setHeldFiles(held.items);
      out[i].setHeldBytes(held.bytes);
    }
  }

  kj::Promise<void> links(LinksContext context) override {
    auto views = node.linksUp();
    auto out = context.getResults().initLinks(static_cast<kj::uint>(views.size()));
    for (kj::uint i = 0; i < views.size(); ++i) write(views[i], node.nameOf(views[i].peer), out[i]);
    return kj::READY_NOW;
  }

  kj::Promise<void> run(RunContext context) override {
    auto params = context.getParams();
    auto order = orderOf(params.getOrder());
    auto client =
        kj::heap<AppClient>(params.getSink(), params.getWatch(), params.getOrder().getLevels());
    auto job = node.work().run(kj::mv(order), kj::mv(client));
    if (!job) refuse(job.error());
    context.getResults().setJob(kj::heap<JobServer>(kj::addRef(*work), *job));
    return kj::READY_NOW;
  }

  kj::Promise<void> jobs(JobsContext context) override {
    auto records =
        co_await node.work().newest(kj::min(context.getParams().getMost(), JOBS_SHOWN_MAX));
    auto out = context.getResults().initJobs(static_cast<kj::uint>(records.size()));
    for (kj::uint i = 0; i < records.size(); ++i) write(records[i], out[i]);
  }

  kj::Promise<void> why(WhyContext context) override {
    auto record = co_await node.work().find(context.getParams().getJob().cStr());
    if (!record) refuse(record.error());
    write(*record, context.getResults().initRecord());
  }

  kj::Promise<void> pair(PairContext context) override {
    auto params = context.getParams();
    auto invitation = readInvitation(params.getCode(), params.getAddress());
    if (!invitation) refuse(invitation.error());
    AppPerson person(params.getConfirm());
    auto paired = co_await node.pair(
        kj::mv(invitation->means), kj::mv(invitation->addresses), roleOf(params.getRole()), person);
    if (!paired) refuse(paired.error());
    write(*paired, context.getResults().initDevice());
  }

  kj::Promise<void> waiting(WaitingContext context) override {
    auto places = co_await node.waiting();
    auto out = context.getResults().initPlaces(static_cast<kj::uint>(places.size()));
    for (kj::uint i = 0; i < places.size(); ++i) out.set(i, places[i].c_str());
  }

  kj::Promise<void> remove(RemoveContext context) override {
    auto params = context.getParams();
    auto id = deviceCalled(params.getDevice());
    auto reason = reasonOf(params.getReason());
    auto removed = co_await node.errand([&]() { return node.desk().remove(id, reason); });
    writeChange(removed, id, context.getResults());
  }

  kj::Promise<void> setRole(SetRoleContext context) override {
    auto params = context.getParams();
    auto id = deviceCalled(params.getDevice());
    auto role = roleOf(params.getRole());
    auto set = co_await node.errand([&]() { return node.desk().setRole(id, role); });
    writeChange(set, id, context.getResults());
  }

  kj::Promise<void> reinstate(ReinstateContext context) override {
    auto id = deviceCalled(context.getParams().getDevice());
    auto back = co_await node.errand([&]() { return node.desk().reinstate(id); });
    writeChange(back, id, context.getResults());
  }

  kj::Promise<void> policy(PolicyContext context) override {
    std::vector<devices::Setting> wanted;
    for (auto setting: context.getParams().getSet())
      wanted.push_back({setting.getKey().cStr(), setting.getValue().cStr()});
    auto results = context.getResults();
    if (!wanted.empty()) {
      auto set = co_await node.errand([&]() { return node.desk().setPolicy(kj::mv(wanted)); });
      if (!set) refuse(set.error());
      KJ_IF_MAYBE(waits, *set) write(*waits, results.initWaits());
    }
    auto view = node.desk().policy();
    results.setVersion(view.version);
    auto out = results.initSettings(static_cast<kj::uint>(view.settings.size()));
    for (kj::uint i = 0; i < view.settings.size(); ++i) {
      out[i].setKey(view.settings[i].key.c_str());
      out[i].setValue(view.settings[i].value.c_str());
    }
  }

  kj::Promise<void> leave(LeaveContext) override {
    auto left = co_await node.errand([&]() { return node.desk().leave(); });
    if (!left) refuse(left.error());
  }

  kj::Promise<void> rename(RenameContext context) override {
    auto params = context.getParams();
    auto id =
        params.getDevice().size() == 0 ? node.circle().selfId() : deviceCalled(params.getDevice());
    std::string name = params.getName().cStr();
    auto renamed = co_await node.errand([&]() { return node.desk().rename(id, name); });
    if (!renamed) refuse(renamed.error());
    auto view = viewOf(id);
    view.name = name;  // another device's op may be on its way
    write(view, context.getResults().initDevice());
  }

  kj::Promise<void> pending(PendingContext context) override {
    auto views = node.desk().pending();
    auto out = context.getResults().initPending(static_cast<kj::uint>(views.size()));
    for (kj::uint i = 0; i < views.size(); ++i) write(views[i], out[i]);
    return kj::READY_NOW;
  }

  kj::Promise<void> decide(DecideContext context) override {
    auto params = context.getParams();
    std::string id = params.getId().cStr();
    bool agrees = params.getAgrees();
    auto done = co_await node.errand([&]() { return node.desk().decide(id, agrees); });
    if (!done) refuse(done.error());
    context.getResults().setDone(*done);
  }

  kj::Promise<void> documents(DocumentsContext context) override {
    context.getResults().setDocuments(newDocuments(kj::addRef(*papers)));
    return kj::READY_NOW;
  }

  kj::Promise<void> blobs(BlobsContext context) override {
    context.getResults().setBlobs(newBlobs(kj::addRef(*papers)));
    return kj::READY_NOW;
  }
  kj::Promise<void> folders(FoldersContext context) override {
    context.getResults().setFolders(newFolders(kj::addRef(*papers)));
    return kj::READY_NOW;
  }

  kj::Promise<void> clipboard(ClipboardContext context) override {
    context.getResults().setClipboard(newClipboard(kj::addRef(*papers)));
    return kj::READY_NOW;
  }

  kj::Promise<void> settings(SettingsContext context) override {
    context.getResults().setSettings(newSettings(kj::addRef(*papers)));
    return kj::READY_NOW;
  }

  kj::Promise<void> limits(LimitsContext context) override {
    context.getResults().setLimits(newLimits(kj::addRef(*papers)));
    return kj::READY_NOW;
  }

  kj::Promise<void> find(FindContext context) override {
    auto params = context.getParams();
    co_await answer(node.data().search(), params, context.getResults());
  }

  kj::Promise<void> checkUp(CheckUpContext context) override {
    auto found = co_await node.checkUp();
    auto results = context.getResults();
    results.setPages(found.pages);
    auto out = results.initProblems(static_cast<kj::uint>(found.problems.size()));
    for (kj::uint i = 0; i < found.problems.size(); ++i) out.set(i, found.problems[i].c_str());
  }

  kj::Promise<void> relays(RelaysContext context) override {
    auto params = context.getParams();
    if (params.getAdd().size() > 0) {
      auto added = co_await node.addRelay(params.getAdd().cStr());
      if (!added) refuse(added.error());
    }
    if (params.getRemove().size() > 0) {
      auto removed = co_await node.removeRelay(params.getRemove().cStr());
      if (!removed) refuse(removed.error());
    }
    auto& named = node.relaysUsed().named();
    auto out = context.getResults().initRelays(static_cast<kj::uint>(named.size()));
    for (kj::uint i = 0; i < named.size(); ++i) {
      out[i].setAddress(named[i].c_str());
      out[i].setWaiting(node.relaysUsed().isWaitingAt(named[i]));
    }
  }

 private:
  devices::Node& node;
  kj::Timer& timer;
  kj::TimePoint startedAt;
  kj::Own<JobsWhileThere> work;
  kj::Own<NodeWhileThere> papers;

  DeviceId deviceCalled(kj::StringPtr wanted) {
    auto found = node.device(wanted.cStr());
    if (!found) refuse(found.error());
    return found->id;
  }

  devices::DeviceView viewOf(const DeviceId& id) {
    auto found = node.device(crypto::display(id).cStr());
    KJ_REQUIRE(found.has_value(), "a device that is not there any more");
    return kj::mv(*found);
  }

  template <typename Results>
  void writeChange(
      const Result<devices::CircleDesk::Change>& change, const DeviceId& id, Results out) {
    if (!change) refuse(change.error());
    write(viewOf(id), out.initDevice());
    KJ_IF_MAYBE(waits, *change) write(*waits, out.initWaits());
  }

  // What is about the device, or waits for the word of its user.
  static void writePending(const std::vector<devices::PendingView>& all,
      const devices::DeviceView& device, Device::Builder out) {
    std::vector<const devices::PendingView*> its;
    for (auto& view: all) {
      bool waitsForIt = std::ranges::any_of(
          view.waitsFor, [&](auto& waitedFor) { return waitedFor.device == device.id; });
      if (view.target == device.id || waitsForIt) its.push_back(&view);
    }
    auto list = out.initPending(static_cast<kj::uint>(its.size()));
    for (kj::uint i = 0; i < its.size(); ++i) write(*its[i], list[i]);
  }

  static crypto::Role roleOf(Role role) {
    switch (role) {
      case Role::ADMIN:
        return crypto::Role::ADMIN;
      case Role::MEMBER:
        return crypto::Role::MEMBER;
      case Role::VAULT:
        return crypto::Role::VAULT;
    }
    refuse("no such role");
  }

  static crypto::RemoveReason reasonOf(RemoveReason reason) {
    switch (reason) {
      case RemoveReason::LOST:
        return crypto::RemoveReason::LOST;
      case RemoveReason::STOLEN:
        return crypto::RemoveReason::STOLEN;
      case RemoveReason::RETIRED:
        return crypto::RemoveReason::RETIRED;
    }
    refuse("no such reason");
  }

  devices::JobOrder orderOf(JobOrder::Reader reader) {
    auto workload = router::parseWorkload(reader.getWorkload().cStr());
    if (!workload) refuse(workload.error().c_str());
    devices::JobOrder order{.workload = kj::mv(*workload), .source = node.circle().selfId()};
    if (reader.getFrom().size() > 0) {
      auto source = node.device(reader.getFrom().cStr());
      if (!source) refuse(source.error());
      order.source = source->id;
    }
    for (auto input: reader.getInputs()) {
      auto recording = devices::readWav(input.getWav());
      if (!recording) refuse(recording.error());
      std::string stage = input.getPort().cStr();
      bool known = std::ranges::any_of(order.workload.stages,
          [&](auto& s) { return s.name == stage && s.kind == router::StageKind::SOURCE; });
      if (!known) refuse(kj::str(stage.c_str(), ": the workload has no such source"));
      order.recordings[stage] = kj::mv(*recording);
    }
    return order;
  }
};

}  // namespace

struct DaemonDoor::Inside {
  Inside(devices::Node& node, kj::Timer& timer, kj::TimePoint startedAt)
      : server(node, timer, startedAt) {}
  DaemonServer server;
  capnp::RevocableServer<Daemon> revocable{server};
};

DaemonDoor::DaemonDoor(devices::Node& node, kj::Timer& timer, kj::TimePoint startedAt)
    : inside(kj::heap<Inside>(node, timer, startedAt)) {}

DaemonDoor::~DaemonDoor() noexcept(false) {
  inside->revocable.revoke(KJ_EXCEPTION(DISCONNECTED, "the daemon has ended"));
}

Daemon::Client DaemonDoor::client() { return inside->revocable.getClient(); }

}  // namespace hearth::local
