#include "simulator/world/log-line.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

const std::string TREE = HEARTH_SOURCE_DIR;

TEST_CASE("a source file is named as it lies in the tree") {
  REQUIRE(withoutFolders(TREE + "/transport/link/link.cc:17: a link failed; e = " + TREE +
              "/core/a.cc:7: failed") ==
      "transport/link/link.cc:17: a link failed; e = core/a.cc:7: failed");
}

TEST_CASE("a library's source file is named without its folders") {
  REQUIRE(withoutFolders("/tmp/x/src/kj/async.c++:82: stuck") == "async.c++:82: stuck");
}

TEST_CASE("what is no place in a source file stays as it is") {
  for (auto line: {"", "/", "keys/identity: damaged", "/proc/meminfo is missing", "core/a.cc:7: x",
           "a/b:1", "ends with /a/b:"}) {
    REQUIRE(withoutFolders(line) == line);
  }
}

}  // namespace
}  // namespace hearth::sim
