#pragma once
// Tells of changes in a folder by inotify: a watch a directory, nothing asked again and again. The kernel names a change
// by the watch and the name in its directory; where that directory is now is known by each watch's parent and name,
// which follow when directories are renamed.
//
// The kernel's queue is read when changes() is asked for and not otherwise: who asks at intervals is woken once for a
// thousand writes.

#include "core/loop/uv-event-port.h"
#include "devices/linux/tree-files.h"
#include "storage/folder/tree-watcher.h"
#include "transport/wire/uv-descriptor.h"

#include <map>
#include <set>
#include <unordered_map>

struct inotify_event;

namespace hearth::devices {

class InotifyWatcher final: public storage::TreeWatcher {
 public:
  // `folder` is an absolute path without links. The port outlives the watcher.
  InotifyWatcher(UvEventPort& port, std::string folder);
  KJ_DISALLOW_COPY_AND_MOVE(InotifyWatcher);

  TreeResult<void> watch(const FolderPath& directory) override;
  kj::Promise<Changes> changes() override;
  size_t watches() const override { return byWatch.size(); }

 private:
  using Watch = int;
  static constexpr Watch NO_WATCH = -1;

  // A directory by the watch of the one that it is in; the folder itself is in NO_WATCH.
  using Directories = std::map<std::pair<Watch, std::string>, Watch>;

  std::string folder;
  KernelCalls calls;
  Directories directories;
  std::unordered_map<Watch, Directories::iterator> byWatch;
  std::set<Watch> nameless;  // another directory has the name that we knew
  // By cookie: renamed from where it was, and not yet to somewhere.
  std::unordered_map<uint32_t, Watch> leaving;
  Watch lastRenamed = NO_WATCH;
  std::map<FolderPath, bool> news;  // whether it is closed
  bool all = false, gone = false;
  kj::Own<transport::UvDescriptor> kernel;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> waiting;

  void startAnew();
  TreeResult<Watch> add(int directory, Watch parent, std::string name);
  void name(Watch watch, Watch parent, std::string name);
  void forget(Watch watch);
  void leave(Watch watch);
  kj::Maybe<FolderPath> pathOf(Watch watch) const;
  bool isAny() const { return all || gone || !news.empty(); }
  void readNews();
  bool isLost(const struct inotify_event& event);
  void came(const struct inotify_event& event);
  void cameTo(Watch watch, const std::string& name, bool isClosed);
  void renamed(const struct inotify_event& event, const std::string& name);
  Changes take();
};

}  // namespace hearth::devices
