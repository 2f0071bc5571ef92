#include "bench/search.h"

#include "bench/invented-texts.h"
#include "bench/process.h"
#include "bench/scratch.h"
#include "storage/search/index.h"
#include "storage/search/snippet.h"
#include "storage/sql/store.h"
#include "storage/tables/hearth-db.h"

#include <kj/async-io.h>
#include <kj/debug.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace hearth::bench {

namespace {

using nlohmann::json;
using storage::Database;
namespace search = storage::search;

constexpr uint64_t SEED = 7;
constexpr size_t TOGETHER = 128;  // documents in a write, as the device's indexer does it
constexpr size_t FOUND = 20;      // as hearth find shows by default
constexpr auto PLANTED = "zqplantedxq";

crypto::CollectionId collection() {
  crypto::CollectionId id;
  memset(id.bytes, 1, sizeof(id.bytes));
  return id;
}

struct Query {
  const char* kind;
  std::string typed;
  size_t document;  // that has it
};

// What people look for: words of a document that they remember.
class Queries {
 public:
  Queries(InventedTexts& texts, const std::vector<std::vector<size_t>>& documents)
      : texts(texts),
        documents(documents) {}

  Query next(size_t number) {
    auto document = texts.below(static_cast<uint32_t>(documents.size()));
    auto& text = documents[document];
    auto at = texts.below(static_cast<uint32_t>(text.size() - 2));
    auto word = [&](size_t i) { return texts.words()[text[i]]; };
    auto ranks = text;
    std::ranges::sort(ranks);
    auto ranked = [&](size_t i) { return texts.words()[ranks[i]]; };
    switch (number % 8) {
      case 0:
        return {"one_rare", ranked(ranks.size() - 1), document};
      case 1:
        return {"one", word(at), document};
      case 2:
        return {"one_common", ranked(0), document};
      case 3:
        return {"two", word(at) + " " + ranked(ranks.size() / 2), document};
      case 4:
        return {"three", word(at) + " " + word(at + 1) + " " + ranked(ranks.size() - 1), document};
      case 5:
        return {"phrase", "\"" + word(at) + " " + word(at + 1) + "\"", document};
      case 6:
        return {"prefix", word(at).substr(0, 2 + texts.below(3)) + "*", document};
      default:
        return {"without", ranked(ranks.size() - 1) + " " + word(at) + " -" + PLANTED, document};
    }
  }

 private:
  InventedTexts& texts;
  const std::vector<std::vector<size_t>>& documents;
};

json percentiles(std::vector<double> times) {
  std::ranges::sort(times);
  auto at = [&](double part) {
    return times[std::min(
        times.size() - 1, static_cast<size_t>(part * static_cast<double>(times.size())))];
  };
  return {
      {"p50_ms", at(0.5)}, {"p95_ms", at(0.95)}, {"p99_ms", at(0.99)}, {"most_ms", times.back()}};
}

bool isInAnyFile(const std::string& directory, const std::string& planted) {
  for (auto& entry: std::filesystem::directory_iterator(directory)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(file), {});
    if (bytes.find(planted) != std::string::npos) return true;
  }
  return false;
}

double diskMib(const std::string& directory) {
  double bytes = 0;
  for (auto& entry: std::filesystem::directory_iterator(directory))
    bytes += static_cast<double>(entry.file_size());
  return bytes / (1 << 20);
}

class Measuring {
 public:
  Measuring(const SearchOptions& options, const std::string& directory)
      : options(options),
        directory(directory),
        files(kj::newDiskFilesystem()),
        home(files->getRoot().openSubdir(
            files->getCurrentPath().evalNative(directory.c_str()), kj::WriteMode::MODIFY)),
        vfs(*home, entropy, kj::systemPreciseCalendarClock()),
        store(kj::heap<storage::Store>(executor,
            Database::open(vfs, storage::HEARTH_DB, key, storage::HEARTH_SCHEMA).value())) {}

  json all() {
    json result;
    for (uint32_t i = 0; i < options.documents; ++i)
      documents.push_back(texts.text(30 + texts.below(130)));
    auto rssBefore = rssPeakMib();
    index(result);
    ask(result);
    result["rss_delta_mib"] = rssPeakMib() - rssBefore;
    store = nullptr;
    result["disk_mib"] = diskMib(directory);
    isRight &= !isInAnyFile(directory, PLANTED) && !isInAnyFile(directory, texts.words()[0] + " ");
    result["ok"] = isRight;
    result["documents"] = options.documents;
    return result;
  }

 private:
  const SearchOptions& options;
  std::string directory;
  kj::AsyncIoContext io = kj::setupAsyncIo();
  SystemEntropy entropy;
  ThreadExecutor executor;
  kj::Own<kj::Filesystem> files;
  kj::Own<const kj::Directory> home;
  storage::DirectoryVfs vfs;
  crypto::DatabaseKey key = crypto::DatabaseKey::make(
      [](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), 1, out.size()); });
  kj::Own<storage::Store> store;
  storage::Words words;
  InventedTexts texts{SEED};
  std::vector<std::vector<size_t>> documents;
  bool isRight = true;

  std::string textOf(size_t document) const {
    auto text = texts.written(documents[document]);
    return document == 0 ? text + " " + PLANTED : text;
  }

  void index(json& result) {
    auto wall = wallS(), cpu = cpuS();
    double bytes = 0;
    for (size_t at = 0; at < documents.size(); at += TOGETHER) {
      std::vector<search::Item> items;
      for (auto i = at; i < std::min(at + TOGETHER, documents.size()); ++i) {
        search::Item item{{search::Kind::DOCUMENT, collection(), std::to_string(i)},
            "note " + std::to_string(i), "", textOf(i), true, ""};
        bytes += static_cast<double>(item.text.size());
        items.push_back(std::move(item));
      }
      store
          ->write([items = kj::mv(items)](Database& db) {
            for (auto& item: items) search::put(db, item);
          })
          .wait(io.waitScope);
    }
    result["index_s"] = wallS() - wall;
    result["index_cpu_s"] = cpuS() - cpu;
    result["text_mib"] = bytes / (1 << 20);
    store->checkpoint().wait(io.waitScope);
  }

  // As the device does it: what was typed, to lines that can be shown.
  bool answers(const Query& query) {
    auto found = store
                     ->read([this, &query](Database& db) {
                       auto parsed = search::parseQuery(query.typed, words);
                       auto findings = search::find(db, parsed, {}, FOUND);
                       for (auto& found: findings.best)
                         found.text =
                             search::snippetOf(found.text.value_or(""), parsed, words).text;
                       return findings;
                     })
                     .wait(io.waitScope);
    if (found.matches > FOUND) return true;
    return std::ranges::any_of(
        found.best, [&](auto& one) { return one.name.key == std::to_string(query.document); });
  }

  void ask(json& result) {
    Queries queries(texts, documents);
    std::map<std::string, std::vector<double>> byKind;
    std::vector<double> times, cpuTimes;
    for (uint32_t i = 0; i < options.queries; ++i) {
      auto query = queries.next(i);
      auto begun = wallS(), cpuBefore = cpuS();
      bool isAnswered = answers(query);
      times.push_back((wallS() - begun) * 1'000);
      cpuTimes.push_back((cpuS() - cpuBefore) * 1'000);
      byKind[query.kind].push_back(times.back());
      isRight &=
          isAnswered || (query.document == 0 && query.typed.find(PLANTED) != std::string::npos);
    }
    result.update(percentiles(times));
    result["cpu"] = percentiles(cpuTimes);
    for (auto& [kind, ofKind]: byKind) result["kinds"][kind] = percentiles(ofKind);
    auto planted =
        store
            ->read([this](Database& db) {
              return search::find(db, search::parseQuery(PLANTED, words), {}, FOUND).best.size();
            })
            .wait(io.waitScope);
    isRight &= planted == 1;
  }
};

}  // namespace

json measureSearch(const SearchOptions& options) {
  return inScratch(
      [&](const std::string& directory) { return Measuring(options, directory).all(); });
}

}  // namespace hearth::bench
