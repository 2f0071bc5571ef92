#include "devices/node/jobs.h"

#include "storage/tables/jobs.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <algorithm>

namespace hearth::devices {

namespace {

using router::JobNote;

std::string hexOf(const JobId& id) { return kj::encodeHex(id.asBytes()).cStr(); }

const char* nameOf(JobNote::Kind kind) {
  switch (kind) {
    case JobNote::Kind::PLACED:
      return "placed";
    case JobNote::Kind::STARTED:
      return "started";
    case JobNote::Kind::FIRST_FRAME:
      return "first-frame";
    case JobNote::Kind::LOST:
      return "lost";
    case JobNote::Kind::FAILED:
      return "failed";
    case JobNote::Kind::WAITING:
      return "waiting";
    case JobNote::Kind::RESUMED:
      return "resumed";
    case JobNote::Kind::ENDED:
      return "ended";
  }
  KJ_UNREACHABLE;
}

const char* nameOf(router::JobMachine::State state) {
  switch (state) {
    case router::JobMachine::State::PLACING:
    case router::JobMachine::State::RUNNING:
      return "running";
    case router::JobMachine::State::WAITING:
      return "waiting";
    case router::JobMachine::State::DONE:
      return "done";
    case router::JobMachine::State::FAILED:
      return "failed";
    case router::JobMachine::State::CANCELLED:
      return "cancelled";
  }
  KJ_UNREACHABLE;
}

router::JobStage::Kind kindOf(router::StageKind kind) {
  switch (kind) {
    case router::StageKind::SOURCE:
      return router::JobStage::Kind::SOURCE;
    case router::StageKind::PLUGIN:
      return router::JobStage::Kind::PLUGIN;
    case router::StageKind::SINK:
      return router::JobStage::Kind::SINK;
  }
  KJ_UNREACHABLE;
}

router::JobSpec specOf(const JobId& id, const router::Workload& workload) {
  router::JobSpec spec{.id = id};
  for (size_t i = 0; i < workload.stages.size(); ++i) {
    auto& stage = workload.stages[i];
    spec.stages.push_back({{stage.name, kindOf(stage.kind)}, stage.task, stage.params});
    for (size_t port = 0; port < stage.inputs.size(); ++port) {
      spec.edges.push_back({static_cast<router::StageIndex>(stage.inputs[port]), 0,
          static_cast<router::StageIndex>(i), static_cast<uint8_t>(port)});
    }
  }
  return spec;
}

}  // namespace

// One job: its runner, its record, its app.
class Jobs::Job final: private router::JobRunner::Observer {
 public:
  Job(Jobs& owner, const JobId& id, JobOrder order, kj::Own<JobClient> client)
      : owner(owner),
        parts(owner.parts),
        id(id),
        order(kj::mv(order)),
        client(kj::mv(client)),
        runner(
            specOf(id, this->order.workload),
            [this](auto& keep, auto& excluded) { return place(keep, excluded); },
            parts.fleet.own().id, parts.executor, parts.clock, parts.hosts, *this,
            textSink([this](TextPiece piece) { return deliver(kj::mv(piece)); })),
        over(runner.over().then([this]() { end(); }).eagerlyEvaluate(nullptr)) {
    record.id = hexOf(id);
    record.workload = this->order.workload.name;
    record.startedMs = nowMs();
    lendRecordings();
    owner.save(record);
    runner.begin();
  }

  ~Job() noexcept(false) { parts.bodies.takeBack(id); }

  router::JobRunner& work() { return runner; }
  void forgetClient() {
    listening = nullptr;
    client = nullptr;
  }
  const JobRecord& seen() const { return record; }
  void fleetChanged() {
    runner.fleetChanged();
    listen();
  }

 private:
  Jobs& owner;
  Parts& parts;
  JobId id;
  JobOrder order;
  kj::Maybe<kj::Own<JobClient>> client;
  JobRecord record;
  router::Plan plan;  // the newest; the machine notes what of it is new
  std::map<DeviceId, kj::Own<void>> attention;
  router::JobRunner runner;
  kj::Promise<void> over;
  Levels::Show showLevel = [this](Level level) {
    KJ_IF_MAYBE(app, client) (*app)->level(level);
  };
  kj::Maybe<std::pair<router::StageIndex, DeviceId>> microphone;  // where it has begun
  bool isListening = false;
  kj::Promise<void> listening = nullptr;

  int64_t nowMs() const { return (parts.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS; }

  void lendRecordings() {
    for (size_t i = 0; i < order.workload.stages.size(); ++i) {
      auto found = order.recordings.find(order.workload.stages[i].name);
      if (found == order.recordings.end()) continue;
      parts.bodies.lend(id, static_cast<router::StageIndex>(i), kj::mv(found->second));
    }
  }

  std::expected<router::JobMachine::Assigned, router::JobMachine::Refusal> place(
      const router::JobMachine::Assigned& keep, const router::JobMachine::Excluded& excluded) {
    auto links = parts.fleet.links(parts.links);
    router::PlanInput input{.workload = order.workload,
        .devices = parts.fleet.reachable(),
        .links = links,
        .sink = parts.fleet.own().id,
        .source = order.source,
        .sourceIsRecording = !order.recordings.empty()};
    for (auto& [stage, assignment]: keep) input.keep[stage] = assignment.device;
    for (auto& pair: excluded) input.excluded.insert(pair);
    auto made = router::plan(input);
    if (!made) {
      return std::unexpected(router::JobMachine::Refusal{
          static_cast<router::StageIndex>(made.error().stage), made.error().because});
    }
    plan = kj::mv(*made);
    router::JobMachine::Assigned assigned;
    for (size_t i = 0; i < plan.stages.size(); ++i)
      assigned[static_cast<router::StageIndex>(i)] = {plan.stages[i].device, plan.stages[i].plugin};
    return assigned;
  }

  void noted(const JobNote& note, int64_t atMs) override {
    JobRecord::Event event{
        .atMs = atMs, .kind = nameOf(note.kind), .attempt = note.attempt, .message = note.message};
    KJ_IF_MAYBE(stage, note.stage) {
      event.stage = order.workload.stages[*stage].name;
      if (note.kind == JobNote::Kind::PLACED) notePlacement(*stage, note, event);
    }
    KJ_IF_MAYBE(stage, note.stage) {
      bool hears = order.workload.stages[*stage].kind == router::StageKind::SOURCE;
      if (hears && note.kind == JobNote::Kind::STARTED) {
        isListening = false;
        microphone = std::pair(*stage, note.device);
        listen();
      }
    }
    if (!note.device.isZero()) event.device = parts.fleet.nameOf(note.device);
    // The message may name what people call their devices: the record has it, the trace has not.
    parts.trace.event("job",
        {{"job", id}, {"note", kj::StringPtr(nameOf(note.kind))},
            {"stage", static_cast<int64_t>(note.stage.orDefault(UINT8_MAX))},
            {"device", note.device}, {"attempt", int64_t{note.attempt}}});
    if (record.events.size() < JobRecord::EVENTS_MAX) record.events.push_back(event);
    KJ_IF_MAYBE(app, client) (*app)->event(event);
    record.state = nameOf(runner.machine().state());
  }

  // Whoever loses the device that hears listens again when it is back.
  void listen() {
    bool wanted = false;
    KJ_IF_MAYBE(app, client) wanted = (*app)->wantsLevels();
    if (!wanted || isListening || microphone == nullptr) return;
    auto& [stage, device] = KJ_ASSERT_NONNULL(microphone);
    isListening = true;
    listening = parts.levels.follow(device, id, stage, showLevel)
                    .catch_([](kj::Exception&& gone) {
                      if (gone.getType() != kj::Exception::Type::DISCONNECTED)
                        KJ_LOG(WARNING, "the levels of a job have ended", gone);
                    })
                    .then([this]() { isListening = false; })
                    .eagerlyEvaluate(nullptr);
  }

  void notePlacement(router::StageIndex index, const JobNote& note, JobRecord::Event& event) {
    auto& stage = order.workload.stages[index];
    auto& planned = plan.stages[index];
    JobRecord::Placement placement{.stage = stage.name,
        .task = stage.task,
        .device = parts.fleet.nameOf(note.device),
        .plugin = planned.pluginName,
        .attempt = note.attempt};
    for (auto& candidate: planned.candidates) {
      placement.candidates.push_back(
          {parts.fleet.nameOf(candidate.device), candidate.chosen, candidate.reason});
    }
    event.message = stage.task + " on " + placement.device + ": " + planned.candidates[0].reason;
    if (record.placements.size() < JobRecord::EVENTS_MAX)
      record.placements.push_back(kj::mv(placement));
    if (note.device != parts.fleet.own().id && !attention.contains(note.device))
      attention[note.device] = parts.links.attend(note.device);
  }

  kj::Promise<void> deliver(TextPiece piece) {
    double latency = -1;
    KJ_IF_MAYBE(startedMs, runner.sourceStartedMs()) {
      latency = static_cast<double>(nowMs()) -
          (static_cast<double>(*startedMs) + static_cast<double>(piece.ptsUs) / 1000);
    }
    record.pieces = piece.seq;
    KJ_IF_MAYBE(app, client) return (*app)->piece({kj::mv(piece), latency});
    return kj::READY_NOW;
  }

  void end() {
    record.state = nameOf(runner.machine().state());
    record.message = runner.machine().message();
    record.endedMs = nowMs();
    owner.save(record);
    KJ_IF_MAYBE(app, client) (*app)->ended(record);
    owner.tasks.add(kj::evalLater([&owner = owner, id = id]() { owner.finished(id); }));
  }
};

Jobs::Jobs(Parts parts): parts(parts), tasks(*this) {}

Jobs::~Jobs() noexcept(false) = default;

Result<JobId> Jobs::run(JobOrder order, kj::Own<JobClient> client) {
  KJ_IF_MAYBE(why, expelled) return no(*why);
  if (parts.keeper.isStale())
    return no(Errc::STALE,
        "no admin was heard of for too long: bring this device near one, and run it again");
  if (jobs.size() >= RUNNING_MAX)
    return no(Errc::LIMIT_EXCEEDED, "this device runs as many jobs as it may: wait for one to end");
  JobId id;
  parts.entropy.fill(id.bytes);
  jobs[id] = kj::heap<Job>(*this, id, kj::mv(order), kj::mv(client));
  return id;
}

void Jobs::cancel(const JobId& id) {
  auto found = jobs.find(id);
  if (found == jobs.end()) return;
  found->second->forgetClient();
  found->second->work().cancel();
}

void Jobs::lost(const DeviceId& device) {
  for (auto& [id, job]: jobs) job->work().lost(device);
}

void Jobs::fleetChanged() {
  for (auto& [id, job]: jobs) job->fleetChanged();
}

void Jobs::expel(Error why) {
  expelled = why;
  for (auto& [id, job]: jobs) job->work().giveUp(why.because.cStr());
}

void Jobs::addTo(Holdings& holdings) const {
  holdings.push_back({"jobs", jobs.size(), RUNNING_MAX});
  for (auto& [id, job]: jobs)
    holdings.push_back({"events of a job", job->seen().events.size(), JobRecord::EVENTS_MAX});
}

void Jobs::save(const JobRecord& record) {
  storage::JobRow row{record.id, record.startedMs, encode(record)};
  tasks.add(parts.store.write(
      [row = kj::mv(row)](storage::Database& db) { storage::jobs::put(db, row); }));
}

void Jobs::finished(const JobId& id) { jobs.erase(id); }

kj::Promise<std::vector<JobRecord>> Jobs::newest(uint32_t most) {
  auto rows = co_await parts.store.read(
      [most](storage::Database& db) { return storage::jobs::newest(db, most); });
  std::vector<JobRecord> records;
  for (auto& row: rows) {
    auto record = decodeJobRecord(row.record);
    if (record) records.push_back(kj::mv(*record));
  }
  // What still runs is further than what is on disk.
  for (auto& record: records) {
    for (auto& [id, job]: jobs) {
      if (hexOf(id) == record.id) record = job->seen();
    }
  }
  co_return records;
}

kj::Promise<Result<JobRecord>> Jobs::find(std::string prefix) {
  if (prefix.empty()) {
    auto records = co_await newest(1);
    if (records.empty()) co_return no(Errc::BAD_FORMAT, "no job has run here yet");
    co_return kj::mv(records.front());
  }
  for (auto& [id, job]: jobs) {
    if (hexOf(id).starts_with(prefix)) co_return JobRecord(job->seen());
  }
  auto rows = co_await parts.store.read(
      [prefix](storage::Database& db) { return storage::jobs::find(db, prefix.c_str()); });
  if (rows.empty()) co_return no(Errc::BAD_FORMAT, "no job has this id: hearth jobs lists them");
  if (rows.size() > 1) co_return no(Errc::BAD_FORMAT, "more than one job's id begins so");
  co_return decodeJobRecord(rows.front().record);
}

void Jobs::taskFailed(kj::Exception&& e) { KJ_LOG(ERROR, "a job's record was not kept", e); }

}  // namespace hearth::devices
