#pragma once
// The coordinator's decisions for one job, as a pure machine: which stage is started where, what is
// started again when a device is lost or a plugin fails, when the job waits and when it is over.
// It sits on the sink's device. What to do comes back as Effects for the driver (job-runner.h).
//
//             placed                    a stage has no device
//   PLACING ─────────▶ RUNNING ◀──────────────────────────────▶ WAITING
//      │ refused          │ sink has ended     device returned     │
//      ▼                  ▼                                        ▼
//    OVER ◀───────────── OVER ◀──────── cancelled, source lost ── OVER

#include "core/base/ids.h"
#include "router/run/frame.h"

#include <kj/function.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace hearth::router {

// One stage as the machine sees it; the workload's stages in its order.
struct JobStage {
  enum class Kind : uint8_t { SOURCE, PLUGIN, SINK };
  std::string name;
  Kind kind = Kind::PLUGIN;
};

struct JobEdge {
  StageIndex from;
  StageIndex to;
};

struct Assignment {
  DeviceId device;
  Digest plugin;  // measurement; zero for a source or a sink
  bool operator==(const Assignment&) const = default;
};

// One line of the job's record (`hearth why`).
struct JobNote {
  enum class Kind : uint8_t { PLACED, STARTED, FIRST_FRAME, LOST, FAILED, WAITING, RESUMED, ENDED };
  Kind kind;
  kj::Maybe<StageIndex> stage;
  DeviceId device;
  uint32_t attempt = 0;
  std::string message;
};

class JobMachine final {
 public:
  // A plugin that has failed so often for one stage on one device is not tried there again.
  static constexpr uint32_t STRIKES_MAX = 3;
  // So often a stage may say STALE on one device without that being held against it: its consumer was
  // lost as well, and goes on before where this attempt began.
  static constexpr uint32_t RESTARTS_MAX = 16;

  enum class State : uint8_t { PLACING, RUNNING, WAITING, DONE, FAILED, CANCELLED };

  using Excluded = std::set<std::pair<StageIndex, DeviceId>>;
  using Assigned = std::map<StageIndex, Assignment>;

  struct Refusal {
    kj::Maybe<StageIndex> stage;
    std::string because;  // one line naming the stage and what is missing
  };

  // Places every stage that `keep` does not hold already, over the devices that can be reached
  // now, never using an excluded pair. Gives all stages, or says why not.
  using Placer = kj::Function<std::expected<Assigned, Refusal>(
      const Assigned& keep, const Excluded& excluded)>;

  struct Effects {
    std::vector<StageIndex> start;  // anew, where assigned(stage) says, with attempt(stage)
    std::vector<size_t> rewire;    // edges whose consumer stays and whose producer is elsewhere now
    std::vector<StageIndex> stop;  // leases to give up
    std::vector<JobNote> notes;
    bool over = false;  // state() says how

    void add(Effects&& more);
  };

  JobMachine(std::vector<JobStage> stages, std::vector<JobEdge> edges, Placer placer);

  Effects begin();

  // The device can no longer be reached.
  Effects lost(const DeviceId& device);

  // A device came, went or changed what it can do. Ends a wait when every stage can be placed.
  Effects fleetChanged();

  // The stage could not be started, or ended before its input did. An attempt that is no longer
  // the current one changes nothing. STALE: it has to begin again, further back.
  Effects failed(StageIndex stage, uint32_t attempt, Error error);

  // The stage has come to its end and all that it made is committed: nobody will need it again.
  // The end of the sink is the end of the job.
  Effects ended(StageIndex stage, uint32_t attempt);

  // The sink's app went away or asked for it.
  Effects cancel();

  // This device may coordinate nothing any more.
  Effects giveUp(std::string because);

  State state() const { return current; }
  bool over() const { return current >= State::DONE; }
  const std::string& message() const { return why; }  // of a job that waits or has failed
  // None while the stage has no device.
  kj::Maybe<const Assignment&> assigned(StageIndex stage) const;
  uint32_t attempt(StageIndex stage) const { return attempts[stage]; }

  // Whether this attempt is the one that counts: not lost, failed or placed anew.
  bool isCurrent(StageIndex stage, uint32_t attempt) const;

 private:
  std::vector<JobStage> stages;
  std::vector<JobEdge> edges;
  Placer placer;
  State current = State::PLACING;
  std::string why;
  Assigned assignments;
  std::vector<uint32_t> attempts;
  std::set<StageIndex> finished;
  std::map<std::pair<StageIndex, DeviceId>, uint32_t> strikes;
  std::map<std::pair<StageIndex, DeviceId>, uint32_t> restarts;

  Effects place();
  Effects accept(Assigned&& placed);
  Effects wait(Refusal&& refusal);
  Effects end(State how, std::string message);
  Excluded struckAtLeast(uint32_t count) const;
  kj::Maybe<StageIndex> struckOut(const Excluded& excluded) const;
};

}  // namespace hearth::router
