// The judge of ignore rules is git itself, where it is there.
#include "storage/folder/ignore.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sys/wait.h>

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

constexpr const char* DIRECTORIES[] = {"", "a", "b", "a/b", "a/b/a", "b/ab", "b/ab/b.d"};
constexpr const char* FILES[] = {
    "c", "abc", "bb", "a.o", "b.txt", "#x", "!y", "s ", "[z]", "*s", "é", "x.part", "n~", "q\\"};

// A working tree in which git is asked, with our defaults for the user's own excludes.
class GitTree final {
 public:
  GitTree() {
    std::string name = "/tmp/hearth-ignore-XXXXXX";
    KJ_REQUIRE(mkdtemp(name.data()) != nullptr);
    root = name;
    for (std::string directory: DIRECTORIES) {
      fs::create_directories(root / "tree" / directory);
      if (!directory.empty()) paths[directory] = true;
      for (std::string file: FILES) {
        auto path = directory.empty() ? file : directory + "/" + file;
        std::ofstream(root / "tree" / path);
        paths[path] = false;
      }
    }
    std::ofstream(root / "defaults") << IgnoreRules::DEFAULTS;
    std::ofstream asked(root / "asked");
    for (auto& [path, isDirectory]: paths) asked << path << '\0';
  }
  ~GitTree() { fs::remove_all(root); }
  KJ_DISALLOW_COPY_AND_MOVE(GitTree);

  bool run(const std::string& command) const {
    auto status = std::system(("cd " + (root / "tree").string() +
        " && GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent git " + command + " 2>../errors")
            .c_str());
    return WIFEXITED(status) && WEXITSTATUS(status) <= 1;
  }
  void say(const std::string& directory, const std::string& text) const {
    std::ofstream(root / "tree" / directory / ".gitignore", std::ios::binary) << text;
  }
  Names ignored() const {
    REQUIRE(
        run("-c core.excludesFile=../defaults -c core.ignoreCase=false check-ignore --no-index -z "
            "--stdin <../asked >../answer"));
    std::ifstream answer(root / "answer", std::ios::binary);
    Names names;
    for (std::string name; std::getline(answer, name, '\0');) names.insert(name);
    return names;
  }

  fs::path root;
  std::map<std::string, bool> paths;  // whether it is a directory
};

TEST_CASE("what is left out is what git leaves out, for thousands of patterns") {
  GitTree tree;
  if (!tree.run("init -q .")) SKIP("git is not here");
  auto seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 luck(seed);
  const char* parts[] = {"a", "b", "ab", "c", "*", "*", "**", "?", "/", "/", "[ab]", "[!a]",
      "[a-c]", "[[:alpha:]]", "[^[:upper:]b]", "[]]", "[", "]", "-", "\\", "\\a", "\\*", "\\[", " ",
      "  ", ".", ".o", "~", "#", "!", "**/", "/**/", "/**", "a/b", "é", "[é]", "\xc3", "[a\\]]",
      "[b-a]", "\t"};
  auto pattern = [&]() {
    std::string line = luck() % 5 == 0 ? "!" : luck() % 9 == 0 ? "/" : "";
    for (auto n = luck() % 4 + 1; n > 0; --n) line += parts[luck() % std::size(parts)];
    if (luck() % 6 == 0) line += "/";
    if (luck() % 12 == 0) line += "\r";
    return line;
  };
  // Git's own mistake: behind plain characters alone, two stars are taken for directories (docs/IGNORED.md).
  auto isMistaken = [](const std::string& line) {
    auto stars = line.find("**");
    auto first = line.find_first_of("*?[\\");
    return stars != std::string::npos && stars == first && stars > 0 && line[stars - 1] != '/' &&
        line.find('/') != std::string::npos;
  };
  size_t patterns = 0, out = 0, in = 0;
  for (int round = 0; round < 150; ++round) {
    IgnoreRules rules;
    std::string said;
    for (std::string directory: {"", "a", "a/b"}) {
      std::string text;
      for (int i = 0; i < 7; ++i) {
        auto line = pattern();
        if (isMistaken(line)) continue;
        text += line + "\n";
        ++patterns;
      }
      tree.say(directory, text);
      said += "in '" + directory + "':\n" + text;
      REQUIRE(
          rules.add(directory.empty() ? FolderPath() : FolderPath::parse(directory).value(), text));
    }
    INFO(said);
    Names ours;
    for (auto& [name, isDirectory]: tree.paths) {
      if (rules.ignores(FolderPath::parse(name).value(), isDirectory)) ours.insert(name);
    }
    REQUIRE(ours == tree.ignored());
    out += ours.size();
    in += tree.paths.size() - ours.size();
  }
  REQUIRE(patterns > 2'000);
  REQUIRE(out > 1'000);
  REQUIRE(in > 1'000);
}

}  // namespace
}  // namespace hearth::storage
