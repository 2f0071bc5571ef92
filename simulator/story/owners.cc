#include "simulator/story/owners.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::sim {

namespace {

using Kind = TreeImage::Kind;

constexpr uint64_t FILES = 8, DIRECTORIES = 3, SHARED = 4;
constexpr uint64_t NOTES = 2;
// Longest that a daemon may not hear of a file, whatever befalls it.
constexpr kj::Duration TOLD_WITHIN = 60 * kj::SECONDS;
constexpr uint64_t LARGE_BYTES = 600'000;  // several chunks
constexpr uint64_t CHOOSES_PERMILLE = 80;

}  // namespace

// What one person does on one device.
class Owners::Hand final {
 public:
  Hand(Owners& all, Device& device, Chance& luck)
      : all(all),
        device(device),
        files(device.folders),
        left(all.own[device.index()]),
        luck(luck) {}

  // What it is about is somebody's own file or directory, what everybody changes, or everything.
  kj::Promise<void> choose() {
    using Choice = devices::Folder::Choice;
    auto what = luck.below(5);
    auto whose = luck.below(all.world.deviceCount());
    auto directory = all.world.device(static_cast<DeviceIndex>(whose)).called() + "/" +
        std::to_string(luck.below(DIRECTORIES));
    auto file = directory + "/" + std::to_string(luck.below(FILES));
    auto where = luck.below(6);
    auto path = where < 2 ? directory
        : where < 4       ? file
        : where < 5       ? "all/" + std::to_string(luck.below(SHARED))
                          : std::string();
    if (what == 0 && !path.empty()) return all.choose(device, Choice::ONLY, path);
    return all.choose(device, what < 4 ? Choice::FREE : Choice::KEEP, path);
  }

  void change() {
    ++all.made;
    switch (luck.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return write(ownFile());
      case 4:
        return append(ownFile());
      case 5:
        return rename(ownFile(), ownFile());
      case 6:
        return remove(ownFile());
      case 7:
        return renameDirectory(ownDirectory(), ownDirectory());
      case 8:
        return beDirectory("all/" + std::to_string(luck.below(SHARED)));
      case 9:
        return note();
      default:
        return write("all/" + std::to_string(luck.below(SHARED)));
    }
  }

 private:
  Owners& all;
  Device& device;
  SimFolders& files;
  std::map<std::string, Left>& left;
  Chance& luck;

  std::string ownDirectory() {
    return device.called() + "/" + std::to_string(luck.below(DIRECTORIES));
  }
  std::string ownFile() { return ownDirectory() + "/" + std::to_string(luck.below(FILES)); }

  std::string text() {
    auto text = device.called() + " " + std::to_string(all.made) + "\n";
    if (!luck.permille(100)) return text;
    auto bytes = luck.below(LARGE_BYTES);
    for (Chance own(luck.next()); text.size() < bytes;) text += std::to_string(own.next());
    return text;
  }
  Kind kindOf(const std::string& path) const {
    auto node = TreeImage::ROOT;
    for (size_t begin = 0; begin <= path.size();) {
      auto end = std::min(path.find('/', begin), path.size());
      if (files.image.state(node).kind != Kind::DIRECTORY) return Kind::OTHER;
      node = files.image.find(node, path.substr(begin, end - begin));
      if (node == TreeImage::NONE) return Kind::OTHER;
      begin = end + 1;
    }
    return files.image.state(node).kind;
  }
  bool isFile(const std::string& path) const { return kindOf(path) == Kind::FILE; }
  // Whether a file can be made there: whoever has made a directory a file in the meantime is in the way.
  bool hasPlace(const std::string& path) const {
    if (kindOf(path) == Kind::DIRECTORY) return false;
    for (auto slash = path.find('/'); slash != std::string::npos;
        slash = path.find('/', slash + 1)) {
      if (isFile(path.substr(0, slash))) return false;
    }
    return true;
  }
  void remember(const std::string& path, std::optional<std::string> bytes) {
    if (bytes) all.written.insert(*bytes);
    if (!path.starts_with(device.called() + "/")) return;
    auto now = all.world.time.now();
    auto before = left.find(path);
    // What was made where a file is away, and removed before that was told, is as if it had never been: the file is away.
    bool mayBeUntold = all.turned.contains(device.index()) ||
        (before != left.end() && now - before->second.when < TOLD_WITHIN);
    if (!bytes && mayBeUntold && all.freeing.contains(device.index())) {
      left.erase(path);
    } else {
      left.insert_or_assign(path, Left{kj::mv(bytes), files.image.lost, now});
    }
  }

  void write(const std::string& path) {
    if (!hasPlace(path)) return;
    auto bytes = text();
    remember(path, bytes);
    if (luck.permille(500)) {
      files.owner.write(path, bytes);
    } else {
      files.owner.replace(path, bytes);
    }
  }
  void append(const std::string& path) {
    if (!isFile(path)) return;
    files.owner.append(path, text());
    remember(path, KJ_ASSERT_NONNULL(files.owner.read(path)));
  }
  void rename(const std::string& from, const std::string& to) {
    if (from == to || !isFile(from) || !hasPlace(to)) return;
    files.owner.rename(from, to);
    remember(to, KJ_ASSERT_NONNULL(files.owner.read(to)));
    remember(from, std::nullopt);
  }
  void remove(const std::string& path) {
    if (!isFile(path)) return;
    files.owner.remove(path);
    remember(path, std::nullopt);
  }
  void renameDirectory(const std::string& from, const std::string& to) {
    if (from == to || kindOf(from) != Kind::DIRECTORY || kindOf(to) == Kind::DIRECTORY) return;
    files.owner.rename(from, to);
    for (auto& [path, bytes]: files.owner.everything()) {
      if (!path.starts_with(to + "/") || path.ends_with('/')) continue;
      remember(path, bytes);
      remember(from + path.substr(to.size()), std::nullopt);
    }
  }
  // A line in a note that everybody writes in.
  void note() {
    auto path = "all/note " + std::to_string(luck.below(NOTES));
    if (!hasPlace(path)) return;
    auto line = [&]() {
      auto line = device.called() + " " + std::to_string(all.made) + "." +
          std::to_string(luck.next()) + "\n";
      all.lines.insert(line);
      return line;
    };
    std::string text;
    KJ_IF_MAYBE(before, files.owner.read(path)) {
      text = *before;
      auto at = luck.below(static_cast<uint64_t>(std::ranges::count(text, '\n')) + 1);
      size_t begin = 0;
      while (at-- > 0) begin = text.find('\n', begin) + 1;
      // Instead of one, now and then.
      auto end = luck.permille(200) ? text.find('\n', begin) : std::string::npos;
      if (end != std::string::npos) text.erase(begin, end + 1 - begin);
      text.insert(begin, line());
    } else {
      for (int i = 0; i < 8; ++i) text += line();
    }
    files.owner.replace(path, text);
  }
  // A file becomes a directory, or is one already: so things of two kinds come to one name.
  void beDirectory(const std::string& path) {
    if (isFile(path)) files.owner.remove(path);
    if (!hasPlace(path) && kindOf(path) != Kind::DIRECTORY) return;
    auto inside = path + "/" + device.called();
    if (kindOf(inside) == Kind::DIRECTORY) return;
    auto bytes = text();
    all.written.insert(bytes);
    files.owner.write(inside, bytes);
  }
};

bool Owners::hasWritten(const std::string& bytes) const {
  if (written.contains(bytes)) return true;
  std::set<std::string> seen;
  for (size_t begin = 0; begin < bytes.size();) {
    auto end = std::min(bytes.find('\n', begin), bytes.size() - 1) + 1;
    auto line = bytes.substr(begin, end - begin);
    if (!lines.contains(line) || !seen.insert(line).second) return false;
    begin = end;
  }
  return !bytes.empty();
}

kj::Promise<bool> Owners::share(Device& device) {
  KJ_IF_MAYBE(node, device.node()) {
    try {
      co_await device.whileItRuns(node->data().ready());
      auto& folders = KJ_ASSERT_NONNULL(node->data().folders());
      auto added = co_await device.whileItRuns(folders.add(SimFolders::PATH, FOLDER));
      co_return added.has_value();
    } catch (const kj::Exception& e) {
      world.history.add(device.index(), "step", kj::str("no folder: ", e.getDescription()).cStr());
    }
  }
  co_return false;
}

kj::Promise<void> Owners::work(Device& device, uint32_t changes, kj::Duration span) {
  auto luck = Chance::of(world.seed(), "owners", device.index());
  Hand hand(*this, device, luck);
  for (uint32_t i = 0; i < changes; ++i) {
    co_await world.time.after(
        luck.between(0 * kj::SECONDS, 2 * span / static_cast<int64_t>(changes)));
    if (device.isOn() && device.isAwake()) hand.change();
    // What is kept again in a folder that goes one way may take the place of what was only just written (ADR 0106).
    bool chooses = luck.permille(CHOOSES_PERMILLE);
    if (chooses && !turned.contains(device.index())) co_await hand.choose();
  }
  if (luck.permille(500)) co_await choose(device, devices::Folder::Choice::KEEP, "");
}

kj::Promise<void> Owners::choose(Device& device, devices::Folder::Choice choice, std::string path) {
  KJ_IF_MAYBE(node, device.node()) {
    try {
      co_await device.whileItRuns(node->data().ready());
      auto& folders = KJ_ASSERT_NONNULL(node->data().folders());
      auto place = path.empty() ? std::string(SimFolders::PATH) : SimFolders::PATH + ("/" + path);
      auto chosen = co_await device.whileItRuns(folders.choose(choice, {place}));
      if (chosen) gone += chosen->files;
      if (chosen && chosen->files > 0) freeing.insert(device.index());
      if (chosen)
        world.history.add(device.index(), "step",
            kj::str(choice == devices::Folder::Choice::KEEP ? "keeps " : "frees ", place, ": ",
                chosen->files, " left, ", chosen->staying, " stay")
                .cStr());
    } catch (const kj::Exception& e) {
      world.history.add(device.index(), "step", kj::str("no choice: ", e.getDescription()).cStr());
    }
  }
}

kj::Promise<void> Owners::readAway(
    Device& device, devices::Folders& folders, std::string directory) {
  auto shown = co_await device.whileItRuns(folders.show(directory, ""));
  if (!shown) co_return;
  for (auto& [entry, held]: shown->in) {
    auto path = directory + "/" + entry.name;
    if (entry.state.kind == storage::PathState::Kind::DIRECTORY)
      co_await readAway(device, folders, path);
    if (!entry.isHere)
      found[device.index()].away.insert(path.substr(std::string_view(SimFolders::PATH).size() + 1));
  }
}

kj::Promise<void> Owners::read(Device& device) {
  KJ_IF_MAYBE(node, device.node()) {
    co_await device.whileItRuns(node->data().ready());
    auto& folders = KJ_ASSERT_NONNULL(node->data().folders());
    auto views = co_await device.whileItRuns(folders.list());
    if (views.empty()) co_return;
    found[device.index()] = {device.folders.owner.everything(), {}, kj::mv(views[0].status)};
    co_await readAway(device, folders, SimFolders::PATH);
  }
}

}  // namespace hearth::sim
