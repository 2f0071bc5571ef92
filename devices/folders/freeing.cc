#include "devices/folders/freeing.h"

#include "devices/devices.capnp.h"
#include "devices/folders/incoming.h"
#include "storage/folder/keeping.h"
#include "transport/link/links.h"

#include <kj/debug.h>

#include <algorithm>
#include <iterator>

namespace hearth::devices {

namespace {

namespace choices = storage::folder_choices;
namespace folders = storage::folders;
namespace versions = storage::folder_versions;

using storage::Database;
using storage::FileTree;
using storage::FolderPath;
using storage::TreeError;
using storage::TreeResult;

constexpr auto ONLY_COPY = "no other device that can be reached has these bytes on its disk"_kj;
constexpr auto UNDER_WAY = "another state of it is on its way here"_kj;
constexpr auto JUST_WRITTEN = "it was written to just now"_kj;
constexpr auto CHANGED = "it was changed meanwhile"_kj;

bool isShown(Database& db, int64_t folder, const folders::Local& local) {
  auto shown = versions::shown(db, folder, local.path);
  return shown.map([&](auto& version) { return version.name == local.version; }).orDefault(false);
}

// What lay there is away from now on.
void hasLeft(Database& db, int64_t folder, const FolderPath& path) {
  forgetChunks(db, folder, path);
  folders::drop(db, folder, path);
  versions::consider(db, folder, path);
}

// Where a file is put until it is written down that it has left: if it is there, its owner has not removed it. No other
// version has that name, nor is it thinned out before: it is of the year 9999.
FolderPath asideOf(const FolderPath& path, const storage::RecordName& version) {
  constexpr int64_t NEVER_MS = 253'370'764'800'000;
  uint64_t seq = version.seq;
  uint32_t index = version.index;
  auto which = crypto::hash("hearth/leaving-file/v1",
      {version.author.asBytes(), kj::arrayPtr(&seq, 1).asBytes(),
          kj::arrayPtr(&index, 1).asBytes()});
  uint32_t tag = which.asBytes()[0] << 16 | which.asBytes()[1] << 8 | which.asBytes()[2];
  return storage::keptPath({path, NEVER_MS, tag});
}

// They have left, or stay: nothing of them is aside any more. Whether that is so of all; what the disk does not let go of
// stays written down.
kj::Promise<bool> end(
    TreeWork& tree, storage::Store& store, int64_t folder, std::vector<choices::Leaving> leaving) {
  std::vector<FolderPath> ended;
  co_await tree.run([&](FileTree& there) {
    for (auto& one: leaving) {
      auto dropped = there.dropKept(asideOf(one.path, one.version));
      if (dropped || dropped.error() == TreeError::MISSING) ended.push_back(one.path);
    }
    return true;
  });
  bool isAll = ended.size() == leaving.size();
  co_await store.write([folder, ended = kj::mv(ended)](Database& db) {
    for (auto& path: ended) choices::stays(db, folder, path);
  });
  co_return isAll;
}

}  // namespace

FolderFreeing::Batch::Batch(std::multiset<Path>& leaving, std::vector<File> filesIn)
    : leaving(leaving),
      files(kj::mv(filesIn)) {
  for (auto& file: files) leaving.insert(file.local.path);
}

FolderFreeing::Batch::~Batch() {
  for (auto& file: files) leaving.extract(file.local.path);
}

kj::Promise<FolderFreeing::Report> FolderFreeing::free(std::vector<Path> paths) {
  Report report;
  for (auto& path: paths) {
    kj::Maybe<Path> after;
    for (;;) {
      auto page = co_await next(path, after);
      if (page.last == nullptr) break;
      after = page.last;
      co_await settle(page.files);
      auto rest = page.files.begin();
      while (rest != page.files.end()) {
        std::vector<File> some;
        uint64_t bytes = 0;
        while (rest != page.files.end() && (some.empty() || bytes < BATCH_BYTES)) {
          bytes += rest->local.stamp.size;
          some.push_back(kj::mv(*rest++));
        }
        co_await freeSome(kj::mv(some), report);
      }
    }
  }
  co_return report;
}

kj::Promise<FolderFreeing::Page> FolderFreeing::next(const Path& path, kj::Maybe<Path> after) {
  return around.store.read([folder = folder.number, path, after = kj::mv(after)](Database& db) {
    Page page;
    for (auto& local: folders::filesWithin(db, folder, path, after, BATCH)) {
      page.last = local.path;
      if (choices::isKept(db, folder, local.path)) continue;
      bool shown = isShown(db, folder, local);
      page.files.push_back({local, shown ? nullptr : UNDER_WAY});
    }
    return page;
  });
}

// What was just written is read again first: its stamp may say nothing of what was written since.
kj::Promise<void> FolderFreeing::settle(std::vector<File>& files) {
  auto isFresh = [](const File& file) { return file.stays == nullptr && file.local.isFresh; };
  for (int looks = 0; std::ranges::any_of(files, isFresh); ++looks) {
    if (looks == LOOKS_MAX) break;
    std::vector<Path> paths;
    for (auto& file: files) {
      if (!isFresh(file)) continue;
      paths.push_back(file.local.path);
      tells.lookAt(file.local.path);
    }
    co_await around.timer.afterDelay(LOOKED_EVERY);
    auto now = co_await around.store.read([folder = folder.number, paths](Database& db) {
      std::vector<kj::Maybe<Local>> now;
      for (auto& path: paths) now.push_back(folders::find(db, folder, path));
      return now;
    });
    auto next = now.begin();
    for (auto& file: files) {
      if (!isFresh(file)) continue;
      KJ_IF_MAYBE(local, *next) {
        if (local->version != file.local.version) file.stays = CHANGED;
        file.local = *local;
      } else {
        file.stays = CHANGED;
      }
      ++next;
    }
  }
  for (auto& file: files) {
    if (isFresh(file)) file.stays = JUST_WRITTEN;
  }
}

kj::Promise<void> FolderFreeing::freeSome(std::vector<File> files, Report& report) {
  auto batch = std::make_shared<Batch>(leaving, kj::mv(files));
  ++batches;
  co_await ask(*batch);
  auto paf = kj::newPromiseAndFulfiller<void>();
  batch->done = kj::mv(paf.fulfiller);
  proven.push_back(batch);
  tells.ready();
  co_await paf.promise;
  for (auto& file: batch->files) {
    if (file.stays == nullptr) {
      ++report.files;
      report.bytes += file.local.stamp.size;
      continue;
    }
    ++report.staying;
    if (report.reasons.size() < Report::STAYING_MAX)
      report.reasons.emplace(file.local.path.str(), file.stays.cStr());
  }
}

kj::Promise<void> FolderFreeing::ask(Batch& batch) {
  for (auto& peer: around.links.peersUp()) {
    if (around.circle.readsBlobs(peer)) co_await askOne(peer, batch);
  }
  for (auto& file: batch.files) {
    if (file.stays == nullptr && !file.isElsewhere) file.stays = ONLY_COPY;
  }
}

// About what no other has yet. One that does not answer has nothing.
kj::Promise<void> FolderFreeing::askOne(const DeviceId& peer, Batch& batch) {
  std::vector<File*> asked;
  uint64_t bytes = 0;
  for (auto& file: batch.files) {
    if (file.stays != nullptr || file.isElsewhere) continue;
    asked.push_back(&file);
    bytes += file.local.stamp.size;
  }
  if (asked.empty()) co_return;
  auto request = around.links.rpc(peer).castAs<rpc::Peer>().keepsRequest();
  request.setFolder(folder.collection.asBytes());
  auto files = request.initFiles(static_cast<kj::uint>(asked.size()));
  for (kj::uint i = 0; i < asked.size(); ++i) {
    files[i].setPath(asked[i]->local.path.str().c_str());
    files[i].setContent(asked[i]->local.state.content.encode());
  }
  auto patience = ANSWERED_WITHIN + static_cast<int64_t>(bytes / READ_BYTES_PER_S) * kj::SECONDS;
  try {
    auto response = co_await around.timer.timeoutAfter(patience, request.send());
    auto kept = response.getKept();
    for (kj::uint i = 0; i < kj::min(kept.size(), asked.size()); ++i)
      asked[i]->isElsewhere = kept[i];
  } catch (const kj::Exception& e) {
    KJ_LOG(INFO, "a device does not say what it has of a folder", peer, e.getDescription());
  }
}

kj::Promise<bool> FolderFreeing::some() {
  if (proven.empty()) co_return false;
  auto batch = kj::mv(proven.front());
  proven.pop_front();
  mayBeUnderWay = true;
  mayBeUnderWay = !co_await letGo(*batch);
  batch->done->fulfill();
  co_return true;
}

// Those of the files that are still what they were when others were asked about them; it is written down that they leave.
kj::Promise<std::vector<bool>> FolderFreeing::begin(std::vector<Local> files) {
  return around.store.write([folder = folder.number, files = kj::mv(files)](Database& db) {
    std::vector<bool> begun;
    for (auto& file: files) {
      auto now = folders::find(db, folder, file.path);
      bool isSame = now.map([&](auto& local) { return local == file; }).orDefault(false);
      begun.push_back(isSame && isShown(db, folder, file));
      if (begun.back()) choices::leaves(db, folder, file);
    }
    return begun;
  });
}

kj::Promise<bool> FolderFreeing::letGo(Batch& batch) {
  std::vector<File*> files;
  std::vector<Local> locals;
  for (auto& file: batch.files) {
    if (file.stays != nullptr) continue;
    files.push_back(&file);
    locals.push_back(file.local);
  }
  auto begun = co_await begin(kj::mv(locals));
  for (size_t i = 0; i < files.size(); ++i) {
    if (!begun[i]) files[i]->stays = CHANGED;
  }
  // What is lost with the machine's power is that they were removed.
  co_await tree.run([&files](FileTree& there) {
    for (auto* file: files) {
      if (file->stays != nullptr) continue;
      auto& [path, stamp, state, version, isFresh] = file->local;
      auto aside = asideOf(path, version);
      auto removed = there.remove(path, stamp, &aside);
      if (removed) continue;
      auto error = removed.error();
      bool isOther = error == TreeError::CHANGED || error == TreeError::MISSING;
      file->stays = isOther ? CHANGED : storage::describe(error);
    }
    return there.sync().has_value();
  });
  std::vector<choices::Leaving> left;
  std::vector<Path> staying;
  for (auto* file: files) {
    auto& local = file->local;
    if (file->stays == nullptr) {
      left.push_back({local.path, local.version});
    } else {
      staying.push_back(local.path);
    }
    if (file->stays == CHANGED) tells.lookAt(local.path);
  }
  co_await around.store.write(
      [folder = folder.number, left, staying = kj::mv(staying)](Database& db) {
        for (auto& one: left) hasLeft(db, folder, one.path);
        for (auto& path: staying) choices::stays(db, folder, path);
      });
  co_return co_await end(tree, around.store, folder.number, kj::mv(left));
}

kj::Promise<void> FolderFreeing::endWhatWasBegun() {
  while (mayBeUnderWay) {
    auto begun = co_await around.store.read(
        [folder = folder.number](Database& db) { return choices::leaving(db, folder, BATCH); });
    if (begun.empty()) mayBeUnderWay = false;
    if (begun.empty()) co_return;
    bool isThere = true;
    auto left = co_await tree.run([&begun, &isThere](FileTree& there) {
      std::vector<bool> left;
      for (auto& one: begun) {
        auto state = there.state(one.path);
        isThere &= state || state.error() != TreeError::GONE;
        bool isMissing = !state && state.error() == TreeError::MISSING;
        left.push_back(isMissing && there.openKept(asideOf(one.path, one.version)));
      }
      return left;
    });
    if (!isThere) co_return;
    co_await around.store.write([folder = folder.number, begun, left](Database& db) {
      for (size_t i = 0; i < begun.size(); ++i) {
        auto local = folders::find(db, folder, begun[i].path);
        bool isIt =
            local.map([&](auto& is) { return is.version == begun[i].version; }).orDefault(false);
        if (isIt && left[i]) hasLeft(db, folder, begun[i].path);
      }
    });
    // The disk may do it later.
    if (!co_await end(tree, around.store, folder.number, kj::mv(begun))) co_return;
  }
}

}  // namespace hearth::devices
