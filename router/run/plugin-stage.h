#pragma once
// A stage whose body is a plugin: an instance of the PluginSet is taken when the stage is prepared,
// and a job opened in it when it is known where to begin.

#include "router/engine/plugin-set.h"
#include "router/run/stage-body.h"

namespace hearth::router {

// `plugins` outlives the stage. Errors: those of PluginSet::take(), and BAD_FORMAT when the plugin
// has no such task or the task another number of inputs.
kj::Promise<Result<kj::Own<PreparedStage>>> preparePlugin(
    engine::PluginSet& plugins, StageSpec spec);

}  // namespace hearth::router
