#pragma once
// People who write documents on their devices, and what they remember of it: what they were told to be on disk
// must be in the document on every device in the end.

#include "simulator/fleet/world.h"

namespace hearth::sim {

class Writers final {
 public:
  explicit Writers(World& world): world(world) {}

  // So many changes of one document, one after the other: values under keys that nobody else uses, words in
  // front of a text, an element of a list, a count.
  kj::Promise<void> write(Device& device, uint32_t changes, kj::Duration span);

  // What the document is on that device now, for pages().
  kj::Promise<void> read(Device& device);

  struct Change {
    DeviceIndex by;
    std::string key;  // of the document
    bool acknowledged = false;
  };
  const std::vector<Change>& changes() const { return made; }
  size_t acknowledged() const;

  // The document by device.
  const std::map<DeviceIndex, storage::Tree>& pages() const { return found; }

 private:
  World& world;
  std::vector<Change> made;
  std::map<DeviceIndex, storage::Tree> found;
};

}  // namespace hearth::sim
