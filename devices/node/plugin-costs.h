#pragma once
// What each task of a plugin costs on this device: measured once and kept, for nothing about it changes
// but the plugin.

#include "core/trace/trace.h"
#include "router/engine/plugin-set.h"
#include "router/place/facts.h"
#include "storage/sql/store.h"

namespace hearth::devices {

class PluginCosts final {
 public:
  // All outlive this object.
  struct Surroundings {
    storage::Store& store;
    Trace& trace;
    engine::PluginSet& plugins;
  };
  explicit PluginCosts(Surroundings around): around(around) {}

  // None for a task that cannot be measured: it is not to be used.
  kj::Promise<kj::Maybe<router::PluginFacts>> measure(
      const engine::Bundle& bundle, const engine::PluginTask& task);

 private:
  Surroundings around;

  kj::Promise<kj::Maybe<engine::TaskCost>> cost(const Digest& plugin, const std::string& task);
};

}  // namespace hearth::devices
