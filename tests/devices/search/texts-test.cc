#include "devices/search/texts.h"
#include "simulator/disk/sim-tree.h"
#include "simulator/disk/tree-owner.h"
#include "storage/search/index.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

using namespace std::string_literals;
using storage::Tree;

struct Files {
  sim::TreeImage image{sim::Chance(1)};
  sim::SimTree tree{image};
  sim::TreeOwner owner{image};

  std::string text(const std::string& bytes) {
    owner.write("file", bytes);
    return textOf(tree, storage::FolderPath::parse("file").value()).value();
  }
};

TEST_CASE("a file in UTF-8 is text, and one with zeros or other bytes is not") {
  Files files;
  REQUIRE(files.text("Crème brûlée\n\t東京 \x1b[1m") == "Crème brûlée\n\t東京 \x1b[1m");
  REQUIRE(files.text("\xef\xbb\xbfmilk") == "milk");
  REQUIRE(files.text("") == "");
  REQUIRE(files.text("milk\0bread and more"s) == "");
  REQUIRE(files.text("caf\xe9 in Latin-1, and more") == "");
  REQUIRE(files.text("\xff\xd8\xff\xe0") == "");
  REQUIRE(files.text("a\x01z and more") == "");
}

TEST_CASE("of a long file the beginning is text, up to the end of a character") {
  Files files;
  std::string long_;
  while (long_.size() < 2 << 20) long_ += "a東";
  auto text = files.text(long_);
  REQUIRE(text.size() <= storage::search::Item::TEXT_BYTES_MAX);
  REQUIRE(text.size() > storage::search::Item::TEXT_BYTES_MAX - 4);
  REQUIRE(textAtFront(text).size() == text.size());
}

TEST_CASE("a file that turns out to be none is not text after all") {
  Files files;
  REQUIRE(files.text(std::string(100'000, 'a') + "\0\0\0\0\0"s) == "");
}

TEST_CASE("a file that is not there is said to be missing") {
  Files files;
  REQUIRE(textOf(files.tree, storage::FolderPath::parse("none").value()).error() ==
      storage::TreeError::MISSING);
}

TEST_CASE("the strings of a document are its text, a line each, and its keys are not") {
  Tree::Map inner{{"key", Tree{"deep"s}}};
  Tree::Map map{{"a", Tree{"milk"s}}, {"b", Tree{Tree::Written{"bread\nand more"}}},
      {"c", Tree{Tree::List{Tree{inner}, Tree{true}}}}, {"d", Tree{Tree::Members{{Tree{"set"s}}}}},
      {"e", Tree{int64_t(7)}}};
  REQUIRE(textOf(Tree{map}) == "milk\nbread\nand more\ndeep\nset\n");
}

TEST_CASE("a document of which nothing is left has no text") {
  REQUIRE(textOf(Tree{Tree::Map{}}) == std::nullopt);
  REQUIRE(textOf(Tree{Tree::Map{{"a", Tree{true}}}}) == "");
}

}  // namespace
}  // namespace hearth::devices
