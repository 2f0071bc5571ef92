#pragma once
// What this device knows about all devices of its circle: their facts while they are here, their
// names and addresses also while they are away.

#include "core/time/hlc.h"
#include "devices/node/circle-keeper.h"
#include "router/place/facts.h"
#include "storage/tables/peers.h"
#include "transport/link/links.h"

namespace hearth::devices {

// Where a device is called: at what is known of it and, in turn with that, at what was heard on the
// local link, so that neither a stale address nor a liar on the link keeps the other back.
std::vector<std::string> placesToCall(
    const std::vector<std::string>& remembered, const std::vector<std::string>& heard);

class Fleet final {
 public:
  // `links` may be set once it exists; everything else outlives the fleet.
  Fleet(router::DeviceFacts own, std::vector<storage::PeerRow> remembered);

  const router::DeviceFacts& own() const { return self; }

  // Changes what this device says about itself. The version is a stamp of the hybrid logical clock,
  // so that it grows over restarts, whatever the wall clock does.
  template <typename Func>
  void changeOwn(kj::Date wall, Func&& change) {
    change(self);
    self.version = clock.tick(wall).value;
    refresh();
  }

  // A peer has said what it is. True when that changes anything: what is older than what is known
  // does not.
  bool heard(router::DeviceFacts facts, kj::Date wall);
  void left(const DeviceId& device);

  // Somebody says where a device may be found; behind what is known already. What is longer than an
  // address, or holds characters that none has, is left out: it is kept, dialled and printed.
  void learnPlace(const DeviceId& device, const std::vector<std::string>& addresses);

  // A device goes by other keys now: what is known of the old id counts for the new one. True when
  // that was news.
  bool follow(const DeviceId& old, const DeviceId& now);

  // What the circle's log calls devices: it counts for more than what they say of themselves. True when a
  // name is another than before.
  bool setNames(std::map<DeviceId, std::string> said);

  // Devices that can be used now, this one first.
  const std::vector<router::DeviceFacts>& reachable() const { return present; }
  router::LinkTable links(transport::Links& links) const;

  kj::Maybe<const storage::PeerRow&> remembered(const DeviceId& device) const;
  std::vector<storage::PeerRow> everyone() const;
  size_t known() const { return rows.size(); }
  std::string nameOf(const DeviceId& device) const;

 private:
  router::DeviceFacts self;
  Hlc clock;
  std::map<DeviceId, router::DeviceFacts> peers;  // that are here
  std::map<DeviceId, storage::PeerRow> rows;
  std::map<DeviceId, std::string> names;
  std::vector<router::DeviceFacts> present;

  void refresh();
};

}  // namespace hearth::devices
