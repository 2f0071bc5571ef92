#pragma once
// A disk with directories in memory, as a journalling file system has it: changes of names come in steps, each whole or
// not at all and in their order; what is in files comes whenever it likes, unless it was synced. SimTree is Hearth's
// view of it, TreeOwner is what all other programs do there.

#include "simulator/world/chance.h"
#include "storage/folder/file-tree.h"

#include <functional>
#include <memory>
#include <variant>

namespace hearth::sim {

class TreeImage final {
 public:
  using Kind = storage::FileState::Kind;
  using Inode = uint64_t;
  static constexpr Inode NONE = 0, ROOT = 1;

  struct Content {
    std::string bytes, durable;
    bool dirty = false;  // not synced
  };

  struct Meta {
    Kind kind = Kind::FILE;
    uint32_t mode = 0644;
    int64_t modifiedNs = 0, changedNs = 0;
    std::map<std::string, std::string> extended;
    std::string target;  // of a symbolic link
  };

  struct Node {
    Meta meta;
    std::map<std::string, Inode> names;  // of a directory
    Inode parent = NONE;
    std::string name;
    std::shared_ptr<Content> content;
  };
  using NodePtr = std::shared_ptr<Node>;

  // Parts of one step.
  struct Put {
    Inode directory;
    std::string name;
    Inode node;  // NONE: nothing
  };
  struct Set {
    Inode node;  // a new one, too
    Meta meta;
  };
  using Step = std::vector<std::variant<Put, Set>>;

  // Whoever wants to know what happens to names.
  class Listener {
   public:
    virtual ~Listener() noexcept(false) = default;
    virtual void touched(Inode directory, const std::string& name) = 0;
    virtual void beingWritten(Inode directory, const std::string& name) = 0;
    virtual void vanished(Inode directory) = 0;
  };

  explicit TreeImage(Chance chance);
  KJ_DISALLOW_COPY_AND_MOVE(TreeImage);

  // Whether names that differ in the case of ASCII letters are one.
  bool caseless = false;

  // Faults of the disk itself.
  bool full = false;     // Hearth can write nothing
  bool failing = false;  // nothing can be made durable

  // Requires that there is such a node, and that it is a directory.
  Inode find(Inode directory, const std::string& name) const;
  bool has(Inode node) const { return now.contains(node); }
  NodePtr node(Inode node) const { return now.at(node); }
  storage::FileState state(Inode node) const;

  Inode newInode() { return ++lastInode; }
  int64_t tick() { return clockNs += 1'000'000; }  // the disk's clock goes on with each change

  void commit(Step step);
  // The content of a file has changed: its times with it.
  void written(Inode node, bool closed);

  void sync();
  // Some of the last steps did not happen; of what was not synced in files, any is old, new or torn.
  void losePower();
  uint64_t lost = 0;  // steps and contents that losses of power took

  std::vector<Listener*> listeners;

 private:
  using Nodes = std::map<Inode, NodePtr>;

  Chance chance;
  Inode lastInode = ROOT;
  int64_t clockNs = 1'700'000'000'000'000'000;
  Nodes now, durable;
  std::vector<Step> journal;  // since the last sync

  static std::vector<Inode> apply(const Step& step, Nodes& nodes);
  void tell(const Step& step, const std::vector<Inode>& vanished);
  void crash(Content& content);
};

}  // namespace hearth::sim
