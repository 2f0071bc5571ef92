#pragma once
// People who use the files of a folder on their devices, and what they remember of it: files that nobody else touches
// must be on every device what their owner has made of them.

#include "simulator/fleet/world.h"

#include <optional>

namespace hearth::sim {

class Owners final {
 public:
  static constexpr auto FOLDER = "things";

  explicit Owners(World& world): world(world) {}

  // hearth folder add. False: it cannot be done just now.
  kj::Promise<bool> share(Device& device);

  // So many changes, one after the other: files that are the device's own, in a directory that bears its name, and
  // some that everybody changes. They happen to the disk, whether a daemon runs or not. Now and then the owner frees
  // some of it, of the device's own or not, or keeps it again; in the end some owners keep all.
  kj::Promise<void> work(Device& device, uint32_t changes, kj::Duration span);

  // The folder goes in that direction on the device, and in both after a while. What is against it is complained of.
  // False: it cannot be done just now.
  kj::Promise<bool> turn(Device& device, devices::Folders::Direction direction, kj::Duration span);
  // Both ways, where it is not.
  kj::Promise<void> turnBack(Device& device);
  void complain(const Device& device, std::string what) {
    complained.emplace_back(device.index(), kj::mv(what));
  }
  const std::vector<std::pair<DeviceIndex, std::string>>& complaints() const { return complained; }

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
    kj::TimePoint when;
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
  std::set<DeviceIndex> turned;   // in one direction
  std::set<DeviceIndex> freeing;  // that have freed something
  std::vector<std::pair<DeviceIndex, std::string>> complained;

  kj::Promise<void> choose(Device& device, devices::Folder::Choice choice, std::string path);
  kj::Promise<bool> set(Device& device, devices::Folders::Direction direction);
  struct Moved {
    uint64_t said = 0, received = 0;  // records' entries of this device's own, bytes
    bool operator==(const Moved&) const = default;
  };
  kj::Promise<kj::Maybe<Moved>> moved(Device& device);
  kj::Promise<void> readAway(Device& device, devices::Folders& folders, std::string directory);

  class Hand;
};

}  // namespace hearth::sim
