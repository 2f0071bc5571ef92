// hearth folder mount: all that a folder has, in a directory of its own, by a process of its own.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"

#ifdef HEARTH_HAS_FUSE
#include "apps/hearth/fuse-mount.h"
#endif

#include <kj/debug.h>
#include <kj/io.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::cli {

#ifdef HEARTH_HAS_FUSE

namespace {

std::string rootOf(Client& client, local::Folders::Client& folders, const std::string& name) {
  auto response = folders.listRequest().send().wait(client.waitScope());
  for (auto folder: response.getFolders()) {
    if (name == folder.getName().cStr()) return folder.getPath().cStr();
  }
  throw Failure{FAILED, "this device has no folder \"" + name + "\": see hearth folder list"};
}

std::string directoryOf(const std::string& path) {
  char real[PATH_MAX];
  if (realpath(path.c_str(), real) == nullptr)
    throw Failure{FAILED, path + ": " + strerror(errno) + "; make the directory first"};
  return real;
}

// Until it is unmounted, somebody ends this process, or the daemon goes. `mounted` is called when it can be used.
template <typename F>
void mountUntilTheEnd(
    const Common& common, const std::string& name, const std::string& directory, F mounted) {
  Client client(common.home.c_str());
  auto folders = client.daemon().foldersRequest().send().wait(client.waitScope()).getFolders();
  auto root = rootOf(client, folders, name);
  if (directory == root || directory.starts_with(root + "/"))
    throw Failure{FAILED, directory + " is in the folder itself: mount it elsewhere"};
  FuseMount mount(client.events(), folders, root, directory);
  auto end = client.onInterrupt().exclusiveJoin(client.onDisconnect());
  mounted();
  mount.serve().exclusiveJoin(kj::mv(end)).wait(client.waitScope());
}

// The line of what has failed; none when it can be used.
std::string mountInBackground(
    const Common& common, const std::string& name, const std::string& directory) {
  int ends[2];
  KJ_SYSCALL(pipe2(ends, O_CLOEXEC));
  kj::AutoCloseFd read(ends[0]), write(ends[1]);
  auto child = fork();
  KJ_REQUIRE(child >= 0, "no process more");
  if (child > 0) {
    write = nullptr;
    return kj::FdInputStream(read.get()).readAllText().cStr();
  }
  std::string line;
  bool isUp = false;
  setsid();
  try {
    mountUntilTheEnd(common, name, directory, [&]() {
      isUp = true;
      write = nullptr;
      // Nobody waits for what it says.
      kj::AutoCloseFd nothing(open("/dev/null", O_RDWR | O_CLOEXEC));
      for (int fd: {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nothing.get(), fd);
    });
  } catch (const Failure& failure) {
    line = failure.line;
  } catch (const kj::Exception& e) {
    line = failureOf(e).line;
  }
  if (!isUp) kj::FdOutputStream(write.get()).write(line.data(), line.size());
  _exit(0);
}

}  // namespace

int folderMount(const Common& common, const FolderOptions& options) {
  auto directory = directoryOf(options.path);
  auto tell = [&]() {
    if (common.json) {
      printJson({{"name", options.name}, {"mounted", directory}});
    } else {
      std::cout << "all of \"" << options.name << "\" is in " << directory << "; it ends with "
                << (options.foreground ? "Ctrl-C" : "umount " + directory) << "\n";
    }
    std::cout.flush();
  };
  if (options.foreground) {
    mountUntilTheEnd(common, options.name, directory, tell);
    return DONE;
  }
  auto why = mountInBackground(common, options.name, directory);
  if (!why.empty()) throw Failure{FAILED, why};
  tell();
  return DONE;
}

#else

int folderMount(const Common&, const FolderOptions&) {
  throw Failure{
      FAILED, "this hearth was built without libfuse3: install it (libfuse3-dev) and build again"};
}

#endif

}  // namespace hearth::cli
