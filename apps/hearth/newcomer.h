#pragma once
// A device that has no circle yet: what init and join begin with.

#include "apps/home/home.h"

namespace hearth::cli {

struct Newcomer {
  apps::DeviceSettings settings;
  devices::Identity identity;
  kj::Own<storage::Store> store;
};

// Takes up what an interrupted init or join has left behind. Throws Failure when the home belongs to
// a circle already.
Newcomer openNewcomer(apps::Home& home, UvLoop& uv, apps::DeviceSettings given);

}  // namespace hearth::cli
