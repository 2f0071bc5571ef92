#include "apps/hearth/describe.h"

namespace hearth::cli {

void describeFolders(CLI::App& app, Common& common, FolderOptions& options) {
  auto* folder = app.add_subcommand("folder", "directories that are the same on several devices");
  folder->require_subcommand(1);
  auto* add = command(*folder, common, "add",
      "makes a directory a folder; what is called the same on another device is the same folder");
  add->add_option("PATH", options.path, "the directory")->required();
  add->add_option("--name", options.name, "what it is called; without it, as the directory is");
  auto direction = [&](CLI::App* of) {
    return of
        ->add_option("--direction", options.direction,
            "send: what others change does not come here; receive: what is changed here is not told")
        ->check(CLI::IsMember({"both", "send", "receive"}));
  };
  direction(add);
  auto* set =
      command(*folder, common, "set", "says in which direction a folder goes on this device");
  set->add_option("NAME", options.name, "which one")->required();
  direction(set)->required();
  command(*folder, common, "list", "the folders of this device");
  auto* status = command(*folder, common, "status", "what is missing of them, where, and why");
  status->add_option("NAME", options.name, "one of them alone");
  status->add_flag("--wait", options.waits,
      "until it is up to date with every device that can be reached, and says how far it is");
  auto paths = [&](const char* name, const char* what) {
    command(*folder, common, name, what)
        ->add_option("PATH", options.paths, "files or directories in one folder, or the folder")
        ->required();
  };
  paths("free",
      "they leave this device and stay known, once another device is seen to have them; others keep theirs");
  paths("only", "nothing of their folder but these is kept on this device; the rest is freed");
  paths("keep", "what was freed is kept on this device again");
  command(*folder, common, "show", "what a directory of a folder has, here and away")
      ->add_option("PATH", options.path, "where")
      ->required();
  auto* mount = command(*folder, common, "mount",
      "shows all that a folder has in another directory, here and away; what is read of what is away is fetched");
  mount->add_option("NAME", options.name, "which folder")->required();
  mount->add_option("DIRECTORY", options.path, "an empty one")->required();
  mount->add_flag("--foreground", options.foreground, "ends with Ctrl-C; without it, by umount");
  auto* remove = command(
      *folder, common, "remove", "ends a folder on this device; nothing happens to any file");
  remove->add_option("NAME", options.name, "which one")->required();
}

}  // namespace hearth::cli
