// What `hearth clip` takes.

#include "apps/hearth/describe.h"

namespace hearth::cli {

void describeClipboard(CLI::App& app, Common& common, ClipOptions& options) {
  auto* clip = app.add_subcommand("clip", "the clipboard that all devices share, for a while");
  clip->require_subcommand(1);
  auto* copy = command(*clip, common, "copy", "copies a text, a file or standard input");
  copy->add_option("TEXT", options.text, "without it and without --file: standard input");
  copy->add_option("--file", options.file, "the file: 4 MiB at most")->excludes("TEXT");
  copy->add_option("--type", options.mime,
      "its MIME type; without it text/plain, or application/octet-stream for what is no text");
  copy->add_flag("--secret", options.isSecret, "its beginning is not shown in lists");
  copy->add_option("--for", options.lifetime,
      "how long it lives: 90s, 10m, 1h30m, 2d, at most 30d; then every device has forgotten it");
  copy->add_flag(
          "--keep", options.isKept, "it lives until it is cleared, or 32 newer ones are there")
      ->excludes("--for");
  auto* paste = command(*clip, common, "paste", "writes the newest entry to standard output");
  paste->add_option("ID", options.id, "another one, as list shows it");
  command(*clip, common, "list", "what there is, newest first");
  command(*clip, common, "clear", "has every device forget all of it");
  command(*clip, common, "share",
      "makes one of this and the desktop's clipboard while it runs: texts alone, no secrets");
  command(*clip, common, "watch", "tells what there is, and again whenever that changes");
}

}  // namespace hearth::cli
