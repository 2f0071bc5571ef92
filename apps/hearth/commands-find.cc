// hearth find: what is in the documents and files of this device.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/progress.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace hearth::cli {

namespace {

using nlohmann::json;

constexpr kj::Duration LOOK_EVERY = 200 * kj::MILLISECONDS;
constexpr auto BOLD = "\x1b[1m", PLAIN = "\x1b[0m";

const char* kindOf(local::FoundKind kind) {
  switch (kind) {
    case local::FoundKind::DOCUMENT:
      return "document";
    case local::FoundKind::FILE:
      return "file";
    default:
      return "extracted";
  }
}

json jsonOf(local::Found::Reader found) {
  auto marks = json::array();
  for (auto mark: found.getMarks()) marks.push_back({mark.getBegin(), mark.getEnd()});
  json value{{"kind", kindOf(found.getKind())}, {"name", found.getName().cStr()},
      {"snippet", found.getSnippet().cStr()}, {"marks", marks},
      {"more_before", found.getHasBefore()}, {"more_after", found.getHasAfter()},
      {"score", static_cast<double>(found.getScore()) / 1e6}};
  if (found.getKind() == local::FoundKind::DOCUMENT) return value;
  value["folder"] = found.getFolder().cStr();
  value["path"] = found.getPath().cStr();
  return value;
}

// With what was looked for in bold, where a terminal shows it.
std::string lineOf(local::Found::Reader found, bool isTerminal) {
  std::string text = found.getSnippet().cStr(), line = found.getHasBefore() ? "… " : "";
  size_t at = 0;
  for (auto mark: found.getMarks()) {
    if (!isTerminal || mark.getBegin() < at || mark.getEnd() > text.size()) break;
    line += text.substr(at, mark.getBegin() - at) + BOLD;
    line += text.substr(mark.getBegin(), mark.getEnd() - mark.getBegin()) + PLAIN;
    at = mark.getEnd();
  }
  return line + text.substr(at) + (found.getHasAfter() ? " …" : "");
}

std::string headingOf(local::Found::Reader found) {
  if (found.getKind() == local::FoundKind::DOCUMENT)
    return std::string(found.getName().cStr()) + "  (hearth doc get)";
  if (found.getPath().size() > 0) return found.getPath().cStr();
  return std::string(found.getName().cStr()) + "  (its folder is not there just now)";
}

std::string owedText(uint64_t owed) {
  return "the index is not complete yet: " + std::to_string(owed) +
      (owed == 1 ? " change" : " changes") + " to go";
}

using Answer = capnp::Response<local::Daemon::FindResults>;

Answer look(Client& client, const FindOptions& options, uint32_t most) {
  auto request = client.daemon().findRequest();
  std::string typed;
  for (auto& word: options.words) typed += (typed.empty() ? "" : " ") + word;
  request.setTyped(kj::StringPtr(typed.c_str(), typed.size()));
  request.setMost(most);
  request.setKind(choose<local::FoundKind>(options.in,
      {{"all", local::FoundKind::ANYTHING}, {"documents", local::FoundKind::DOCUMENT},
          {"files", local::FoundKind::FILE}}));
  return request.send().wait(client.waitScope());
}

Answer onceIndexed(Client& client, const FindOptions& options, bool asJson) {
  Progress progress("indexing", asJson, Progress::Unit::CHANGES);
  uint64_t most = 0;
  for (;;) {
    auto owed = look(client, options, 1).getOwed();
    if (owed == 0) return look(client, options, options.most);
    most = std::max(most, owed);
    progress.at(most - owed, most);
    client.timer().afterDelay(LOOK_EVERY).wait(client.waitScope());
  }
}

}  // namespace

int find(const Common& common, const FindOptions& options) {
  Client client(common.home.c_str());
  auto answer = options.waits ? onceIndexed(client, options, common.json)
                              : look(client, options, options.most);
  if (common.json) {
    for (auto found: answer.getFound()) printJson(jsonOf(found));
    printJson({{"matches", answer.getMatches()}, {"more", answer.getMore()},
        {"shown", answer.getFound().size()}, {"owed", answer.getOwed()}});
    return DONE;
  }
  bool isTerminal = isatty(STDOUT_FILENO) != 0;
  for (auto found: answer.getFound()) {
    std::cout << headingOf(found) << "\n";
    if (found.getSnippet().size() > 0) std::cout << "    " << lineOf(found, isTerminal) << "\n";
  }
  if (answer.getFound().size() == 0) std::cout << "nothing found\n";
  if (answer.getMatches() > answer.getFound().size()) {
    std::cout << answer.getFound().size() << " of " << answer.getMatches()
              << (answer.getMore() ? " and more" : "") << "; --limit shows more\n";
  }
  if (answer.getOwed() > 0) std::cout << owedText(answer.getOwed()) << "\n";
  return DONE;
}

}  // namespace hearth::cli
