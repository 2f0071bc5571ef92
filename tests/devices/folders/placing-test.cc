// What is done to the files of a folder at a time.
#include "devices/folders/placing.h"
#include "tests/devices/folders/sites.h"

#include <catch2/catch_template_test_macros.hpp>

namespace hearth::devices {
namespace {

using storage::FolderPath;
using storage::path;
using storage::PathState;
using storage::TreeError;
using Kind = PathState::Kind;

FolderStep largeFile(std::string_view at, uint64_t length) {
  PathState state{.kind = Kind::FILE, .attributes = {.mode = 0644}};
  state.content.level = 1;
  state.content.top.length = length;
  FolderStep step{path(at), storage::folder_versions::Version{.state = state}, nullptr, nullptr};
  step.arrived = FolderIncoming::Arrived{state.content, {}};
  return step;
}

TEMPLATE_TEST_CASE(
    "a large file is placed once it is staged whole", "", storage::InMemory, storage::OnLinux) {
  TestType site;
  SystemEntropy entropy;
  FolderPlacing placing(kj::systemPreciseCalendarClock(), entropy);
  auto step = largeFile("a", 5);
  auto staged = site.tree->stage(FolderIncoming::stagedName(step.arrived->ref)).value();
  REQUIRE(staged->write(0, "hello"_kj.asBytes()).has_value());
  REQUIRE(staged->flush().has_value());
  std::vector<FolderStep> steps;
  steps.push_back(kj::mv(step));
  auto placed = placing.place(*site.tree, kj::mv(steps));
  REQUIRE(placed.front().how.has_value());
  kj::byte text[6];
  auto file = site.tree->open(path("a")).value();
  REQUIRE(file->read(0, text).value() == 5);
}

TEMPLATE_TEST_CASE(
    "a large file of which nothing is staged any more is not placed, and not made of zeros", "",
    storage::InMemory, storage::OnLinux) {
  TestType site;
  SystemEntropy entropy;
  FolderPlacing placing(kj::systemPreciseCalendarClock(), entropy);
  std::vector<FolderStep> steps;
  steps.push_back(largeFile("a", 5));
  auto placed = placing.place(*site.tree, kj::mv(steps));
  REQUIRE(placed.front().how.error() == TreeError::MISSING);
  REQUIRE(site.tree->state(path("a")).error() == TreeError::MISSING);
}

}  // namespace
}  // namespace hearth::devices
