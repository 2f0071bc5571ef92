#include "apps/hearth/describe.h"

namespace hearth::cli {

namespace {

// Both outlive the parser.
struct Parts {
  Common& common;
  DocOptions& options;
};

CLI::App* docCommand(CLI::App& doc, Parts all, const char* name, const char* help) {
  auto* sub = command(doc, all.common, name, help);
  sub->add_option("NAME", all.options.name, "what the document is called")->required();
  return sub;
}

void pathOption(CLI::App* sub, Parts all, bool required = true) {
  sub->add_option("PATH", all.options.path, "a JSON Pointer, as /title or /items/0")
      ->required(required);
}

void describeDocReading(CLI::App& doc, Parts all) {
  auto* get = docCommand(doc, all, "get", "prints what is there, as JSON; a text as it is");
  pathOption(get, all, false);
  get->add_option("--at", all.options.version, "as it was in that version");
  get->add_flag("--typed", all.options.typed, "with texts, counters and sets told apart");
  auto* watch = docCommand(doc, all, "watch", "the same, and again whenever it changes");
  pathOption(watch, all, false);
  auto* history = docCommand(doc, all, "history", "who changed it when, newest first");
  history->add_option("--most", all.options.most, "how many")->check(CLI::Range(1, 10'000));
  auto* who = docCommand(doc, all, "who", "who wrote what is there: of a text piece by piece");
  pathOption(who, all);
  auto* diff = docCommand(doc, all, "diff", "from one version to another, as a JSON Patch");
  diff->add_option("FROM", all.options.from, "a version, as history lists them; 0: nothing")
      ->required();
  diff->add_option("TO", all.options.version, "another one; now, if left out");
  auto* exported = docCommand(doc, all, "export", "the whole document, as JSON");
  exported->add_flag("--history", all.options.binary, "with its history, in its binary form");
  exported->add_option("--out", all.options.out, "to this file");
}

void describeDocWriting(CLI::App& doc, Parts all) {
  auto* set = docCommand(doc, all, "set", "makes it so, by the fewest changes");
  pathOption(set, all);
  set->add_option("VALUE", all.options.value, "JSON; -: standard input")->required();
  auto* as = set->add_option_group("as")->require_option(0, 1);
  auto is = [&](const char* name, const char* value, const char* help) {
    as->add_flag_callback(name, [all, value]() { all.options.as = value; }, help);
  };
  is("--text", "text", "VALUE is a text as it stands, which several may edit at once");
  is("--counter", "counter", "VALUE is a number, to which several may add at once");
  is("--set", "set", "VALUE is an array, of which each value is there once");
  pathOption(docCommand(doc, all, "remove", "takes out what is there"), all);
  auto* edit = docCommand(doc, all, "edit", "in your editor; or a text at one place, with options");
  pathOption(edit, all, false);
  auto meant = [all](const std::string&) { all.options.isEdit = true; };
  edit->add_option("--at", all.options.at, "in front of which character, from 0")->each(meant);
  edit->add_option("--delete", all.options.erased, "so many characters from there on")->each(meant);
  edit->add_option("--insert", all.options.typedText, "this text there")->each(meant);
  auto* add = docCommand(doc, all, "add", "adds to a counter");
  pathOption(add, all);
  add->add_option("COUNT", all.options.count, "1, if left out");
  for (auto [name, help]: {std::pair{"include", "puts a value into a set"},
           {"exclude", "takes a value out of a set"}}) {
    auto* sub = docCommand(doc, all, name, help);
    pathOption(sub, all);
    sub->add_option("VALUE", all.options.value, "JSON")->required();
  }
  auto* move = docCommand(doc, all, "move", "moves an element of a list");
  pathOption(move, all);
  move->add_option("TO", all.options.to, "the index that it then has")->required();
  docCommand(doc, all, "undo", "takes back the newest change of this device");
  docCommand(doc, all, "redo", "makes it again");
}

void describeDocPresence(CLI::App& doc, Parts all) {
  docCommand(doc, all, "present", "who is at it just now, on which device");
  auto* attend = docCommand(
      doc, all, "attend", "is at it until interrupted, and prints who else is and what they say");
  attend->add_option(
      "VALUE", all.options.value, "what is said of this one, JSON; null, if left out");
  auto* say =
      docCommand(doc, all, "say", "to whoever is at it now, on other devices; kept nowhere");
  say->add_option("VALUE", all.options.value, "JSON")->required();
}

}  // namespace

CLI::App* command(CLI::App& app, Common& common, const char* name, const char* help) {
  auto* sub = app.add_subcommand(name, help);
  sub->add_option("--home", common.home, "where this device's Hearth lives");
  sub->add_flag("--json", common.json, "one JSON value a line");
  return sub;
}

void describeDocuments(CLI::App& app, Common& common, DocOptions& options) {
  Parts all{common, options};
  auto* doc = app.add_subcommand("doc", "documents that all devices write, also offline");
  doc->require_subcommand(1);
  command(*doc, all.common, "list", "their names");
  describeDocReading(*doc, all);
  describeDocWriting(*doc, all);
  describeDocPresence(*doc, all);
}

}  // namespace hearth::cli
