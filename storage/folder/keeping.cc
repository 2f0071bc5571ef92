#include "storage/folder/keeping.h"

#include "storage/crdt/varint.h"

#include <kj/debug.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <tuple>

namespace hearth::storage {

namespace {

namespace chrono = std::chrono;

constexpr int64_t MS_PER_S = 1'000, S_PER_DAY = 24 * 60 * 60, MS_PER_DAY = S_PER_DAY * MS_PER_S;
constexpr int64_t LAST_MS = 253'402'300'799'000;  // of the year 9999
constexpr size_t DATE_DIGITS = 8, TIME_DIGITS = 6, TAG_DIGITS = 6;
constexpr size_t SUFFIX_BYTES = 1 + DATE_DIGITS + 1 + TIME_DIGITS + 1 + TAG_DIGITS;

std::string digits(uint64_t number, size_t count, uint64_t base = 10) {
  std::string text(count, '0');
  for (auto at = count; at > 0; number /= base) text[--at] = "0123456789abcdef"[number % base];
  return text;
}

kj::Maybe<uint32_t> number(std::string_view text, uint32_t base = 10) {
  uint32_t value = 0;
  for (auto c: text) {
    auto digit = c >= '0' && c <= '9' ? static_cast<uint32_t>(c - '0')
        : c >= 'a' && c <= 'f'        ? static_cast<uint32_t>(c - 'a' + 10)
                                      : base;
    if (digit >= base) return nullptr;
    value = value * base + digit;
  }
  return value;
}

// "~20261126-183012-a1b2c3"
std::string suffixOf(const KeptName& name) {
  auto seconds = std::clamp<int64_t>(name.whenMs, 0, LAST_MS) / MS_PER_S;
  chrono::year_month_day day{chrono::sys_days(chrono::days(seconds / S_PER_DAY))};
  auto date = static_cast<uint64_t>(static_cast<int>(day.year())) * 10'000 +
      static_cast<unsigned>(day.month()) * 100 + static_cast<unsigned>(day.day());
  auto rest = static_cast<uint64_t>(seconds % S_PER_DAY);
  auto time = rest / 3'600 * 10'000 + rest / 60 % 60 * 100 + rest % 60;
  return "~" + digits(date, DATE_DIGITS) + "-" + digits(time, TIME_DIGITS) + "-" +
      digits(name.tag, TAG_DIGITS, 16);
}

struct Moment {
  int64_t whenMs;
  uint32_t tag;
};

kj::Maybe<Moment> parseSuffix(std::string_view text) {
  bool hasForm = text.size() == SUFFIX_BYTES && text[0] == '~' && text[1 + DATE_DIGITS] == '-' &&
      text[2 + DATE_DIGITS + TIME_DIGITS] == '-';
  if (!hasForm) return nullptr;
  auto date = number(text.substr(1, DATE_DIGITS));
  auto time = number(text.substr(2 + DATE_DIGITS, TIME_DIGITS));
  auto tag = number(text.substr(3 + DATE_DIGITS + TIME_DIGITS), 16);
  KJ_IF_MAYBE(d, date) {
    KJ_IF_MAYBE(t, time) {
      KJ_IF_MAYBE(g, tag) {
        chrono::year_month_day day{chrono::year(static_cast<int>(*d / 10'000)),
            chrono::month(*d / 100 % 100), chrono::day(*d % 100)};
        auto hour = *t / 10'000, minute = *t / 100 % 100, second = *t % 100;
        if (!day.ok() || hour > 23 || minute > 59 || second > 59) return nullptr;
        int64_t days = chrono::sys_days(day).time_since_epoch().count();
        auto seconds = days * S_PER_DAY + hour * 3'600 + minute * 60 + second;
        if (seconds < 0) return nullptr;
        return Moment{seconds * MS_PER_S, *g};
      }
    }
  }
  return nullptr;
}

// Where the suffix goes: before the ending, if there is one. What is longer is none: so it holds no suffix itself.
size_t endingAt(std::string_view name) {
  constexpr size_t ENDING_BYTES_MAX = 16;
  static_assert(ENDING_BYTES_MAX < SUFFIX_BYTES);
  auto dot = name.rfind('.');
  bool isEnding = dot != std::string_view::npos && dot > 0 && name.size() - dot <= ENDING_BYTES_MAX;
  return isEnding ? dot : name.size();
}

// At most so many bytes, and no part of a character.
std::string_view shortened(std::string_view text, size_t bytesMax) {
  if (text.size() <= bytesMax) return text;
  text = text.substr(0, bytesMax);
  while (!isUtf8(text)) text.remove_suffix(1);
  return text;
}

}  // namespace

FolderPath keptPath(const KeptName& name) {
  KJ_REQUIRE(!name.of.isFolder() && name.tag <= KeptName::TAG_MAX);
  auto whole = name.of.name();
  auto stem = whole.substr(0, endingAt(whole)), ending = whole.substr(stem.size());
  auto stemBytesMax = FolderPath::NAME_BYTES_MAX - SUFFIX_BYTES - ending.size();
  auto kept = std::string(shortened(stem, stemBytesMax)) + suffixOf(name) + std::string(ending);
  auto path = name.of.directory().child(kept);
  return path ? *path : FolderPath().child(kept).value();
}

kj::Maybe<KeptName> parseKept(const FolderPath& path) {
  if (path.isFolder()) return nullptr;
  auto name = path.name();
  for (auto end: {name.size(), endingAt(name)}) {
    if (end <= SUFFIX_BYTES) continue;  // a name has something before it
    auto suffix = parseSuffix(name.substr(end - SUFFIX_BYTES, SUFFIX_BYTES));
    KJ_IF_MAYBE(moment, suffix) {
      auto of = std::string(name.substr(0, end - SUFFIX_BYTES)) + std::string(name.substr(end));
      auto was = path.directory().child(of);
      if (was) return KeptName{*was, moment->whenMs, moment->tag};
    }
  }
  return nullptr;
}

std::vector<KeptVersion> versionsOf(const std::vector<FileTree::Kept>& kept) {
  constexpr int64_t NS_PER_MS = 1'000'000;
  std::vector<KeptVersion> versions;
  for (auto& [path, state]: kept) {
    KeptVersion version{path, path, state.stamp.modifiedNs / NS_PER_MS, state.stamp.size};
    KJ_IF_MAYBE(name, parseKept(path)) {
      version.of = name->of;
      version.whenMs = name->whenMs;
    }
    versions.push_back(kj::mv(version));
  }
  return versions;
}

std::vector<FolderPath> toDrop(const KeepingPolicy& policy, std::vector<KeptVersion> versions,
    int64_t nowMs, uint64_t roomBytes, uint64_t neededBytes) {
  auto ageOf = [&](const KeptVersion& version) {
    return std::max<int64_t>(nowMs - version.whenMs, 0);
  };
  auto ms = [](kj::Duration duration) { return duration / kj::MILLISECONDS; };
  // The youngest first: it stands for its day, or its week.
  std::sort(versions.begin(), versions.end(),
      [](auto& a, auto& b) { return std::tie(b.whenMs, b.path) < std::tie(a.whenMs, a.path); });
  std::vector<FolderPath> dropped;
  std::vector<KeptVersion> kept;
  std::set<std::tuple<FolderPath, bool, int64_t>> taken;  // days and weeks of each file
  uint64_t keptBytes = 0, droppedBytes = 0;
  for (auto& version: versions) {
    auto age = ageOf(version);
    bool isWeekly = age > ms(policy.daily);
    auto period = version.whenMs / MS_PER_DAY / (isWeekly ? 7 : 1);
    bool isKept = age <= ms(policy.all) ||
        (age <= ms(policy.weekly) && taken.insert({version.of, isWeekly, period}).second);
    (isKept ? keptBytes : droppedBytes) += version.bytes;
    if (isKept) {
      kept.push_back(version);
    } else {
      dropped.push_back(version.path);
    }
  }

  auto withoutAny = roomBytes + keptBytes + droppedBytes;
  auto bytesMax = std::min(policy.bytesMax, withoutAny / 1'000 * policy.shareOfRoomPermille);
  auto weight = [&](const KeptVersion& version) {
    constexpr int64_t LEAST_AGE_MS = 60'000;
    return static_cast<double>(std::max(ageOf(version), LEAST_AGE_MS)) *
        static_cast<double>(version.bytes);
  };
  std::sort(kept.begin(), kept.end(), [&](auto& a, auto& b) {
    auto first = weight(a), second = weight(b);
    return first != second ? first > second : a.path < b.path;
  });
  for (auto& version: kept) {
    bool isEnough = keptBytes <= bytesMax && roomBytes + droppedBytes >= neededBytes;
    if (isEnough) break;
    keptBytes -= version.bytes;
    droppedBytes += version.bytes;
    dropped.push_back(version.path);
  }
  return dropped;
}

}  // namespace hearth::storage
