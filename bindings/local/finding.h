#pragma once
// What is looked for on a device, as the local API has it.

#include "bindings/bindings.capnp.h"
#include "devices/search/search.h"

namespace hearth::local {

// `results` holds until the promise resolves. Throws what the caller did wrong.
kj::Promise<void> answer(devices::Search& search, Daemon::FindParams::Reader params,
    Daemon::FindResults::Builder results);

}  // namespace hearth::local
