#pragma once
// Reads one TOML table strictly: every entry must be asked for, have its type and lie in its range.
// The first thing that is wrong is kept as one line.

#include "router/graph/toml.h"

#include <kj/common.h>

#include <set>
#include <string>
#include <vector>

namespace hearth::sim {

class TomlReader final {
 public:
  // `where` names the table in messages: "[[step]] 3".
  TomlReader(const toml::table& table, std::string where, std::string& wrong)
      : table(table),
        where(kj::mv(where)),
        wrong(wrong) {}

  std::string text(const char* key, std::string otherwise = "");
  std::string needText(const char* key);
  double number(const char* key, double otherwise, double least, double most);
  bool flag(const char* key, bool otherwise = false);
  std::vector<std::string> texts(const char* key);  // one text or a list of them

  // The tables of [[key]], or of [key] by name.
  std::vector<const toml::table*> tables(const char* key);
  const toml::table* sub(const char* key);

  // Complains about entries that nobody has asked for.
  void finish();
  void complain(const std::string& what);
  bool good() const { return wrong.empty(); }
  const std::string& name() const { return where; }

 private:
  const toml::table& table;
  std::string where;
  std::string& wrong;
  std::set<std::string> asked;

  const toml::node* find(const char* key);
};

}  // namespace hearth::sim
