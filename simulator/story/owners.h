#pragma once
// People who use the files of a folder on their devices, and what they remember of it: files that nobody else touches
// must be on every device what their owner has made of them.

#include "simulator/fleet/world.h"

#include <optional>

namespace hearth::sim {

class Owners final {
 public:
  explicit Owners(World& world): world(world) {}

  // hearth folder add. False: it cannot be done just now.
  kj::Promise<bool> share(Device& device);

  // So many changes, one after the other: files that are the device's own, in a directory that bears its name, and
  // some that everybody changes. They happen to the disk, whether a daemon runs or not. Now and then the owner frees
  // some of it, of the device's own or not, or keeps it again; in the end some owners keep all.
  kj::Promise<void> work(Device& device, uint32_t changes, kj::Duration span);

  // What the folder is on that device now, for pages().
  kj::Promise<void> read(Device& device);

  struct Page {
    std::map<std::string, std::string> files;  // as TreeOwner has them
    std::set<std::string> away;  // files that the device knows, and that are not there
    devices::Folder::Status status;
  };
  const std::map<DeviceIndex, Page>& pages() const { return found; }

  // A file of a device's own as it was left; none: removed.
  struct Left {
    std::optional<std::string> bytes;
    uint64_t lost;  // by the device's disk until then, by losses of power
  };
  const std::map<DeviceIndex, std::map<std::string, Left>>& left() const { return own; }
  // Files that two have changed at once may be of lines of both.
  bool hasWritten(const std::string& bytes) const;
  uint64_t changes() const { return made; }
  uint64_t freed() const { return gone; }  // files

 private:
  World& world;
  std::map<DeviceIndex, Page> found;
  std::map<DeviceIndex, std::map<std::string, Left>> own;
  std::set<std::string> written, lines;
  uint64_t made = 0, gone = 0;

  kj::Promise<void> choose(Device& device, devices::Folder::Choice choice, std::string path);
  kj::Promise<void> readAway(Device& device, devices::Folders& folders, std::string directory);

  class Hand;
};

}  // namespace hearth::sim
