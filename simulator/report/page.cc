#include "simulator/report/page.h"

#include "simulator/fleet/world.h"
#include "simulator/report/page-files.h"

#include <kj/debug.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace hearth::sim {

namespace {

using nlohmann::json;

constexpr int FORMAT = 1;  // of the object; the scripts of the page read this one

int64_t microseconds(kj::TimePoint at) { return (at - WorldTime::BEGINNING) / kj::MICROSECONDS; }

json microseconds(const kj::Maybe<kj::TimePoint>& at) {
  KJ_IF_MAYBE(instant, at) return microseconds(*instant);
  return nullptr;
}

std::string hexOf(uint64_t number) {
  char text[17];
  snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(number));
  return text;
}

// Texts and kinds come again and again: each stands in the page once.
class Words final {
 public:
  size_t numberOf(const std::string& text) {
    auto [found, fresh] = numbers.try_emplace(text, all.size());
    if (fresh) all.push_back(text);
    return found->second;
  }
  json take() { return kj::mv(all); }

 private:
  std::map<std::string, size_t> numbers;
  json all = json::array();
};

// Events in columns, which a browser reads several times faster than rows.
class Columns final {
 public:
  void add(kj::TimePoint at, int device, const std::string& kind, const std::string& text) {
    ats.push_back(microseconds(at));
    devices.push_back(device);
    kindNumbers.push_back(kinds.numberOf(kind));
    textNumbers.push_back(texts.numberOf(text));
  }
  void into(json& page) {
    page["events"] = {{"at", kj::mv(ats)}, {"device", kj::mv(devices)},
        {"kind", kj::mv(kindNumbers)}, {"text", kj::mv(textNumbers)}};
    page["kinds"] = kinds.take();
    page["texts"] = texts.take();
  }

 private:
  json ats = json::array(), devices = json::array();
  json kindNumbers = json::array(), textNumbers = json::array();
  Words kinds, texts;
};

std::string lineOf(const Violation& violation) { return violation.checker + ": " + violation.text; }

// The history tells of a violation when it was found, the outcome of when it came about.
void eventsInto(json& page, const PageParts& parts) {
  std::multimap<int64_t, const Violation*> violations;  // by time, equal ones in their order
  std::set<std::pair<int, std::string>> known;
  for (auto& violation: parts.outcome.violations) {
    violations.emplace(microseconds(violation.at), &violation);
    known.emplace(violation.device, lineOf(violation));
  }
  Columns columns;
  auto next = violations.begin();
  auto addThose = [&](auto end) {
    for (; next != end; ++next)
      columns.add(next->second->at, next->second->device, "violation", lineOf(*next->second));
  };
  for (auto& event: parts.history.all()) {
    if (event.kind == "violation" && known.contains({event.device, event.text})) continue;
    addThose(violations.lower_bound(microseconds(event.at)));
    columns.add(event.at, event.device, event.kind, event.text);
  }
  addThose(violations.end());
  columns.into(page);
}

json messagesOf(const History& history) {
  json at = json::array(), connection = json::array(), from = json::array(), to = json::array();
  json bytes = json::array(), record = json::array();
  for (auto& message: history.newestMessages()) {
    at.push_back(microseconds(message.at));
    connection.push_back(message.connection);
    from.push_back(message.from);
    to.push_back(message.to);
    bytes.push_back(message.bytes);
    record.push_back(message.record);
  }
  return {{"at", kj::mv(at)}, {"connection", kj::mv(connection)}, {"from", kj::mv(from)},
      {"to", kj::mv(to)}, {"bytes", kj::mv(bytes)}, {"record", kj::mv(record)}};
}

json objectOf(const PageParts& parts) {
  auto& outcome = parts.outcome;
  json devices = json::array();
  for (auto& device: parts.devices)
    devices.push_back({{"name", device.name}, {"kind", device.kind}, {"id", device.id}});
  // 64 bits are more than a number of JavaScript holds.
  json page = {{"format", FORMAT}, {"scenario", outcome.scenario}, {"title", parts.title},
      {"story", parts.story}, {"replay", parts.replay}, {"seed", std::to_string(outcome.seed)},
      {"fingerprint", hexOf(outcome.fingerprint)}, {"virtualS", outcome.virtualS},
      {"wallS", outcome.wallS}, {"cpuS", outcome.cpuS}, {"beganUs", microseconds(parts.beganAt)},
      {"healedUs", microseconds(parts.healedAt)}, {"effects", outcome.effects},
      {"violations", outcome.violations.size()}, {"devices", kj::mv(devices)},
      {"messages", messagesOf(parts.history)},
      {"eventsMissing", parts.history.all().size() >= History::EVENTS_MAX},
      {"messagesMissing", parts.history.newestMessages().size() >= History::MESSAGES_MAX}};
  eventsInto(page, parts);
  return page;
}

kj::StringPtr fileNamed(kj::StringPtr name) {
  for (auto& file: pageFiles()) {
    if (file.name == name) return file.text;
  }
  KJ_FAIL_ASSERT("the page has no such part", name);
}

kj::String scripts() {
  kj::Vector<kj::StringPtr> all;
  for (auto& file: pageFiles()) {
    if (file.name.endsWith(".js")) all.add(file.text);
  }
  return kj::strArray(all, "\n");
}

// `text` with the one `mark` in it replaced.
kj::String put(kj::StringPtr text, kj::StringPtr mark, kj::StringPtr content) {
  auto at = strstr(text.cStr(), mark.cStr());
  KJ_ASSERT(at != nullptr, "the page lacks its mark", mark);
  auto before = static_cast<size_t>(at - text.begin());
  return kj::str(text.slice(0, before), content, text.slice(before + mark.size()));
}

}  // namespace

std::vector<PageDevice> pageDevices(World& world) {
  std::vector<PageDevice> devices;
  for (DeviceIndex i = 0; i < world.deviceCount(); ++i) {
    auto& device = world.device(i);
    std::string id;
    KJ_IF_MAYBE(known, device.id()) id = kj::str(*known).cStr();
    devices.push_back({device.called(), device.kind().name, kj::mv(id)});
  }
  return devices;
}

// In JSON '<' stands inside of texts only; written as an escape, no text can end the script element
// or begin a comment in it. Everything beyond ASCII is escaped as well.
kj::String explainData(const PageParts& parts) {
  auto dumped = objectOf(parts).dump(-1, ' ', true, json::error_handler_t::replace);
  std::string safe;
  safe.reserve(dumped.size());
  for (char c: dumped) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return kj::heapString(safe.data(), safe.size());
}

// The data go in last: no mark is looked for in what a device has said.
kj::String explainPage(const PageParts& parts) {
  auto page = put(fileNamed("page.html"), "/* page.css */", fileNamed("page.css"));
  page = put(page, "/* scripts */", scripts());
  return put(page, "/* data */", explainData(parts));
}

}  // namespace hearth::sim
