#include "bench/trace.h"

#include "apps/hearth-sim/shelf.h"
#include "bench/process.h"
#include "storage/crdt/document.h"

#include <kj/debug.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <zlib.h>

namespace hearth::bench {

namespace {

using namespace storage;
using nlohmann::json;

struct Patch {
  uint32_t at, erased;
  std::string typed;
};
struct Step {
  int author = 0;
  std::vector<size_t> parents;  // steps; of a straight trace none: the step before
  std::vector<Patch> patches;
};
struct Trace {
  bool concurrent = false;
  std::vector<Step> steps;
  std::string end;
};

std::string contentOf(const std::string& path) {
  auto file = gzopen(path.c_str(), "rb");  // takes plain files as well
  if (file == nullptr) throw cli::Complaint{1, "no trace to read at " + path};
  KJ_DEFER(gzclose(file));
  std::string content;
  char part[1 << 16];
  for (int got; (got = gzread(file, part, sizeof(part))) > 0;)
    content.append(part, static_cast<size_t>(got));
  return content;
}

Trace readTrace(const std::string& path) try {
  auto read = json::parse(contentOf(path));
  Trace trace;
  trace.concurrent = read.value("kind", "") == "concurrent";
  trace.end = read.at("endContent");
  for (auto& txn: read.at("txns")) {
    Step step;
    step.author = txn.value("agent", 0);
    if (trace.concurrent) step.parents = txn.at("parents").get<std::vector<size_t>>();
    for (auto& patch: txn.at("patches")) step.patches.push_back({patch[0], patch[1], patch[2]});
    trace.steps.push_back(std::move(step));
  }
  if (auto start = read.value("startContent", ""); !start.empty())
    trace.steps.insert(trace.steps.begin(), Step{.patches = {{0, 0, start}}});
  return trace;
} catch (const json::exception&) {
  throw cli::Complaint{1, path + " is no editing trace"};
}

DeviceId deviceOf(int author) {
  DeviceId id;
  for (int i = 0; i < 4; ++i) id.bytes[i] = static_cast<kj::byte>((author + 1) >> (8 * i));
  return id;
}

void addOps(std::vector<Op>& ops, Event text, const Patch& patch) {
  if (patch.erased > 0)
    ops.push_back({.kind = Op::Kind::ERASE, .object = text, .at = patch.at, .count = patch.erased});
  if (patch.typed.empty()) return;
  ops.push_back({.kind = Op::Kind::TYPE,
      .object = text,
      .at = patch.at,
      .count = codePoints(patch.typed),
      .content = patch.typed});
}

Op makeText() { return {.kind = Op::Kind::PUT, .key = "text", .value = Container::TEXT}; }

// A device that writes: every patch is a commit of its own.
void applyStraight(Document& document, const Trace& trace) {
  auto author = deviceOf(0);
  int64_t now = 0;
  std::vector<Op> ops{makeText()};
  (void)document.commit(author, ops, now);
  for (auto& step: trace.steps) {
    for (auto& patch: step.patches) {
      ops.clear();
      addOps(ops, 0, patch);
      auto taken = document.commit(author, ops, now);
      KJ_REQUIRE(taken.has_value(), "a patch that does not fit its text", taken.error().because);
    }
  }
}

// What several devices have written, as bundles come from them: every step is a run of its own.
class Arrivals {
 public:
  explicit Arrivals(Document& document): document(document) {
    ends.push_back(document.commit(deviceOf(-1), {makeText()}, 0).value().end - 1);
  }

  void take(const Step& step) {
    Bundle bundle;
    auto numberOf = [&](Event event) {
      auto name = document.graph().nameOf(event);
      auto known = std::ranges::find(bundle.authors, name.author);
      auto author = static_cast<uint32_t>(known - bundle.authors.begin());
      if (known == bundle.authors.end()) bundle.authors.push_back(name.author);
      bundle.foreign.push_back({author, name.number});
      return static_cast<Event>(bundle.foreign.size() - 1);
    };
    auto text = numberOf(0);
    Version parents;
    for (auto parent: step.parents) parents.push_back(numberOf(ends[parent + 1]));
    if (parents.empty()) parents.push_back(text);
    std::ranges::sort(parents);
    auto me = deviceOf(step.author);
    auto known = std::ranges::find(bundle.authors, me);
    auto author = static_cast<uint32_t>(known - bundle.authors.begin());
    if (known == bundle.authors.end()) bundle.authors.push_back(me);
    bundle.runs.push_back({author, document.graph().countOf(me), parents, {{0, 0}}, {}});
    for (auto& patch: step.patches) addOps(bundle.runs[0].ops, text, patch);
    Document::Merged merged;
    auto taken = document.merge(bundle, merged);
    KJ_REQUIRE(taken.has_value(), "a step that does not follow", taken.error().because);
    ends.push_back(merged.events.end - 1);
  }

 private:
  Document& document;
  std::vector<Event> ends;  // the last event of each step, the making of the text first
};

std::string textOf(Document& document) { return std::get<Text>(document.object(0).state).text(); }

double residentMib() {
  std::ifstream statm("/proc/self/statm");
  size_t pages = 0, resident = 0;
  statm >> pages >> resident;
  return static_cast<double>(resident) * 4096 / (1 << 20);
}

json measureOnce(const Trace& trace) {
  auto residentBefore = residentMib();
  auto begin = cpuS();
  Document document;
  if (trace.concurrent) {
    Arrivals arrivals(document);
    for (auto& step: trace.steps) arrivals.take(step);
  } else {
    applyStraight(document, trace);
  }
  auto applied = cpuS();
  auto resident = residentMib() - residentBefore;
  bool ok = textOf(document) == trace.end;

  auto beforeSave = cpuS();
  std::vector<kj::Array<kj::byte>> saved;
  for (auto& bundle: document.since({})) saved.push_back(encode(bundle, Packing::SMALL));
  auto afterSave = cpuS();

  Document loaded;
  for (auto& bytes: saved) {
    Document::Merged merged;
    auto bundle = readBundle(bytes);
    ok = ok && bundle.has_value() && loaded.merge(*bundle, merged).has_value();
  }
  auto afterLoad = cpuS();
  ok = ok && textOf(loaded) == trace.end && loaded.graph().size() == document.graph().size();
  size_t bytes = 0;
  for (auto& part: saved) bytes += part.size();
  return {{"ok", ok ? 1 : 0}, {"apply_cpu_ms", (applied - begin) * 1e3},
      {"save_cpu_ms", (afterSave - beforeSave) * 1e3},
      {"load_cpu_ms", (afterLoad - afterSave) * 1e3}, {"bytes", bytes},
      {"rss_delta_mib", resident}};
}

}  // namespace

json measureTrace(const TraceOptions& options) {
  auto trace = readTrace(options.file);
  size_t edits = 0;
  for (auto& step: trace.steps) edits += step.patches.size();
  std::vector<json> rounds;
  bool ok = true;
  for (uint32_t i = 0; i < options.rounds; ++i) {
    rounds.push_back(inOwnProcess([&]() { return measureOnce(trace); }));
    ok = ok && rounds.back()["ok"] == 1;
  }
  auto result = medians(rounds);
  result["ok"] = ok;
  result["edits"] = edits;
  return result;
}

}  // namespace hearth::bench
