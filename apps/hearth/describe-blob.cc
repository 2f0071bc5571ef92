// What `hearth blob` takes.

#include "apps/hearth/describe.h"

namespace hearth::cli {

void describeBlobs(CLI::App& app, Common& common, BlobOptions& options) {
  auto* blob = app.add_subcommand("blob", "files of any size that all devices know by name");
  blob->require_subcommand(1);
  auto named = [&](const char* what, const char* help) {
    auto* sub = command(*blob, common, what, help);
    sub->add_option("NAME", options.name, "a name, or eight digits or more of the content id")
        ->required();
    return sub;
  };
  auto* put =
      command(*blob, common, "put", "takes a file in: it is kept here, and known everywhere");
  put->add_option("FILE", options.file, "the file")->required();
  put->add_option("--name", options.name, "what it is to be called; without it, as the file is");
  auto* get = named("get", "writes a blob to a file, after fetching it if it is not here");
  get->add_option("--out", options.out,
      "the file, or - for standard output; without it a new file of the blob's name");
  get->add_option("--range", options.range,
      "A-B: from byte A to before byte B alone; of a blob that is elsewhere no more is fetched");
  named("pin", "fetches a blob, and keeps it here whatever the room");
  named("unpin", "lets a blob go when there is no room and other devices keep it");
  named("remove", "has every device forget a blob and shred its key");
  command(*blob, common, "list", "all blobs, and which devices have them");
  auto* stat = command(*blob, common, "stat", "one blob, or the room that all of them take here");
  stat->add_option("NAME", options.name, "a name, or eight digits or more of the content id");
}

}  // namespace hearth::cli
