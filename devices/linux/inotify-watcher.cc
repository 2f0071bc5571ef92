#include "devices/linux/inotify-watcher.h"

#include <kj/debug.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <utility>

namespace hearth::devices {

namespace {

constexpr uint32_t MASK = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM |
    IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW |
    IN_EXCL_UNLINK;

constexpr size_t BUFFER_BYTES = 64 << 10;

}  // namespace

InotifyWatcher::InotifyWatcher(UvEventPort& port, std::string folder): folder(kj::mv(folder)) {
  int fd;
  KJ_SYSCALL(fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), "see fs.inotify.max_user_instances");
  kernel = kj::heap<transport::UvDescriptor>(port, kj::AutoCloseFd(fd));
}

// After something was lost nobody knows where directories have gone: nothing is watched any more, and what was still to
// be read is of no use.
void InotifyWatcher::startAnew() {
  for (auto& [watch, directory]: byWatch) inotify_rm_watch(kernel->get(), watch);
  for (auto watch: nameless) inotify_rm_watch(kernel->get(), watch);
  alignas(struct inotify_event) char buffer[BUFFER_BYTES];
  while (read(kernel->get(), buffer, sizeof(buffer)) > 0) {}
  directories.clear();
  byWatch.clear();
  nameless.clear();
  leaving.clear();
  news.clear();
  all = true;
}

// Watches those that it is in, too: else its name would be lost when they are renamed. From each directory to the next
// by its descriptor: so a watch is where its parent says, whatever is renamed meanwhile, and no link leads out.
TreeResult<void> InotifyWatcher::watch(const FolderPath& directory) {
  // What has come is read for this, and whoever waits for it would not hear of it any more.
  readNews();
  KJ_IF_MAYBE(waiter, waiting) {
    if (isAny()) (*waiter)->fulfill();
  }
  if (gone) return no(TreeError::GONE);
  auto at = openIn(AT_FDCWD, folder, O_PATH | O_DIRECTORY);
  if (!at) return no(at.error() == TreeError::MISSING ? TreeError::GONE : at.error());
  auto parent = add(*at, NO_WATCH, "");
  auto rest = std::string_view(directory.str());
  while (parent && !rest.empty()) {
    auto end = std::min(rest.find('/'), rest.size());
    auto name = FolderPath().child(rest.substr(0, end)).value();
    rest.remove_prefix(std::min(end + 1, rest.size()));
    at = openBeneath(calls, *at, name, O_PATH);
    if (!at) return no(at.error());
    parent = add(*at, *parent, name.str());
  }
  if (!parent) return no(parent.error());
  return {};
}

TreeResult<InotifyWatcher::Watch> InotifyWatcher::add(
    int directory, Watch parent, std::string name) {
  auto byDescriptor = kj::str("/proc/self/fd/", directory, "/.");
  auto watch = inotify_add_watch(kernel->get(), byDescriptor.cStr(), MASK);
  if (watch < 0) return no(lastError());
  this->name(watch, parent, kj::mv(name));
  return watch;
}

void InotifyWatcher::name(Watch watch, Watch parent, std::string name) {
  auto known = byWatch.find(watch);
  if (known != byWatch.end()) {
    auto& where = known->second->first;
    if (where.first == parent && where.second == name) return;
    directories.erase(known->second);
    byWatch.erase(known);
  }
  auto [place, isNew] = directories.try_emplace({parent, kj::mv(name)}, watch);
  if (!isNew) {
    // What had the name before is removed, or has another one: the kernel has yet to say so.
    auto before = std::exchange(place->second, watch);
    byWatch.erase(before);
    nameless.insert(before);
  }
  byWatch[watch] = place;
}

void InotifyWatcher::forget(Watch watch) {
  auto known = byWatch.find(watch);
  if (known == byWatch.end()) return;
  directories.erase(known->second);
  byWatch.erase(known);
}

// A directory that is no longer in the folder, with all that is in it.
void InotifyWatcher::leave(Watch watch) {
  auto first = directories.lower_bound({watch, std::string()});
  std::vector<Watch> within;
  for (auto at = first; at != directories.end() && at->first.first == watch; ++at)
    within.push_back(at->second);
  for (auto child: within) leave(child);
  inotify_rm_watch(kernel->get(), watch);
  forget(watch);
}

// None: a directory on the way has left.
kj::Maybe<FolderPath> InotifyWatcher::pathOf(Watch watch) const {
  std::string text;
  for (auto at = watch; at != NO_WATCH;) {
    auto known = byWatch.find(at);
    if (known == byWatch.end()) return nullptr;
    auto& [parent, name] = known->second->first;
    if (parent != NO_WATCH) text = name + (text.empty() ? "" : "/") + text;
    at = parent;
  }
  if (text.empty()) return FolderPath();
  auto path = FolderPath::parse(text);
  if (!path) return nullptr;  // too long by now
  return kj::mv(*path);
}

kj::Promise<InotifyWatcher::Changes> InotifyWatcher::changes() {
  while (true) {
    readNews();
    if (isAny()) co_return take();
    auto told = kj::newPromiseAndFulfiller<void>();
    waiting = kj::mv(told.fulfiller);
    co_await kernel->whenReadable().exclusiveJoin(kj::mv(told.promise));
  }
}

void InotifyWatcher::readNews() {
  constexpr size_t READS_MAX = 64;  // others have work for the loop, too
  alignas(struct inotify_event) char buffer[BUFFER_BYTES];
  for (size_t reads = 0; !gone; ++reads) {
    if (reads == READS_MAX) return;
    auto size = read(kernel->get(), buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    for (ssize_t at = 0; at < size;) {
      auto& event = *reinterpret_cast<const struct inotify_event*>(buffer + at);
      if ((event.mask & IN_Q_OVERFLOW) || isLost(event)) {
        startAnew();
        return;
      }
      came(event);
      at += static_cast<ssize_t>(sizeof(event) + event.len);
    }
  }
  // Each rename into the folder follows the one out of it at once. One that is late is a directory from elsewhere.
  for (auto [cookie, watch]: std::exchange(leaving, {})) leave(watch);
}

// A directory tells that it was renamed right after the one that it is in has. Another one tells: since the names were
// changed a new one was found under the old name, and which is where nobody knows.
bool InotifyWatcher::isLost(const struct inotify_event& event) {
  if (!(event.mask & IN_MOVE_SELF)) return false;
  auto known = byWatch.find(event.wd);
  bool isFolder = known != byWatch.end() && known->second->first.first == NO_WATCH;
  auto isLeaving = std::any_of(
      leaving.begin(), leaving.end(), [&](auto& one) { return one.second == event.wd; });
  return !isFolder && !isLeaving && event.wd != lastRenamed;
}

void InotifyWatcher::came(const struct inotify_event& event) {
  if (event.mask & IN_IGNORED) nameless.erase(event.wd);
  auto known = byWatch.find(event.wd);
  if (known == byWatch.end()) return;
  bool isFolder = known->second->first.first == NO_WATCH;
  bool isGone = isFolder && (event.mask & (IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF));
  if (isGone) gone = true;
  if (event.mask & IN_IGNORED) return forget(event.wd);
  if (event.len == 0) return;  // of the directory itself: the one that it is in tells
  std::string name = event.name;
  if (isFolder && name == FolderPath::OWN) return;
  cameTo(event.wd, name, !(event.mask & IN_MODIFY));
  if (event.mask & IN_ISDIR) renamed(event, name);
}

// Told is the directory for a name that has no path.
void InotifyWatcher::cameTo(Watch watch, const std::string& name, bool isClosed) {
  KJ_IF_MAYBE(directory, pathOf(watch)) {
    auto child = directory->child(name);
    news[child ? kj::mv(*child) : kj::mv(*directory)] |= isClosed;
  }
}

void InotifyWatcher::renamed(const struct inotify_event& event, const std::string& name) {
  if (event.mask & IN_MOVED_FROM) {
    auto found = directories.find({event.wd, name});
    if (found != directories.end()) leaving[event.cookie] = found->second;
  }
  if (event.mask & IN_MOVED_TO) {
    auto found = leaving.find(event.cookie);
    if (found == leaving.end()) return;
    lastRenamed = found->second;
    this->name(found->second, event.wd, name);
    leaving.erase(found);
  }
}

InotifyWatcher::Changes InotifyWatcher::take() {
  Changes changes{{}, {}, all, gone};
  for (auto& [path, isClosed]: news)
    (isClosed ? changes.touched : changes.beingWritten).push_back(path);
  news.clear();
  all = false;
  return changes;
}

}  // namespace hearth::devices
