#pragma once
// The kinds of devices and networks in this directory, which the build puts into the library
// (cmake/Embed.cmake): an app's test needs no files of ours.

#include "simulator/report/page-files.h"

namespace hearth::sim {

// profiles.toml, networks.toml.
kj::ArrayPtr<const EmbeddedFile> dataFiles();

}  // namespace hearth::sim
