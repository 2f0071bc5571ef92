#pragma once
// People who copy things on their devices and clear their clipboard, and what they remember of it: what was to live
// for a while must be nowhere in the end, and so must what somebody has cleared away.

#include "simulator/fleet/world.h"

namespace hearth::sim {

class Copiers final {
 public:
  explicit Copiers(World& world): world(world) {}

  // So many entries within that time, most of which live for two seconds up to `longest`, others until they are
  // cleared.
  kj::Promise<void> copy(Device& device, uint32_t entries, kj::Duration span, kj::Duration longest);
  kj::Promise<void> clear(Device& device);

  // What the device shows, and what its database holds, for pages().
  kj::Promise<void> read(Device& device);

  struct Entry {
    DeviceIndex by;
    std::string text;
    kj::TimePoint begun;                 // when it was copied, or later
    kj::Maybe<kj::Duration> lifetime{};  // none: it has none
    bool acknowledged = false;
    bool mayBeCleared = false;  // somebody has begun to clear since
    bool isCleared = false;     // who had it has been told that it is gone
  };
  const std::vector<Entry>& entries() const { return made; }
  size_t acknowledged() const;
  size_t cleared() const;

  struct Page {
    std::set<std::string> shown, stored;
  };
  const std::map<DeviceIndex, Page>& pages() const { return found; }

 private:
  World& world;
  std::vector<Entry> made;
  std::map<DeviceIndex, Page> found;
};

}  // namespace hearth::sim
