#include "simulator/app/world-transport.h"

#include <kj/debug.h>

namespace hearth::sim {

int WorldTransport::call(Work work, local::ErrorLine error) {
  auto world = gate->world;
  if (world == nullptr) return error.say(HEARTH_UNREACHABLE, "the world is closed");
  auto& apps = world->apps();
  AppWorld::Call call{
      .device = device, .app = apps.here(), .cancelled = cancelled, .nudged = nudged, .work = work};
  int refused = apps.wait(error, [&]() { return world->make(call); });
  if (refused != HEARTH_OK) return refused;
  KJ_IF_MAYBE(e, call.thrown) kj::throwFatalException(kj::mv(*e));
  return call.code;
}

}  // namespace hearth::sim
