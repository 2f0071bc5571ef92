#include "apps/hearth/output.h"

#include "bindings/local/message.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

namespace hearth::cli {

namespace {

constexpr const char* REFUSALS[] = {
    "NotAuthorised", "PolicyDenied", "Removed", "Suspended", "PairingLocked", "LevelTooLow"};

ExitCode codeOf(const std::string& line) {
  bool refused =
      std::ranges::any_of(REFUSALS, [&](const char* name) { return line.starts_with(name); });
  return refused ? REFUSED : FAILED;
}

}  // namespace

Failure failureOf(const kj::Exception& e) {
  if (e.getType() == kj::Exception::Type::DISCONNECTED)
    return {UNREACHABLE, "the daemon does not answer: start it with hearthd"};
  std::string line = local::messageOf(e).cStr();
  return {codeOf(line), line};
}

Failure failureOf(const Error& error) {
  auto line = std::string(nameOf(error.code).cStr()) + ": " + error.because.cStr();
  return {codeOf(line), line};
}

void printJson(const nlohmann::json& value) {
  // Text from outside may not be UTF-8; it is shown all the same.
  std::cout << value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
}

void printTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (auto& row: rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (auto& row: rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    std::cout << line << "\n";
  }
  std::cout << std::flush;
}

std::string ago(int64_t thenMs) {
  auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  auto seconds = std::max<int64_t>(0, (now.count() - thenMs) / 1000);
  if (seconds < 60) return std::to_string(seconds) + " s ago";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min ago";
  if (seconds < 86'400) return std::to_string(seconds / 3600) + " h ago";
  return std::to_string(seconds / 86'400) + " d ago";
}

}  // namespace hearth::cli
