#include "simulator/story/check-files.h"

#include "simulator/story/circles.h"

#include <optional>
#include <set>

namespace hearth::sim {

namespace {

using Files = std::map<std::string, std::string>;

std::string show(const std::string& bytes) {
  constexpr size_t SHOWN = 40;
  auto line = bytes.substr(0, std::min(bytes.find('\n'), SHOWN));
  return "'" + line + "' of " + std::to_string(bytes.size()) + " bytes";
}

constexpr auto AWAY = "away";

// All that there is on a device, of what is away that it is. A directory that nobody has made by itself may be away with
// what is in it.
Files everythingOf(const Owners::Page& page) {
  auto all = page.files;
  for (auto& path: page.away) {
    all.emplace(path, AWAY);
    for (auto end = path.find('/'); end != path.npos; end = path.find('/', end + 1))
      all.emplace(path.substr(0, end + 1), std::string());
  }
  return all;
}

// The first path at which two devices differ. What is away on one of them is anything.
std::optional<std::string> differenceOf(const Owners::Page& first, const Owners::Page& second) {
  auto former = everythingOf(first), latter = everythingOf(second);
  for (auto& [path, bytes]: former) {
    auto other = latter.find(path);
    if (other == latter.end()) return path + " is only on the former, " + show(bytes);
    bool isAway = first.away.contains(path) || second.away.contains(path);
    if (!isAway && other->second != bytes)
      return path + " is " + show(bytes) + " and " + show(other->second);
  }
  for (auto& [path, bytes]: latter) {
    if (!former.contains(path)) return path + " is only on the latter, " + show(bytes);
  }
  return std::nullopt;
}

// Its daemon has nothing to do any more, and nothing that it complains of.
void checkRest(Run& run, const Device& device, const Owners::Page& page, Violations& found) {
  auto tell = [&](std::string what) {
    found.push_back({now(run), device.index(), "files", device.called() + kj::mv(what)});
  };
  auto& status = page.status;
  if (!status.problem.empty()) tell(" has a problem with its folder: " + status.problem);
  if (status.isLookingAtAll) tell(" still looks at its folder");
  if (status.totals.pending > 0)
    tell(" still waits for " + std::to_string(status.totals.pending) + " paths");
  for (auto& [path, trouble]: status.troubles) tell(" complains of " + path + ": " + trouble.what);
}

}  // namespace

Violations filesAreInStep(Run& run) {
  Violations found;
  for (auto& [device, what]: run.owners.complaints())
    found.push_back({now(run), device, "files", run.world.device(device).called() + what});
  bool certain = true;  // no disk has lost anything
  for (DeviceIndex i = 0; i < run.world.deviceCount(); ++i)
    certain = certain && run.world.device(i).folders.image.lost == 0;
  for (auto& circle: circles(run)) {
    kj::Maybe<std::pair<const Device&, const Owners::Page&>> first;
    std::map<std::string, std::string> away;  // and on which device
    std::set<std::string> here;               // on any
    for (auto& one: membersOf(circle)) {
      auto page = run.owners.pages().find(one.device.index());
      if (page == run.owners.pages().end()) continue;
      checkRest(run, one.device, page->second, found);
      auto tell = [&](std::string what) {
        found.push_back(
            {now(run), one.device.index(), "files", "on " + one.device.called() + kj::mv(what)});
      };
      auto& files = page->second.files;
      KJ_IF_MAYBE(other, first) {
        if (auto difference = differenceOf(other->second, page->second))
          tell(" are other files than on " + other->first.called() + ": " + *difference);
      } else {
        first = std::pair<const Device&, const Owners::Page&>(one.device, page->second);
      }
      for (auto& path: page->second.away) away.emplace(path, one.device.called());
      for (auto& [path, bytes]: files) here.insert(path);
      for (auto& [path, bytes]: files) {
        bool isFile = !path.ends_with('/');
        if (certain && isFile && !run.owners.hasWritten(bytes))
          tell(" there is what nobody has written: " + path + ", " + show(bytes));
      }
      for (auto& [owner, left]: run.owners.left()) {
        auto& device = run.world.device(owner);
        bool hasFolder = run.owners.pages().contains(owner);
        if (!hasFolder || run.circleOf(device) != run.circleOf(one.device)) continue;
        for (auto& [path, was]: left) {
          if (was.lost != device.folders.image.lost) continue;  // what became of it is not known
          if (page->second.away.contains(path) && was.bytes.has_value()) continue;
          auto there = files.find(path);
          bool isThere = there != files.end();
          if (isThere != was.bytes.has_value()) {
            tell(" " + path + (isThere ? " is, which was removed" : " is not there any more"));
          } else if (isThere && there->second != *was.bytes) {
            tell(
                " " + path + " is " + show(there->second) + " and was left as " + show(*was.bytes));
          }
        }
      }
    }
    for (auto& [path, device]: away) {
      if (!here.contains(path))
        found.push_back({now(run), -1, "files", path + " is away on " + device + ", and nowhere"});
    }
  }
  return found;
}

}  // namespace hearth::sim
