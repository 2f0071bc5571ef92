// A folder in memory and one on disk do the same: random steps of Hearth and of the owner, on both of them.
#include "tests/devices/folders/sites.h"

#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <random>

namespace hearth::storage {
namespace {

constexpr const char* PATHS[] = {"a", "b", "d", "d/a", "d/b", "e", "e/a", "d/e", "d/e/a", "l/a"};
constexpr const char* STAGED[] = {"s", "t"};

// What one step said: nothing for done.
using Answer = std::optional<TreeError>;

template <typename T>
Answer answerOf(const TreeResult<T>& result) {
  return result ? Answer() : Answer(result.error());
}

struct Step {
  uint32_t what, which, other, text;
  bool isSeen, isStale, keeps;
};

template <typename Site>
struct Player: Site {
  std::map<std::string, FileStamp> seen;
  int kept = 0;

  // What Hearth saw there earlier, or sees now. A disk uses inodes again, and its clock ticks slowly: a stamp that is used
  // later is no directory's, and time passes before anything else happens.
  std::optional<FileStamp> stampOf(const FolderPath& at, const Step& step) {
    if (step.isStale && seen.contains(at.str())) return seen[at.str()];
    auto state = this->tree->state(at);
    if (!state) return std::nullopt;
    if (step.isSeen && state->kind != FileState::Kind::DIRECTORY) {
      seen[at.str()] = state->stamp;
      this->letTimePass();
    }
    return state->stamp;
  }
  Answer stage(const Step& step) {
    auto staged = this->tree->stage(STAGED[step.other % 2]);
    if (!staged) return staged.error();
    auto text = std::to_string(step.text);
    auto bytes = kj::arrayPtr(reinterpret_cast<const kj::byte*>(text.data()), text.size());
    auto written = (*staged)->write(0, bytes);
    if (!written) return written.error();
    return answerOf((*staged)->finish(text.size(), {0644, 1'000'000'000, {}}));
  }
  bool isThere(const std::string& at) { return this->tree->state(path(at)).has_value(); }
  bool isDirectory(const std::string& at) {
    auto state = this->tree->state(path(at));
    return state && state->kind == FileState::Kind::DIRECTORY;
  }
  // Only what an owner can do: a directory that is there, and no file in its way.
  void byOwner(const Step& step, const std::string& at) {
    auto slash = at.rfind('/');
    bool hasPlace = slash == std::string::npos || isDirectory(at.substr(0, slash));
    if (!hasPlace) return;
    bool isFile = isThere(at) && this->tree->state(path(at))->kind == FileState::Kind::FILE;
    if (step.text % 3 == 0 && isThere(at)) this->owner.remove(at);
    if (step.text % 3 == 1 && (isFile || !isThere(at)))
      this->owner.write(at, "owner " + std::to_string(step.text));
    if (step.text % 3 == 2 && isFile) this->owner.replace(at, "again " + std::to_string(step.text));
  }
  Answer play(const Step& step) {
    auto at = path(PATHS[step.which % std::size(PATHS)]);
    auto to = path(PATHS[step.other % std::size(PATHS)]);
    auto stamp = stampOf(at, step);
    auto expected = stamp ? &*stamp : nullptr;
    auto keepPath = path("d/v" + std::to_string(kept++));
    auto keep = step.keeps ? &keepPath : nullptr;
    switch (step.what % 10) {
      case 0:
      case 1:
        return stage(step);
      case 2:
      case 3:
        return answerOf(this->tree->place(STAGED[step.other % 2], at, expected, keep));
      case 4:
        return answerOf(this->tree->makeDirectory(at, 0755));
      case 5:
        return answerOf(this->tree->removeDirectory(at));
      case 6:
        return answerOf(
            this->tree->placeLink("to" + std::to_string(step.text), at, expected, keep));
      case 7:
        return expected ? answerOf(this->tree->move(at, *expected, to)) : Answer();
      case 8:
        return expected ? answerOf(this->tree->remove(at, *expected, keep)) : Answer();
      default:
        byOwner(step, at.str());
        return Answer();
    }
  }
  std::map<std::string, std::string> everything() {
    auto all = this->owner.everything();
    for (auto& kept: this->tree->kept().value()) {
      auto reading = this->tree->openKept(kept.path);
      all["kept " + kept.path.str()] = std::to_string(kept.state.stamp.size) +
          (reading ? "" : " " + std::to_string(static_cast<int>(reading.error())));
    }
    for (auto& name: this->tree->staged().value()) all["staged " + name] = "";
    return all;
  }
};

template <typename Site>
void compare(uint64_t seed, size_t steps) {
  std::mt19937_64 luck(seed);
  Player<InMemory> inMemory;
  Player<Site> onDisk;
  size_t done = 0, refused = 0;
  std::string story;
  for (size_t i = 0; i < steps; ++i) {
    Step step{static_cast<uint32_t>(luck()), static_cast<uint32_t>(luck()),
        static_cast<uint32_t>(luck()), static_cast<uint32_t>(luck() % 1000), luck() % 4 == 0,
        luck() % 4 == 0, luck() % 2 == 0};
    story += std::to_string(step.what % 10) + ":" + PATHS[step.which % std::size(PATHS)] + ":" +
        PATHS[step.other % std::size(PATHS)] + (step.isStale ? "!" : "") + " ";
    if (story.size() > 600) story.erase(0, 200);
    INFO("seed " << seed << ", step " << i << " after " << story);
    auto expected = inMemory.play(step), found = onDisk.play(step);
    REQUIRE(expected == found);
    REQUIRE(inMemory.everything() == onDisk.everything());
    (found ? refused : done)++;
  }
  REQUIRE(done > steps / 10);
  REQUIRE(refused > steps / 10);
}

TEST_CASE("a folder in memory and one on disk do the same, step by step") {
  auto seed = std::random_device()();
  compare<OnLinux>(seed, 800);
}

TEST_CASE("a folder in memory and one on a disk that cannot exchange do the same") {
  auto seed = std::random_device()();
  compare<OnOldLinux>(seed, 800);
}

}  // namespace
}  // namespace hearth::storage
