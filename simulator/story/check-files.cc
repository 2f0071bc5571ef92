#include "simulator/story/check-files.h"

#include "simulator/story/circles.h"

namespace hearth::sim {

namespace {

using Files = std::map<std::string, std::string>;

std::string show(const std::string& bytes) {
  constexpr size_t SHOWN = 40;
  auto line = bytes.substr(0, std::min(bytes.find('\n'), SHOWN));
  return "'" + line + "' of " + std::to_string(bytes.size()) + " bytes";
}

// The first path at which two folders differ.
std::string differenceOf(const Files& first, const Files& second) {
  auto a = first.begin(), b = second.begin();
  while (a != first.end() && b != second.end() && *a == *b) ++a, ++b;
  if (a == first.end() || (b != second.end() && b->first < a->first))
    return b->first + " is only on the latter, " + show(b->second);
  if (b == second.end() || a->first < b->first)
    return a->first + " is only on the former, " + show(a->second);
  return a->first + " is " + show(a->second) + " and " + show(b->second);
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
  bool certain = true;  // no disk has lost anything
  for (DeviceIndex i = 0; i < run.world.deviceCount(); ++i)
    certain = certain && run.world.device(i).folders.image.lost == 0;
  for (auto& circle: circles(run)) {
    kj::Maybe<std::pair<const Device&, const Files&>> first;
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
        if (other->second != files)
          tell(" are other files than on " + other->first.called() + ": " +
              differenceOf(other->second, files));
      } else {
        first = std::pair<const Device&, const Files&>(one.device, files);
      }
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
  }
  return found;
}

}  // namespace hearth::sim
