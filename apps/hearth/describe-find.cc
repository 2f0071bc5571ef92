#include "apps/hearth/describe.h"

namespace hearth::cli {

void describeFind(CLI::App& app, Common& common, FindOptions& options) {
  auto* find =
      command(app, common, "find", "finds words in documents, and in names and texts of files");
  find->add_option("TEXT", options.words,
          "all of these words, in any order; '\"new york\"' one after another, dent* how words begin (two "
          "letters or more), 'trip -milk' without what has a minus")
      ->required();
  find->add_option("--limit", options.most, "how many are shown, the best first")
      ->check(CLI::Range(1, 100));
  find->add_option("--in", options.in, "where to look: all, documents or files")
      ->check(CLI::IsMember({"all", "documents", "files"}));
  find->add_flag("--wait", options.waits,
      "looks when all that has changed is in the index, and shows how far that is");
}

}  // namespace hearth::cli
