#pragma once
// What everybody but Hearth does in a folder in memory: its owner, and the owner's programs. Names may be any bytes.

#include "simulator/disk/tree-image.h"

namespace hearth::sim {

class TreeOwner final {
 public:
  explicit TreeOwner(TreeImage& image): image(image) {}

  // All make the directories on the way, and require that nothing else is in it.
  void write(
      const std::string& path, std::string bytes);  // into the file that is there, or a new one
  void append(const std::string& path, const std::string& bytes);
  void writeOn(const std::string& path,
      std::string bytes);  // the same as write(), and does not close it yet
  void close(const std::string& path);
  void replace(const std::string& path, std::string bytes);  // by a new file, as editors save
  void makeDirectory(const std::string& path);
  void link(const std::string& path, const std::string& target);  // symbolic
  void makeSpecial(const std::string& path);                      // a pipe, say
  void remove(const std::string& path);                           // with all that is in it
  void rename(const std::string& from, const std::string& to);    // replaces a file
  // Everything else of a file; its times are taken as they are.
  void setAttributes(const std::string& path, const storage::FileAttributes& attributes);

  kj::Maybe<std::string> read(const std::string& path) const;
  // Files and what is in them, directories with a slash behind, links with an arrow and their target.
  std::map<std::string, std::string> everything() const;

 private:
  using Inode = TreeImage::Inode;
  struct Spot {
    Inode directory;
    std::string name;
  };

  TreeImage& image;

  Spot spot(const std::string& path);
  Inode make(const Spot& spot, TreeImage::Meta meta);
  Inode fileAt(const std::string& path);
  Inode at(const std::string& path) const;  // NONE: nothing
  void removeAt(const Spot& spot);
};

}  // namespace hearth::sim
