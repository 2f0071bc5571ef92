#pragma once
// A directory on this machine's disk, gone with its object, and what its owner does there. Names may be any bytes.

#include "storage/folder/file-tree.h"

#include <map>
#include <string>

namespace hearth::storage {

class DiskOwner final {
 public:
  // Where temporary files go, or elsewhere.
  explicit DiskOwner(std::string below = "");
  ~DiskOwner();
  KJ_DISALLOW_COPY_AND_MOVE(DiskOwner);

  const std::string root;

  // As sim::TreeOwner has them.
  void write(const std::string& path, const std::string& bytes);
  void append(const std::string& path, const std::string& bytes);
  void writeOn(const std::string& path, const std::string& bytes);
  void close(const std::string& path);
  void replace(const std::string& path, const std::string& bytes);
  void makeDirectory(const std::string& path);
  void link(const std::string& path, const std::string& target);
  void makeSpecial(const std::string& path);  // a pipe
  void remove(const std::string& path);
  void rename(const std::string& from, const std::string& to);
  void setAttributes(const std::string& path, const FileAttributes& attributes);
  kj::Maybe<std::string> read(const std::string& path) const;
  std::map<std::string, std::string> everything() const;

 private:
  std::map<std::string, int> open;  // for writing

  std::string at(const std::string& path) const { return root + "/" + path; }
  std::string made(const std::string& path) const;  // with the directories on the way
};

}  // namespace hearth::storage
