#pragma once
// The commands of `hearth`, each a function from parsed options to an exit code. They throw
// kj::Exception or Failure for what main turns into one line.

#include "apps/hearth/output.h"

#include <string>
#include <vector>

namespace hearth::cli {

struct Common {
  std::string home;
  bool json = false;
};

struct InitOptions {
  std::string name, deviceClass, recoveryOut, listen, passphraseFile;
};
struct JoinOptions {
  std::string name, deviceClass, listen, passphraseFile;
  std::string method;  // "qr", "sas" or "code"
  std::string png;     // where the QR code goes as a picture, too
  bool noDiscovery = false;
};
struct SealOptions {
  std::string passphraseFile;
  bool tpm = false, none = false;
};
struct RecoverOptions {
  std::string name, deviceClass, listen, passphraseFile;
  std::string wordsFile, recoveryOut, at;
  std::vector<std::string> shares;
  bool here = false;
};
struct RecoveryOptions {
  std::string wordsFile, out, passphraseFile;
  std::vector<std::string> shares;
};
struct PairOptions {
  std::string code, qrPng, at, role = "member";
  bool sas = false;
  bool yes = false;
};
struct RunOptions {
  std::string workload = "dictate", from;
  std::vector<std::string> in, out;  // "port=FILE"
};

struct DecideOptions {
  std::string id;
  bool yes = false;
};

struct WatchOptions {
  std::string name;  // empty: every link
  bool once = false;
};

struct DocOptions {
  std::string name, path, value;
  std::string as;             // "text", "counter" or "set": what the value is to be
  std::string version, from;  // empty: as it is now
  bool typed = false, binary = false;
  uint32_t at = 0, erased = 0, to = 0, most = 50;
  std::string typedText, out;
  bool isEdit = false;  // by what is said here, not in an editor
  int64_t count = 1;
};

struct BlobOptions {
  std::string file, name;
  std::string out;    // empty: the blob's name
  std::string range;  // empty: all of it
};

struct FolderOptions {
  std::string path, name;
  std::vector<std::string> paths;
  bool waits = false;       // until everything is up to date
  bool foreground = false;  // a mount, until it ends
  std::string direction = "both";
};

struct LimitsOptions {
  std::string up, down, with;        // empty: as it is; all devices together
  std::string onBattery, onMetered;  // empty: as it is
  std::string duration;              // of a pause; empty: until it is ended
};

struct FindOptions {
  std::vector<std::string> words;
  std::string in = "all";
  uint32_t most = 20;
  bool waits = false;
};

struct ClipOptions {
  std::string text, file, mime, id;
  std::string lifetime;  // as spanOf() takes it; empty: the usual one
  bool isSecret = false, isKept = false;
};

struct SettingsOptions {
  std::string key, value, device;
  std::string lifetime;  // as spanOf() takes it; empty: for good
};

// Of this device alone; no daemon may be running.
int init(const Common& common, const InitOptions& options);
int join(const Common& common, const JoinOptions& options);
int seal(const Common& common, const SealOptions& options);
int recover(const Common& common, const RecoverOptions& options);
int recoveryShares(const Common& common, const RecoveryOptions& options);
int recoveryCheck(const Common& common, const RecoveryOptions& options);

// Through the daemon.
int status(const Common& common);
int doctor(const Common& common);
int devices(const Common& common);
int device(const Common& common, const std::string& name);
int relay(const Common& common, const std::string& what, const std::string& place);
int deviceRole(const Common& common, const std::string& name, const std::string& role);
int policy(const Common& common, const std::vector<std::string>& settings);  // "KEY=VALUE"
int reinstate(const Common& common, const std::string& name);
int remove(const Common& common, const std::string& name, const std::string& reason);
int leave(const Common& common, bool yes);
// `device` empty: this one.
int rename(const Common& common, const std::string& name, const std::string& device);
int pending(const Common& common);
int approve(const Common& common, const DecideOptions& options);
int refuse(const Common& common, const DecideOptions& options);
int pair(const Common& common, const PairOptions& options);
int run(const Common& common, const RunOptions& options);
// `what`: the name of the command behind `hearth doc`.
int doc(const Common& common, const std::string& what, const DocOptions& options);
int docList(const Common& common);
// hearth doc present, attend and say.
int docPresence(const Common& common, const std::string& what, const DocOptions& options);
// `what`: the name of the command behind `hearth folder`.
int folder(const Common& common, const std::string& what, const FolderOptions& options);
int folderMount(const Common& common, const FolderOptions& options);
// `what`: the name of the command behind `hearth blob`.
int blob(const Common& common, const std::string& what, const BlobOptions& options);
// `what`: limits, pause or resume.
int limits(const Common& common, const std::string& what, const LimitsOptions& options);
int find(const Common& common, const FindOptions& options);
int clipShare(const Common& common);
// `what`: the name of the command behind `hearth clip` and `hearth settings`.
int settings(const Common& common, const std::string& what, const SettingsOptions& options);
int clip(const Common& common, const std::string& what, const ClipOptions& options);
int watchLinks(const Common& common, const WatchOptions& options);
int jobs(const Common& common, uint32_t most);
int why(const Common& common, const std::string& job);

// The planner alone.
int place(const std::string& path);

}  // namespace hearth::cli
