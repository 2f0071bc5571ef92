#pragma once
// A folder as a file system that is read only: all that it has, here and away. Of a file that is away those parts are
// fetched that somebody reads. By libfuse's low-level interface on KJ's loop, so that one slow file keeps no other waiting.

#include "bindings/bindings.capnp.h"

#include <kj/async-unix.h>
#include <kj/timer.h>

#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct fuse_session;

namespace hearth::cli {

class FuseMount final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr uint64_t BLOCK_BYTES = 1 << 20;  // that are read together
  static constexpr size_t BLOCKS_MAX = 32;          // that are remembered
  static constexpr double SECONDS_KNOWN = 1;        // how long the kernel believes what it was told

  // Mounts. `root`: the folder's own directory on this device. Throws what cannot be mounted.
  FuseMount(kj::UnixEventPort& events, local::Folders::Client folders, std::string root,
      const std::string& directory);
  ~FuseMount() noexcept(false);  // unmounts
  KJ_DISALLOW_COPY_AND_MOVE(FuseMount);

  // Resolves when somebody has unmounted it.
  kj::Promise<void> serve();

  // What the kernel asks; each is answered sooner or later.
  struct Asked;
  struct Operations;

 private:
  struct Node {
    std::string path;  // from the root, with "/" before each name
    uint64_t lookups = 0;
  };
  struct Block {
    kj::ForkedPromise<void> come = nullptr;
    int error = 0;
    kj::Array<kj::byte> bytes;
  };
  struct Open {  // a file, or a directory with what it had
    std::string path;
    kj::Array<kj::byte> content;
    uint64_t size = 0;
    std::vector<std::pair<std::string, bool>> entries;  // names, and whether they are directories
  };
  using BlockName = std::pair<std::string, uint64_t>;  // content, and which one

  kj::UnixEventPort& events;
  local::Folders::Client folders;
  std::string root;
  fuse_session* session = nullptr;
  std::map<uint64_t, Node> nodes;
  std::map<std::string, uint64_t> numbers;
  uint64_t lastNode = 1, lastOpen = 0;
  std::map<uint64_t, Open> open;
  std::map<BlockName, std::shared_ptr<Block>> blocks;
  std::list<BlockName> used;  // the latest first
  kj::TaskSet tasks;

  std::string pathOf(uint64_t node) const;
  uint64_t nodeOf(const std::string& path);
  void forget(uint64_t node, uint64_t lookups);
  std::shared_ptr<Block> block(const Open& file, uint64_t number);
  kj::Promise<int> readDirectory(Open& directory);
  kj::Promise<int> read(Open file, uint64_t offset, kj::ArrayPtr<kj::byte> out);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::cli
