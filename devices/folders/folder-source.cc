#include "devices/folders/folder-source.h"

#include "storage/tables/blob-parts.h"
#include "storage/tables/folders.h"

#include <algorithm>

namespace hearth::devices {

namespace {

using crypto::Buffer;
using storage::Database;
using storage::folders::Copy;

constexpr size_t COPIES_MAX = 4;  // of one blob that are looked at

// A part, or where it lies.
struct Located {
  size_t number;  // of those asked
  int64_t folder = 0;
  storage::FolderPath path;
  uint64_t offset = 0;
  storage::Child chunk;  // that shall be there
  Buffer bytes;
  bool isThere = false;
};

class Locating {
 public:
  Locating(Database& db, const std::vector<int64_t>& open): db(db), open(open), walk(db) {}

  kj::Maybe<Located> locate(const storage::AskedPart& asked, size_t number) {
    auto [known, isNew] = copies.try_emplace(asked.content);
    if (isNew) known->second = storage::folders::copiesOf(db, asked.content, COPIES_MAX);
    for (auto& copy: known->second) {
      if (std::ranges::find(open, copy.folder) == open.end()) continue;
      auto& ref = copy.local.state.content;
      Located part{number, copy.folder, copy.local.path, asked.offset, ref.top, {}, false};
      if (ref.level == 0 && asked.level == 0 && asked.offset == 0) {
        part.bytes = kj::heapArray<kj::byte>(ref.top.length);
        return kj::mv(part);
      }
      KJ_IF_MAYBE(found, walk.find(ref, asked.level, asked.offset)) {
        part.isThere = asked.level > 0;
        part.chunk = found->part;
        part.bytes =
            part.isThere ? kj::mv(found->node) : kj::heapArray<kj::byte>(found->part.length);
        return kj::mv(part);
      }
    }
    return nullptr;
  }

 private:
  Database& db;
  const std::vector<int64_t>& open;
  storage::blobs::TreeWalk walk;
  std::map<ContentId, std::vector<Copy>> copies;
};

// Parts of one file are asked for one after another: it is opened once. Its owner may have written since it was looked at,
// also without a trace (through memory), and whoever is given other bytes than were asked for is right to name a liar.
void readAll(storage::FileTree& tree, std::vector<Located*>& parts) {
  kj::Own<storage::FileTree::Reading> file;
  const storage::FolderPath* at = nullptr;
  for (auto* part: parts) {
    if (at == nullptr || *at != part->path) {
      auto opened = tree.open(part->path);
      file = opened ? kj::mv(*opened) : kj::Own<storage::FileTree::Reading>();
      at = &part->path;
    }
    if (file.get() == nullptr) continue;
    auto read = file->read(part->offset, part->bytes);
    part->isThere = read && *read == part->bytes.size() &&
        storage::hashOfChunk(part->bytes) == part->chunk.hash;
  }
}

}  // namespace

kj::Promise<BlobPlace::Answers> FolderSource::parts(
    std::vector<storage::AskedPart> asked, size_t mostBytes) {
  std::vector<int64_t> open;
  for (auto& [number, folder]: folders) open.push_back(number);
  struct Plan {
    std::vector<Located> parts;
    size_t answered = 0;
  };
  auto plan =
      co_await store.read([asked = kj::mv(asked), mostBytes, open = kj::mv(open)](Database& db) {
        Plan plan;
        Locating locating(db, open);
        for (size_t bytes = 0; plan.answered < asked.size() && bytes < mostBytes; ++plan.answered) {
          KJ_IF_MAYBE(part, locating.locate(asked[plan.answered], plan.answered)) {
            bytes += part->bytes.size();
            plan.parts.push_back(kj::mv(*part));
          }
        }
        return plan;
      });
  std::map<int64_t, std::vector<Located*>> byFolder;
  for (auto& part: plan.parts) {
    if (!part.isThere) byFolder[part.folder].push_back(&part);
  }
  for (auto& [number, parts]: byFolder) {
    auto found = folders.find(number);
    if (found == folders.end()) continue;
    auto tree = found->second.tree;
    co_await tree->run([&parts = parts](storage::FileTree& tree) {
      readAll(tree, parts);
      return true;
    });
  }
  Answers answers(plan.answered);
  size_t next = 0;
  for (size_t i = 0; i < plan.answered; ++i) {
    kj::Maybe<Found> answer;
    if (next < plan.parts.size() && plan.parts[next].number == i) {
      auto& part = plan.parts[next++];
      auto folder = folders.find(part.folder);
      if (part.isThere && folder != folders.end())
        answer = Found{folder->second.collection, kj::mv(part.bytes)};
    }
    answers.add(kj::mv(answer));
  }
  co_return kj::mv(answers);
}

}  // namespace hearth::devices
