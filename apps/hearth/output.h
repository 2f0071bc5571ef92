#pragma once
// How the command line speaks: one line for an error, tables for people, one JSON value a line for
// scripts. Exit codes are a contract (DESIGN §10).

#include "core/base/result.h"

#include <kj/exception.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace hearth::cli {

enum ExitCode : int { DONE = 0, FAILED = 1, USAGE = 2, REFUSED = 3, UNREACHABLE = 4 };

// A failure that a person can act on: `line` says what failed and what to do next.
struct Failure {
  ExitCode code;
  std::string line;
};

// What a thrown exception comes to. An error of the daemon keeps its own line.
Failure failureOf(const kj::Exception& e);
Failure failureOf(const Error& error);

void printJson(const nlohmann::json& value);

// What a word of the command line means.
template <typename Enum>
Enum choose(const std::string& value, std::initializer_list<std::pair<const char*, Enum>> names) {
  for (auto& [name, choice]: names) {
    if (value == name) return choice;
  }
  throw Failure{USAGE, "'" + value + "' is not among the choices; see --help"};
}

// Left-aligned columns; the first row is the heading.
void printTable(const std::vector<std::vector<std::string>>& rows);

// "3 s ago", "2 min ago" of a Unix time in milliseconds.
std::string ago(int64_t thenMs);

}  // namespace hearth::cli
