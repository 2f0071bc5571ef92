#pragma once
// Everything that the child needs between clone and exec, worked out beforehand: in a process that
// has threads, a child may do nothing but system calls (no allocation, no lock, no exception).

#include "router/engine/bundle/manifest.h"
#include "router/engine/sandbox/closed-calls.h"

#include <kj/array.h>

#include <sys/types.h>

namespace hearth::engine {

// The construction order of SECURITY.md §8.2, as far as a step can fail.
enum class LaunchStep : uint8_t {
  NAMESPACES,    // step 4
  FILES,         // steps 1 to 3, and the copy of §8.2a
  TREE,          // §8.2a: tmpfs, read-only, pivot_root
  DESCRIPTORS,   // step 5
  LIMITS,        // step 6
  CAPABILITIES,  // end of step 4
  LANDLOCK,      // step 7
  CLOSE_RANGE,   // step 8
  FILTER,        // step 9
  EXEC,          // step 10
};

struct PlannedFile {
  FileRole role = FileRole::DATA;
  const char* path = nullptr;
  uint64_t size = 0;
  uint64_t offset = 0;  // in a packed bundle
  Digest digest;
};

struct LaunchPlan {
  const char* name = nullptr;  // argv[0]
  bool dynamic = false;
  Quotas quotas;

  int sourceFd = -1;    // the packed bundle, or the directory
  bool packed = false;  // which of the two
  kj::Array<PlannedFile> files;
  kj::Array<const char*> directories;  // of the tree, parents first
  char treeOptions[64] = {};           // of the tmpfs

  char uidMap[32] = {};
  char gidMap[32] = {};

  int nullFd = -1;     // /dev/null
  int logFd = -1;      // write end, not blocking
  int controlFd = -1;  // the plugin's end
  int failureFd = -1;  // write end; a LaunchFailure, or closed by exec

  sock_filter filter[CLOSED_FILTER_MAX] = {};
  unsigned short filterLength = 0;
};

// What the child writes to failureFd when a step fails.
struct LaunchFailure {
  LaunchStep step;
  uint16_t errc;  // an Errc
  int32_t error;  // errno, or 0
};

// Walks through the steps and becomes the plugin. Runs in the child and never returns.
[[noreturn]] void runChild(const LaunchPlan& plan);

// Parts of it, each giving 0 or an errno. (In tree.cc and landlock.cc.)
int makeTree(const LaunchPlan& plan, LaunchFailure& failure);
int sealProgram(const LaunchPlan& plan, int& programFd, Errc& errc);
int sealModel(const LaunchPlan& plan, const PlannedFile& model, int& modelFd, Errc& errc);
int restrictFiles(bool dynamic);

// The ABI of this kernel's Landlock; 0 when there is none.
int landlockAbi();
constexpr int LANDLOCK_ABI_MIN = 6;

}  // namespace hearth::engine
