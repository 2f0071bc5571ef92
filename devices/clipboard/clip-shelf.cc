#include "devices/clipboard/clip-shelf.h"

#include <algorithm>
#include <utility>

namespace hearth::devices {

using storage::ClipName;
using storage::ClipRow;

namespace {

kj::Duration spanOf(uint64_t ms) { return static_cast<int64_t>(ms) * kj::MILLISECONDS; }

}  // namespace

void ClipShelf::restore(
    std::vector<ClipRow> rows, const std::vector<storage::ClipAuthor>& known, const Now& now) {
  for (auto& author: known) authors[author.author] = {author.newest, author.cleared};
  for (auto& row: rows) {
    auto since = now.wall - (kj::UNIX_EPOCH + row.atMs * kj::MILLISECONDS);
    auto left = spanOf(row.leftMs) - kj::max(since, 0 * kj::SECONDS);
    if (since + CLOCK_BACK_MAX < 0 * kj::SECONDS) left = 0 * kj::SECONDS;
    put(kj::mv(row), left, now);
  }
}

bool ClipShelf::mayCome(const ClipName& name) const {
  auto found = authors.find(name.author);
  return found == authors.end() ||
      name.stamp > kj::max(found->second.newest, found->second.cleared);
}

uint64_t ClipShelf::comes(const ClipName& name) {
  return std::exchange(authors[name.author].newest, name.stamp);
}

void ClipShelf::cameNot(const ClipName& name, uint64_t newestBefore) {
  auto& newest = authors[name.author].newest;
  if (newest == name.stamp) newest = newestBefore;
}

bool ClipShelf::add(ClipRow row, const Now& now) {
  if (row.name.stamp <= authors[row.name.author].cleared) return false;
  auto left = spanOf(row.leftMs);
  put(kj::mv(row), left, now);
  return true;
}

void ClipShelf::put(ClipRow row, kj::Duration left, const Now& now) {
  lastPlace = kj::max(lastPlace, row.place);
  kj::Maybe<End> end;
  if (row.lifetimeMs > 0) end = End{now.running + left, now.wall + left};
  auto isNewer = [&](const Held& other) {
    return std::tie(other.row.place, other.row.name) < std::tie(row.place, row.name);
  };
  held.insert(std::ranges::find_if(held, isNewer), {kj::mv(row), end});
}

bool ClipShelf::clear(const DeviceId& author, uint64_t upto) {
  auto& its = authors[author];
  if (upto <= its.cleared) return false;
  its.cleared = upto;
  std::erase_if(held,
      [&](auto& entry) { return entry.row.name.author == author && entry.row.name.stamp <= upto; });
  return true;
}

std::map<DeviceId, uint64_t> ClipShelf::newestOfAll() const {
  std::map<DeviceId, uint64_t> all;
  for (auto& [id, author]: authors) {
    if (author.newest > author.cleared) all[id] = author.newest;
  }
  return all;
}

std::map<DeviceId, uint64_t> ClipShelf::cleared() const {
  std::map<DeviceId, uint64_t> all;
  for (auto& [id, author]: authors) {
    if (author.cleared > 0) all[id] = author.cleared;
  }
  return all;
}

bool ClipShelf::isOver(const Held& entry, const Now& now) {
  KJ_IF_MAYBE(end, entry.end) return end->left(now) <= 0 * kj::SECONDS;
  return false;
}

std::vector<ClipRow> ClipShelf::rows(const Now& now) const {
  std::vector<ClipRow> all;
  for (auto& entry: held) {
    if (!isOver(entry, now)) all.push_back(entry.row);
  }
  return all;
}

kj::Maybe<uint64_t> ClipShelf::leftMs(const ClipName& name, const Now& now) const {
  for (auto& entry: held) {
    if (entry.row.name != name) continue;
    KJ_IF_MAYBE(end, entry.end) {
      auto left = end->left(now) / kj::MILLISECONDS;
      if (left <= 0) return nullptr;
      return static_cast<uint64_t>(left);
    }
    return uint64_t{0};
  }
  return nullptr;
}

std::vector<ClipName> ClipShelf::takeOverdue(const Now& now) {
  std::vector<ClipName> gone;
  uint64_t bytes = 0;
  size_t kept = 0;
  std::erase_if(held, [&](auto& entry) {
    bool stays = !isOver(entry, now) && kept < KEPT_MAX && bytes + entry.row.bytes <= BYTES_MAX;
    if (stays) {
      ++kept;
      bytes += entry.row.bytes;
    } else {
      gone.push_back(entry.row.name);
    }
    return !stays;
  });
  return gone;
}

kj::Maybe<kj::Duration> ClipShelf::untilNext(const Now& now) const {
  kj::Maybe<kj::Duration> next;
  for (auto& entry: held) {
    KJ_IF_MAYBE(end, entry.end)
      next = kj::min(next.orDefault(end->left(now)), kj::max(end->left(now), 0 * kj::SECONDS));
  }
  return next;
}

uint64_t ClipShelf::newestOf(const DeviceId& author) const {
  auto found = authors.find(author);
  return found == authors.end() ? 0 : kj::max(found->second.newest, found->second.cleared);
}

}  // namespace hearth::devices
