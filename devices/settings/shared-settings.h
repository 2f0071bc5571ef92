#pragma once
// Values that all devices share, by key, and those that one device has for itself: a document of a collection of its
// own, so that it merges, is in step and has its history as any other
// (settings-view.h).

#include "devices/settings/settings-view.h"
#include "storage/documents/documents.h"

#include <kj/timer.h>

namespace hearth::devices {

// The collection of the settings.
crypto::CollectionId settingsCollection();

class SharedSettings final {
 public:
  static constexpr size_t KEY_BYTES_MAX = 255;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    const kj::Clock& clock;
    storage::Documents& documents;  // of settingsCollection()
    DeviceId self;
  };
  explicit SharedSettings(Surroundings around): around(around) {}

  // To be awaited before anything else is asked.
  kj::Promise<void> start();

  std::vector<SettingView> list() const;
  // What this device goes by.
  kj::Maybe<storage::Tree> valueOf(const std::string& key);

  // Each resolves when it is on disk. Errors: BAD_FORMAT for a key, a value or a lifetime that none can be;
  // LIMIT_EXCEEDED; those of LiveDocument::change.
  kj::Promise<Result<void>> set(std::string key, storage::Tree value, kj::Maybe<DeviceId> device,
      kj::Maybe<kj::Duration> lifetime);
  kj::Promise<Result<bool>> remove(std::string key, kj::Maybe<DeviceId> device);

  // Resolves when something else may hold.
  kj::Promise<void> changed();

  // What the user should know, a line each.
  std::vector<std::string> alarms() const;

 private:
  Surroundings around;
  mutable kj::Maybe<storage::Documents::Handle> opened;  // to read a document is to move in it

  storage::Documents::Handle& handle() const { return KJ_ASSERT_NONNULL(opened); }
  int64_t nowMs() const { return (around.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS; }
  storage::Tree::Map mapAt(const storage::Path& path);
};

}  // namespace hearth::devices
