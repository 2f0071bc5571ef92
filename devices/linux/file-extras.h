#pragma once
// What a file has beside its bytes, on Linux: mode, time, and extended attributes of its user.

#include "devices/linux/tree-files.h"

namespace hearth::devices {

TreeResult<FileAttributes> readAttributes(int file);

// What the file system does not take of them is left out; the time comes last, so that nothing changes it. Returns what
// it has then. Errors: DENIED for who does not own the file.
TreeResult<FileAttributes> writeAttributes(int file, const FileAttributes& attributes);

// Of whatever stands under that name, itself where it is a link.
TreeResult<void> writeTime(int directory, const std::string& name, int64_t modifiedNs);

}  // namespace hearth::devices
