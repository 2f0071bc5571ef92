#pragma once
// The Engine seam of one device of a world: plugins that compute at a modelled speed, and crash,
// hang, lie or slow down when told to.

#include "simulator/engines/model-task.h"
#include "simulator/world/bell.h"
#include "simulator/world/chance.h"

#include <kj/filesystem.h>
#include <kj/timer.h>

#include <map>
#include <string>

namespace hearth::sim {

// CPU seconds of n units on a cool, unloaded device: fixedS + perUnitS * n, give or take.
struct TaskModel {
  double fixedS = 0.001;
  double perUnitS = 0.01;
  double spread = 0.1;
  kj::Duration load = 50 * kj::MILLISECONDS;  // from start to ready
};

// What goes wrong with the plugins of a device. Counters count down with each use.
struct EngineFaults {
  uint32_t startsThatFail = 0;
  uint32_t framesToCrash = 0;  // the one at which this reaches 0 kills its engine
  uint32_t framesToHang = 0;
  uint32_t framesToLie = 0;  // the protocol is broken then, which kills the engine, too
  // How often each came.
  uint32_t failed = 0, crashed = 0, hung = 0, lied = 0;
};

// The device on whose processor it runs.
class Processor {
 public:
  // Wall time that so much CPU time takes now; counts it as used.
  virtual kj::Duration compute(kj::Duration cpu) = 0;
  virtual uint64_t memoryBytes() const = 0;
};

class ModelledEngineHost final: public engine::EngineHost {
 public:
  // All outlive the host, and the host its engines.
  ModelledEngineHost(kj::Timer& timer, Chance chance, Processor& processor,
      const std::map<std::string, TaskModel>& models, EngineFaults& faults);

  kj::Promise<Result<kj::Own<engine::Engine>>> start(
      const engine::Bundle& bundle, const engine::EngineGrants& grants) override;

 private:
  friend class ModelledEngine;
  kj::Timer& timer;
  Chance chance;
  Processor& processor;
  const std::map<std::string, TaskModel>& models;
  EngineFaults& faults;
  uint64_t memoryUsed = 0;
};

// A directory of plugins for these tasks, as the node scans it.
kj::Own<const kj::Directory> pluginDirectory(const std::map<std::string, TaskModel>& models);

}  // namespace hearth::sim
