#include "simulator/story/toml-reader.h"

#include <cmath>

namespace hearth::sim {

const toml::node* TomlReader::find(const char* key) {
  asked.insert(key);
  return table.get(key);
}

void TomlReader::complain(const std::string& what) {
  if (wrong.empty()) wrong = where + ": " + what;
}

std::string TomlReader::text(const char* key, std::string otherwise) {
  auto node = find(key);
  if (node == nullptr) return otherwise;
  if (auto value = node->value_exact<std::string>()) return *value;
  complain(std::string(key) + " must be a text");
  return otherwise;
}

std::string TomlReader::needText(const char* key) {
  auto value = text(key);
  if (value.empty()) complain(std::string(key) + " is missing");
  return value;
}

double TomlReader::number(const char* key, double otherwise, double least, double most) {
  auto node = find(key);
  if (node == nullptr) return otherwise;
  auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (value && std::isfinite(*value) && *value >= least && *value <= most) return *value;
  complain(std::string(key) + " must be a number from " + std::to_string(least) + " to " +
      std::to_string(most));
  return otherwise;
}

bool TomlReader::flag(const char* key, bool otherwise) {
  auto node = find(key);
  if (node == nullptr) return otherwise;
  if (auto value = node->value_exact<bool>()) return *value;
  complain(std::string(key) + " must be true or false");
  return otherwise;
}

std::vector<std::string> TomlReader::texts(const char* key) {
  auto node = find(key);
  if (node == nullptr) return {};
  if (auto one = node->value_exact<std::string>()) return {*one};
  std::vector<std::string> many;
  if (auto list = node->as_array()) {
    for (auto& item: *list) {
      if (auto one = item.value_exact<std::string>()) many.push_back(*one);
    }
    if (many.size() == list->size()) return many;
  }
  complain(std::string(key) + " must be a text or a list of texts");
  return {};
}

std::vector<const toml::table*> TomlReader::tables(const char* key) {
  auto node = find(key);
  if (node == nullptr) return {};
  std::vector<const toml::table*> all;
  if (auto list = node->as_array()) {
    for (auto& item: *list) {
      if (auto entry = item.as_table()) all.push_back(entry);
    }
    if (all.size() == list->size()) return all;
  }
  complain("[[" + std::string(key) + "]] must be tables");
  return {};
}

const toml::table* TomlReader::sub(const char* key) {
  auto node = find(key);
  if (node == nullptr) return nullptr;
  if (auto entry = node->as_table()) return entry;
  complain("[" + std::string(key) + "] must be a table");
  return nullptr;
}

void TomlReader::finish() {
  for (auto& [key, value]: table) {
    if (!asked.contains(std::string(key.str())))
      complain("'" + std::string(key.str()) + "' is not known");
  }
}

}  // namespace hearth::sim
