// hearth: the command line (a contract: DESIGN §10).

#include "apps/hearth/commands.h"
#include "apps/hearth/describe.h"
#include "bindings/local/home.h"

#include <kj/debug.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

namespace {

using namespace hearth::cli;

const std::vector<std::string> CLASSES = {"watch", "phone", "laptop", "gpubox", "vault"};

struct Everything {
  Common common;
  InitOptions init;
  JoinOptions join;
  SealOptions seal;
  RecoverOptions recover;
  RecoveryOptions recovery;
  PairOptions pair;
  RunOptions run, dictate;
  WatchOptions watch;
  DecideOptions decide;
  DocOptions doc;
  BlobOptions blob;
  FolderOptions folder;
  FindOptions find;
  ClipOptions clip;
  SettingsOptions shared;
  LimitsOptions limits;
  std::vector<std::string> settings;
  std::string name, role, device, reason = "lost", job, instance, relayWhat;
  bool leaves = false;
  uint32_t most = 20;
};

void passphraseOption(CLI::App* sub, std::string& file) {
  sub->add_option("--passphrase-file", file,
      "seal this device's keys with the first line of this file; -: of standard input");
}

void describeSeal(CLI::App& app, Everything& all) {
  auto* seal = command(app, all.common, "seal",
      "seals this device's keys anew, with a passphrase if nothing else is said");
  auto* by = seal->add_option_group("by")->require_option(0, 1);
  by->add_flag("--tpm", all.seal.tpm, "by this machine's TPM, to the way it starts");
  by->add_flag("--none", all.seal.none, "by nothing but the file's owner");
  passphraseOption(seal, all.seal.passphraseFile);
}

void wordsOptions(CLI::App* sub, std::string& wordsFile, std::vector<std::string>& shares) {
  sub->add_option(
      "--words-file", wordsFile, "read the 24 words from this file; -: from standard input");
  sub->add_option("--share", shares, "one of two files of hearth recovery shares")
      ->excludes("--words-file");
}

void describeRecovery(CLI::App& app, Everything& all) {
  auto* recover = command(
      app, all.common, "recover", "begins the circle anew with the 24 words; all others are out");
  recover->add_option("--at", all.recover.at, "HOST:PORT of any device of the circle that runs");
  recover->add_flag("--here", all.recover.here, "from the log that this home holds");
  wordsOptions(recover, all.recover.wordsFile, all.recover.shares);
  recover->add_option("--recovery-out", all.recover.recoveryOut,
      "write the new words to this new file instead of asking three back");
  recover->add_option("--name", all.recover.name, "what people call the device");
  recover->add_option("--class", all.recover.deviceClass)->check(CLI::IsMember(CLASSES));
  recover->add_option("--listen", all.recover.listen, "HOST:PORT for the daemon to listen on");
  passphraseOption(recover, all.recover.passphraseFile);
  auto* recovery = app.add_subcommand("recovery", "what else the 24 words are for");
  recovery->require_subcommand(1);
  auto* shares =
      command(*recovery, all.common, "shares", "cuts the key into three, of which two do");
  shares->add_option("--words-file", all.recovery.wordsFile,
      "read the 24 words from this file; -: from standard input");
  shares->add_option("--out", all.recovery.out, "write three new files to this folder");
  auto* check = command(*recovery, all.common, "check", "whether the words bring this circle back");
  wordsOptions(check, all.recovery.wordsFile, all.recovery.shares);
  passphraseOption(check, all.recovery.passphraseFile);
}

void describeDevice(CLI::App& app, Everything& all) {
  auto* device = command(app, all.common, "device", "one device");
  device->add_option("NAME", all.name, "name or id");
  auto* role = command(*device, all.common, "role", "makes a device an admin, a member or a vault");
  role->add_option("NAME", all.name, "name or id")->required();
  role->add_option("ROLE", all.role)
      ->required()
      ->check(CLI::IsMember({"admin", "member", "vault"}));
  device->require_subcommand(0, 1);
}

void describeCircle(CLI::App& app, Everything& all) {
  auto* init = command(app, all.common, "init", "a new circle, with this device as its first");
  init->add_option("--name", all.init.name, "what people call the device");
  init->add_option("--class", all.init.deviceClass)->check(CLI::IsMember(CLASSES));
  init->add_option("--listen", all.init.listen, "HOST:PORT for the daemon to listen on");
  init->add_option("--recovery-out", all.init.recoveryOut,
      "write the 24 recovery words to this new file instead of asking three back");
  passphraseOption(init, all.init.passphraseFile);
  auto* join = command(app, all.common, "join", "waits to be brought into a circle");
  auto* method = join->add_option_group("method")->require_option(1);
  auto by = [&](const char* name, const char* value, const char* help) {
    method->add_flag_callback(name, [&all, value]() { all.join.method = value; }, help);
  };
  by("--qr", "qr", "show a QR code, for the admin to scan");
  by("--sas", "sas", "compare pictures on both screens");
  by("--code", "code", "show a code of six words, for the admin to type");
  join->add_option("--png", all.join.png, "write the QR code to this picture, too");
  join->add_flag(
      "--no-discovery", all.join.noDiscovery, "do not announce on the local link that it waits");
  join->add_option("--name", all.join.name, "what people call the device");
  join->add_option("--class", all.join.deviceClass)->check(CLI::IsMember(CLASSES));
  join->add_option("--listen", all.join.listen, "HOST:PORT to wait and later listen on");
  passphraseOption(join, all.join.passphraseFile);
  auto* pair = command(app, all.common, "pair", "brings in the device that waits in hearth join");
  auto* proof = pair->add_option_group("proof")->require_option(1);
  proof->add_option("CODE", all.pair.code, "the six words, or the text of a QR code");
  proof->add_option("--qr", all.pair.qrPng, "a picture of the QR code: FILE.png");
  proof->add_flag("--sas", all.pair.sas, "compare pictures on both screens");
  pair->add_option(
      "--at", all.pair.at, "HOST:PORT, as the new device shows; by itself on one network");
  pair->add_option("--role", all.pair.role)->check(CLI::IsMember({"admin", "member", "vault"}));
  pair->add_flag("--yes", all.pair.yes, "do not ask");
  command(app, all.common, "devices", "the circle");
  describeDevice(app, all);
  auto* link = app.add_subcommand("link", "the links to other devices")->require_subcommand(1);
  auto* watch = link->add_subcommand("watch", "paths, lanes and keys, once a second");
  watch->add_option("--home", all.common.home, "where this device's Hearth lives");
  watch->add_flag("--json", all.common.json, "one JSON value a line");
  watch->add_flag("--once", all.watch.once, "show them once and end");
  watch->add_option("NAME", all.watch.name, "only that device: name or id");
  auto* relay =
      command(app, all.common, "relay", "blind relays where this device waits to be called");
  relay->add_option("WHAT", all.relayWhat)
      ->required()
      ->check(CLI::IsMember({"add", "remove", "list"}));
  relay->add_option("PLACE", all.name, "HOST:PORT of the relay");
}

// What changes the circle, and what of it waits for another admin.
void describeChanges(CLI::App& app, Everything& all) {
  auto* remove = command(app, all.common, "remove", "takes a device out of the circle for good");
  remove->add_option("NAME", all.name, "name or id")->required();
  remove->add_option("--reason", all.reason)->check(CLI::IsMember({"lost", "stolen", "retired"}));
  auto* policy =
      command(app, all.common, "policy", "what the circle's owner allows: shows it, or sets it");
  policy->add_option(
      "KEY=VALUE", all.settings, "one or more of what it shows: health=A3 stale-days=14");
  auto* back = command(app, all.common, "reinstate", "gives a suspended device its part again");
  back->add_option("NAME", all.name, "name or id")->required();
  auto* leave = command(app, all.common, "leave", "takes this device out of its circle for good");
  leave->add_flag("--yes", all.leaves, "do not ask");
  auto* rename = command(app, all.common, "rename", "says what people call this device");
  rename->add_option("NAME", all.name, "1 to 64 bytes of UTF-8")->required();
  rename->add_option(
      "--device", all.device, "another device, by name or id: hearthd must run there");
  command(app, all.common, "pending", "what waits for the word of an admin");
  auto* approve = command(app, all.common, "approve", "signs what another admin asks for");
  approve->add_option("ID", all.decide.id, "its id, or the beginning of it: four digits or more")
      ->required();
  approve->add_flag("--yes", all.decide.yes, "do not ask");
  auto* refuse = command(app, all.common, "refuse",
      "turns down what another admin asks for, or takes back what this device asks");
  refuse->add_option("ID", all.decide.id, "its id, or the beginning of it: four digits or more")
      ->required();
}

void describeWork(CLI::App& app, Everything& all) {
  auto* run = command(app, all.common, "run", "runs a workload");
  run->add_option("WORKLOAD", all.run.workload, "a built-in name (dictate) or a .toml file")
      ->required();
  run->add_option("--in", all.run.in, "port=FILE.wav, or port=sensor");
  run->add_option("--out", all.run.out, "port=FILE, or port=- for standard output");
  run->add_option("--from", all.run.from, "the device whose sensors are used");
  auto* dictate = command(app, all.common, "dictate", "speech into text, as it is spoken");
  dictate->add_option("--from", all.dictate.from, "the device whose microphone listens");
  auto* jobs = command(app, all.common, "jobs", "what ran here, newest first");
  jobs->add_option("--most", all.most, "how many")->check(CLI::Range(1, 1000));
  auto* why = command(app, all.common, "why", "where a job ran, and why there");
  why->add_option("JOB", all.job, "its id, or the beginning of one; the newest if left out");
  command(app, all.common, "status", "this device");
  command(app, all.common, "doctor",
      "whether all is well with this device: its data, its folders, what it warns of");
  auto* place = command(app, all.common, "place", "the planner alone, on an instance file");
  place->add_option("INSTANCE", all.instance, "a JSON file, or - for standard input")->required();
}

int dispatch(CLI::App& app, Everything& all) {
  auto got = [&](const char* name) { return app.got_subcommand(name); };
  if (got("place")) return place(all.instance);
  if (all.common.home.empty()) all.common.home = hearth::local::defaultHome().cStr();
  if (got("init")) return init(all.common, all.init);
  if (got("join")) return join(all.common, all.join);
  if (got("seal")) return seal(all.common, all.seal);
  if (got("recover")) return recover(all.common, all.recover);
  if (got("recovery")) {
    bool shares = app.get_subcommand("recovery")->got_subcommand("shares");
    return shares ? recoveryShares(all.common, all.recovery)
                  : recoveryCheck(all.common, all.recovery);
  }
  if (got("pair")) return pair(all.common, all.pair);
  if (got("devices")) return devices(all.common);
  if (got("device")) {
    if (app.get_subcommand("device")->got_subcommand("role"))
      return deviceRole(all.common, all.name, all.role);
    if (all.name.empty())
      throw Failure{USAGE, "say which device: hearth device NAME, or hearth device role NAME ROLE"};
    return device(all.common, all.name);
  }
  if (got("policy")) return policy(all.common, all.settings);
  if (got("reinstate")) return reinstate(all.common, all.name);
  if (got("leave")) return leave(all.common, all.leaves);
  if (got("rename")) return rename(all.common, all.name, all.device);
  if (got("pending")) return pending(all.common);
  if (got("approve")) return approve(all.common, all.decide);
  if (got("refuse")) return refuse(all.common, all.decide);
  if (got("link")) return watchLinks(all.common, all.watch);
  if (got("relay")) return relay(all.common, all.relayWhat, all.name);
  if (got("doc")) {
    auto what = app.get_subcommand("doc")->get_subcommands().front()->get_name();
    return what == "list" ? docList(all.common) : doc(all.common, what, all.doc);
  }
  if (got("folder"))
    return folder(all.common, app.get_subcommand("folder")->get_subcommands().front()->get_name(),
        all.folder);
  if (got("blob"))
    return blob(
        all.common, app.get_subcommand("blob")->get_subcommands().front()->get_name(), all.blob);
  for (auto* what: {"limits", "pause", "resume"})
    if (got(what)) return limits(all.common, what, all.limits);
  if (got("find")) return find(all.common, all.find);
  if (got("clip"))
    return clip(
        all.common, app.get_subcommand("clip")->get_subcommands().front()->get_name(), all.clip);
  if (got("settings"))
    return settings(all.common,
        app.get_subcommand("settings")->get_subcommands().front()->get_name(), all.shared);
  if (got("remove")) return remove(all.common, all.name, all.reason);
  if (got("run")) return run(all.common, all.run);
  if (got("dictate")) return run(all.common, all.dictate);
  if (got("jobs")) return jobs(all.common, all.most);
  if (got("doctor")) return doctor(all.common);
  if (got("why")) return why(all.common, all.job);
  return status(all.common);
}

// What belongs behind a command: "hearth device role NAME ROLE"; in brackets what may be left out.
void addPlaces(std::string& usage, const CLI::App& app) {
  for (auto* option: app.get_options([](auto* o) { return o->get_positional(); })) {
    auto name = option->get_name(true);
    usage += option->get_required() ? " " + name : " [" + name + "]";
  }
  for (auto* group: app.get_subcommands([](auto* sub) { return sub->get_name().empty(); }))
    addPlaces(usage, *group);
}

// Of the command that was begun.
std::string hintFor(const CLI::App& app) {
  std::string usage = "hearth";
  auto* command = &app;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    if (!command->get_name().empty()) usage += " " + command->get_name();
  }
  if (command == &app) return "see hearth --help";
  auto begun = usage;
  addPlaces(usage, *command);
  return usage + ", see " + begun + " --help";
}

int report(const Failure& failure, bool asJson) {
  if (asJson) printJson({{"error", failure.line}});
  std::cerr << "hearth: " << failure.line << "\n";
  return failure.code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Hearth: your devices as one private computer.");
  app.require_subcommand(1);
  Everything all;
  describeCircle(app, all);
  describeChanges(app, all);
  describeSeal(app, all);
  describeRecovery(app, all);
  describeWork(app, all);
  describeDocuments(app, all.common, all.doc);
  describeBlobs(app, all.common, all.blob);
  describeFolders(app, all.common, all.folder);
  describeLimits(app, all.common, all.limits);
  describeFind(app, all.common, all.find);
  describeClipboard(app, all.common, all.clip);
  describeSettings(app, all.common, all.shared);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help
    return report({USAGE, std::string(e.what()) + ": " + hintFor(app)}, all.common.json);
  }
  try {
    return dispatch(app, all);
  } catch (const Failure& failure) {
    return report(failure, all.common.json);
  } catch (const kj::Exception& e) {
    return report(failureOf(e), all.common.json);
  }
}
