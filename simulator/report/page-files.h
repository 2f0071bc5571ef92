#pragma once
// The parts of the page that explainPage() writes, as they stand in simulator/report/page/: the
// build puts them into the library (cmake/Embed.cmake).

#include <kj/common.h>
#include <kj/string.h>

namespace hearth::sim {

struct EmbeddedFile {
  kj::StringPtr name, text;  // live as long as the program
};

// page.html, page.css, then the scripts in the order in which they run.
kj::ArrayPtr<const EmbeddedFile> pageFiles();

}  // namespace hearth::sim
