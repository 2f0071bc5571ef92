// hearth folder: directories that are the same on several devices.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/folder-progress.h"

#include <kj/debug.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

namespace hearth::cli {

namespace {

using nlohmann::json;

constexpr kj::Duration LOOK_EVERY = 20 * kj::MILLISECONDS;

std::string absolute(const std::string& path) {
  char real[PATH_MAX];
  if (realpath(path.c_str(), real) == nullptr)
    throw Failure{
        FAILED, path + " cannot be a folder: " + strerror(errno) + "; make the directory first"};
  return real;
}

// A path that may be away, and not on the disk: without links as far as it is there. What it ends in may be a link of the
// folder's own.
std::string placeOf(const std::string& path) {
  namespace files = std::filesystem;
  std::error_code error;
  auto full = files::absolute(path, error).lexically_normal();
  if (!full.has_filename()) full = full.parent_path();
  auto directory = files::weakly_canonical(full.parent_path(), error);
  if (error) throw Failure{FAILED, path + ": " + error.message()};
  return directory / full.filename();
}

std::string lastName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

json textsOf(capnp::List<capnp::Text>::Reader list) {
  auto texts = json::array();
  for (auto text: list) texts.push_back(text.cStr());
  return texts;
}

local::Direction directionOf(const std::string& name) {
  using Direction = local::Direction;
  return choose<Direction>(name,
      {{"both", Direction::BOTH}, {"send", Direction::SEND}, {"receive", Direction::RECEIVE}});
}

const char* nameOf(local::Direction direction) {
  switch (direction) {
    case local::Direction::SEND:
      return "send";
    case local::Direction::RECEIVE:
      return "receive";
    case local::Direction::BOTH:
      return "both";
  }
  return "unknown";
}

// Up to date, as far as its direction goes: nothing is pending here, and every device that can be reached is known to have the same log.
bool isUpToDate(local::Folder::Reader folder) {
  bool isQuiet =
      folder.getPending() == 0 && !folder.getScanning() && folder.getProblem().size() == 0;
  for (auto trouble: folder.getTroubles()) isQuiet &= trouble.getLeftOut();
  return isQuiet && folder.getUpToDateWith().size() >= folder.getReachable().size();
}

json choicesOf(local::Folder::Reader folder) {
  auto choices = json::array();
  for (auto choice: folder.getChoices())
    choices.push_back({{"path", choice.getPath().cStr()}, {"kept", choice.getKept()}});
  return choices;
}

json jsonOf(local::Folder::Reader folder) {
  auto troubles = json::array();
  for (auto trouble: folder.getTroubles())
    troubles.push_back({{"path", trouble.getPath().cStr()}, {"what", trouble.getWhat().cStr()},
        {"left_out", trouble.getLeftOut()}});
  return {{"name", folder.getName().cStr()}, {"path", folder.getPath().cStr()},
      {"files", folder.getFiles()}, {"bytes", folder.getBytes()}, {"pending", folder.getPending()},
      {"scanning", folder.getScanning()}, {"looked_at", folder.getLookedAt()},
      {"received_bytes", folder.getReceivedBytes()}, {"problem", folder.getProblem().cStr()},
      {"troubles", troubles}, {"up_to_date_with", textsOf(folder.getUpToDateWith())},
      {"reachable", textsOf(folder.getReachable())}, {"up_to_date", isUpToDate(folder)},
      {"away_files", folder.getAwayFiles()}, {"away_bytes", folder.getAwayBytes()},
      {"choices", choicesOf(folder)}, {"direction", nameOf(folder.getDirection())},
      {"changed_here", folder.getChangedHere()}, {"not_taken", folder.getNotTaken()},
      {"rests", folder.getRests().size() > 0 ? json(folder.getRests().cStr()) : json()}};
}

json jsonOf(local::FolderEntry::Reader entry) {
  using Kind = local::FolderEntry::Kind;
  json value{{"name", entry.getName().cStr()},
      {"kind",
          entry.getKind() == Kind::FILE            ? "file"
              : entry.getKind() == Kind::DIRECTORY ? "directory"
                                                   : "link"},
      {"here", entry.getHere()}, {"kept", entry.getKept()}};
  if (entry.getKind() == Kind::FILE) value["bytes"] = entry.getBytes();
  if (entry.getKind() == Kind::DIRECTORY) {
    value["here_files"] = entry.getHereFiles();
    value["here_bytes"] = entry.getHereBytes();
    value["away_files"] = entry.getAwayFiles();
    value["away_bytes"] = entry.getAwayBytes();
  }
  return value;
}

// Where a file is, or what is in a directory.
std::string whereOf(local::FolderEntry::Reader entry) {
  if (entry.getKind() != local::FolderEntry::Kind::DIRECTORY)
    return !entry.getHere() ? "away" : entry.getKept() ? "here" : "here, not yet freed";
  auto here = std::to_string(entry.getHereFiles()) + " files here";
  if (entry.getAwayFiles() == 0) return here;
  return here + ", " + std::to_string(entry.getAwayFiles()) + " away (" +
      bytesText(entry.getAwayBytes()) + ")";
}

std::string stateOf(local::Folder::Reader folder) {
  if (folder.getProblem().size() > 0) return folder.getProblem().cStr();
  if (folder.getScanning())
    return "looks at its files: " + std::to_string(folder.getLookedAt()) + " so far";
  if (folder.getPending() > 0) {
    auto missing = std::to_string(folder.getPending()) + " files are to come or go";
    return folder.getRests().size() == 0 ? missing
                                         : missing + "; rests: " + folder.getRests().cStr();
  }
  auto reachable = folder.getReachable().size(), with = folder.getUpToDateWith().size();
  if (reachable == 0) return "as this device knows it; no other device can be reached";
  if (with < reachable)
    return "hears what " + std::to_string(reachable - with) + " devices have to say";
  auto direction = folder.getDirection();
  auto what = direction == local::Direction::SEND ? "up to date in what it sends with "
      : direction == local::Direction::RECEIVE    ? "up to date in what it receives with "
                                                  : "up to date with ";
  return what + std::to_string(with) + (with == 1 ? " device" : " devices");
}

class FolderCommand final {
  template <typename P>
  auto wait(P&& promise) {
    return kj::fwd<P>(promise).wait(client.waitScope());
  }

 public:
  FolderCommand(const Common& common, const FolderOptions& options)
      : client(common.home.c_str()),
        common(common),
        options(options),
        folders(wait(client.daemon().foldersRequest().send()).getFolders()) {}

  int add() {
    auto path = absolute(options.path);
    auto name = options.name.empty() ? lastName(path) : options.name;
    auto request = folders.addRequest();
    request.setPath(path.c_str());
    request.setName(name.c_str());
    request.setDirection(directionOf(options.direction));
    wait(request.send());
    if (common.json) {
      printJson({{"name", name}, {"path", path}});
    } else {
      std::cout << path << " is the folder \"" << name
                << "\" now. On another device: hearth folder add DIRECTORY --name " << name << "\n";
    }
    return DONE;
  }

  int set() {
    auto request = folders.setRequest();
    request.setName(options.name.c_str());
    request.setDirection(directionOf(options.direction));
    if (!wait(request.send()).getWasThere()) throw noSuch();
    if (common.json) printJson({{"name", options.name}, {"direction", options.direction}});
    return DONE;
  }

  int remove() {
    auto request = folders.removeRequest();
    request.setName(options.name.c_str());
    if (!wait(request.send()).getWasThere()) throw noSuch();
    if (common.json) printJson({{"name", options.name}, {"removed", true}});
    return DONE;
  }

  int list() {
    auto response = wait(folders.listRequest().send());
    std::vector<std::vector<std::string>> rows{{"FOLDER", "FILES", "SIZE", "WHERE", "STATE"}};
    for (auto folder: response.getFolders()) {
      if (common.json) printJson(jsonOf(folder));
      rows.push_back({folder.getName().cStr(), std::to_string(folder.getFiles()),
          bytesText(folder.getBytes()), folder.getPath().cStr(), stateOf(folder)});
    }
    if (common.json) return DONE;
    if (rows.size() == 1) {
      std::cout << "no folders yet: hearth folder add DIRECTORY\n";
    } else {
      printTable(rows);
    }
    return DONE;
  }

  int choose(local::KeepChoice what) {
    auto request = folders.chooseRequest();
    request.setWhat(what);
    auto paths = request.initPaths(static_cast<kj::uint>(options.paths.size()));
    for (kj::uint i = 0; i < options.paths.size(); ++i)
      paths.set(i, placeOf(options.paths[i]).c_str());
    auto response = wait(request.send());
    auto freed = response.getFreed();
    if (common.json) {
      auto reasons = json::array();
      for (auto reason: freed.getReasons())
        reasons.push_back({{"path", reason.getPath().cStr()}, {"what", reason.getWhat().cStr()}});
      printJson({{"freed_files", freed.getFiles()}, {"freed_bytes", freed.getBytes()},
          {"staying_files", freed.getStaying()}, {"staying", reasons}});
    } else if (what == local::KeepChoice::KEEP) {
      std::cout << "kept here: what was away comes; hearth folder status --wait\n";
    } else {
      std::cout << freed.getFiles() << " files, " << bytesText(freed.getBytes())
                << ", have left this device\n";
      for (auto reason: freed.getReasons())
        std::cout << "stays: " << reason.getPath().cStr() << ": " << reason.getWhat().cStr()
                  << "\n";
    }
    if (freed.getStaying() == 0) return DONE;
    throw Failure{FAILED,
        std::to_string(freed.getStaying()) + " files stay on this device: free them again later"};
  }

  int show() {
    std::vector<std::vector<std::string>> rows{{"NAME", "SIZE", "WHERE"}};
    std::string after;
    for (bool more = true; more;) {
      auto request = folders.showRequest();
      request.setPath(placeOf(options.path).c_str());
      request.setAfter(after.c_str());
      auto response = wait(request.send());
      auto shown = response.getShown();
      using Kind = local::FolderEntry::Kind;
      auto tell = [&](local::FolderEntry::Reader entry) {
        if (common.json) return printJson(jsonOf(entry));
        bool isFile = entry.getKind() == Kind::FILE;
        rows.push_back(
            {std::string(entry.getName().cStr()) + (entry.getKind() == Kind::DIRECTORY ? "/" : ""),
                isFile ? bytesText(entry.getBytes()) : "", whereOf(entry)});
      };
      if (shown.getEntry().getKind() != Kind::DIRECTORY) tell(shown.getEntry());
      for (auto entry: shown.getEntries()) {
        tell(entry);
        after = entry.getName().cStr();
      }
      more = shown.getMore();
    }
    if (!common.json) printTable(rows);
    return DONE;
  }

  int status() {
    std::optional<FolderProgress> progress{common.json};
    for (;;) {
      auto response = wait(folders.listRequest().send());
      bool all = true, any = false;
      for (auto folder: response.getFolders()) {
        if (!isMeant(folder)) continue;
        any = true;
        all &= isUpToDate(folder);
      }
      if (!any && !options.name.empty()) throw noSuch();
      if (options.waits && !all) {
        showFirst(*progress, response.getFolders());
        client.timer().afterDelay(LOOK_EVERY).wait(client.waitScope());
        continue;
      }
      progress.reset();  // its line is gone before the answer comes
      for (auto folder: response.getFolders()) {
        if (isMeant(folder)) tell(folder);
      }
      return DONE;
    }
  }

 private:
  Client client;
  const Common& common;
  const FolderOptions& options;
  local::Folders::Client folders;

  bool isMeant(local::Folder::Reader folder) const {
    return options.name.empty() || options.name == folder.getName().cStr();
  }

  void showFirst(FolderProgress& progress, capnp::List<local::Folder>::Reader folders) {
    for (auto folder: folders) {
      if (isMeant(folder) && !isUpToDate(folder)) return progress.at(folder);
    }
  }

  Failure noSuch() const {
    return {FAILED, "this device has no folder \"" + options.name + "\": see hearth folder list"};
  }

  void tell(local::Folder::Reader folder) {
    if (common.json) return printJson(jsonOf(folder));
    std::cout << folder.getName().cStr() << "  " << folder.getPath().cStr() << "\n  "
              << folder.getFiles() << " files, " << bytesText(folder.getBytes()) << "; "
              << stateOf(folder) << "\n";
    if (folder.getAwayFiles() > 0)
      std::cout << "  " << folder.getAwayFiles() << " files, " << bytesText(folder.getAwayBytes())
                << ", are away by choice\n";
    if (folder.getDirection() == local::Direction::SEND)
      std::cout << "  it only sends; " << folder.getNotTaken()
                << " paths that others have changed are not taken\n";
    if (folder.getDirection() == local::Direction::RECEIVE)
      std::cout << "  it only receives; " << folder.getChangedHere()
                << " paths were changed here, which is not told\n";
    for (auto choice: folder.getChoices())
      std::cout << "  " << (choice.getKept() ? "kept here: " : "not kept here: ")
                << (choice.getPath().size() == 0 ? "everything else" : choice.getPath().cStr())
                << "\n";
    for (auto trouble: folder.getTroubles())
      std::cout << "  " << trouble.getPath().cStr() << ": " << trouble.getWhat().cStr() << "\n";
  }
};

}  // namespace

int folder(const Common& common, const std::string& what, const FolderOptions& options) {
  if (what == "mount") return folderMount(common, options);
  FolderCommand folder(common, options);
  if (what == "add") return folder.add();
  if (what == "remove") return folder.remove();
  if (what == "set") return folder.set();
  if (what == "list") return folder.list();
  if (what == "free") return folder.choose(local::KeepChoice::FREE);
  if (what == "only") return folder.choose(local::KeepChoice::ONLY);
  if (what == "keep") return folder.choose(local::KeepChoice::KEEP);
  if (what == "show") return folder.show();
  KJ_REQUIRE(what == "status", what.c_str());
  return folder.status();
}

}  // namespace hearth::cli
