#include "storage/folder/file-tree.h"

namespace hearth::storage {

kj::StringPtr describe(TreeError error) {
  switch (error) {
    case TreeError::MISSING:
      return "it is not there";
    case TreeError::CHANGED:
      return "something else is there now";
    case TreeError::NOT_EMPTY:
      return "the directory is not empty";
    case TreeError::LINKED:
      return "a symbolic link is on the way: links are not followed";
    case TreeError::DENIED:
      return "no permission: see who owns it, and its mode";
    case TreeError::FULL:
      return "the disk is full: make room, and it goes on";
    case TreeError::UNSUPPORTED:
      return "the file system cannot hold this";
    case TreeError::GONE:
      return "the folder is not there: mount its disk, or put it back";
    case TreeError::TAKEN:
      return "another folder of Hearth is there, around it or in it";
    case TreeError::FAILED:
      return "the disk failed: see the system's log";
  }
  return "unknown";
}

}  // namespace hearth::storage
