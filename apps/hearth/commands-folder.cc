// hearth folder: directories that are the same on several devices.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/folder-progress.h"

#include <kj/debug.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
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

std::string lastName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

json textsOf(capnp::List<capnp::Text>::Reader list) {
  auto texts = json::array();
  for (auto text: list) texts.push_back(text.cStr());
  return texts;
}

// Up to date: nothing is pending here, and every device that can be reached is known to have the same log.
bool isUpToDate(local::Folder::Reader folder) {
  bool isQuiet =
      folder.getPending() == 0 && !folder.getScanning() && folder.getProblem().size() == 0;
  for (auto trouble: folder.getTroubles()) isQuiet &= trouble.getLeftOut();
  return isQuiet && folder.getUpToDateWith().size() >= folder.getReachable().size();
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
      {"reachable", textsOf(folder.getReachable())}, {"up_to_date", isUpToDate(folder)}};
}

std::string stateOf(local::Folder::Reader folder) {
  if (folder.getProblem().size() > 0) return folder.getProblem().cStr();
  if (folder.getScanning())
    return "looks at its files: " + std::to_string(folder.getLookedAt()) + " so far";
  if (folder.getPending() > 0)
    return std::to_string(folder.getPending()) + " files are to come or go";
  auto reachable = folder.getReachable().size(), with = folder.getUpToDateWith().size();
  if (reachable == 0) return "as this device knows it; no other device can be reached";
  if (with < reachable)
    return "hears what " + std::to_string(reachable - with) + " devices have to say";
  return "up to date with " + std::to_string(with) + (with == 1 ? " device" : " devices");
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
    wait(request.send());
    if (common.json) {
      printJson({{"name", name}, {"path", path}});
    } else {
      std::cout << path << " is the folder \"" << name
                << "\" now. On another device: hearth folder add DIRECTORY --name " << name << "\n";
    }
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
    for (auto trouble: folder.getTroubles())
      std::cout << "  " << trouble.getPath().cStr() << ": " << trouble.getWhat().cStr() << "\n";
  }
};

}  // namespace

int folder(const Common& common, const std::string& what, const FolderOptions& options) {
  FolderCommand folder(common, options);
  if (what == "add") return folder.add();
  if (what == "remove") return folder.remove();
  if (what == "list") return folder.list();
  KJ_REQUIRE(what == "status", what.c_str());
  return folder.status();
}

}  // namespace hearth::cli
