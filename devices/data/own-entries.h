#pragma once
// What this device has written in the operation log, and the rollback anchor behind it (SECURITY.md §10.4): an older
// copy of the database that is put back is found out before anything is written in it.
//
//   an entry is on disk ──▶ within a second: the anchor knows how far this device has come
//   at start: the anchor knows of more ──▶ the others are asked for it ──▶ in vain: other keys

#include "devices/node/circle-keeper.h"
#include "storage/log/log.h"

namespace hearth::devices {

class OwnEntries final: private storage::Log::Follower, private kj::TaskSet::ErrorHandler {
 public:
  // Entries that come together share an anchor. Whoever waits for one is not kept waiting by it.
  static constexpr kj::Duration ANCHORED_WITHIN = 1 * kj::SECONDS;
  // So long a device that has met others waits for what is gone; then nobody has it who could be asked, and under other
  // keys nothing can be written twice.
  static constexpr kj::Duration GIVEN_BACK_WITHIN = 60 * kj::SECONDS;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    storage::Log& log;
    CircleKeeper& keeper;
  };
  explicit OwnEntries(Surroundings around): around(around), tasks(*this) {
    around.log.follow(*this);
  }
  ~OwnEntries() noexcept(false);

  // The log is loaded; nothing is written before this returns.
  void begin();
  void peerUp();

  // What the user should know, a line each.
  std::vector<std::string> alarms() const;

 private:
  Surroundings around;
  bool owesAnchor = false;  // in a second
  bool awaitsOthers = false;
  kj::TaskSet tasks;

  OwnHeads heads() const;
  bool isAlone() const;
  kj::Promise<void> anchorSoon();
  kj::Promise<void> awaitOthers();
  void stored(const storage::Log::Stored& entry) override;
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices
