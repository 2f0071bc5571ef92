#include "bindings/local/json-tree.h"

#include "storage/crdt/varint.h"

#include <kj/encoding.h>

#include <nlohmann/json.hpp>

namespace hearth::local {

namespace {

using nlohmann::json;
using storage::Document;
using storage::Octets;
using storage::Tree;

constexpr auto TEXT = "$text", COUNTER = "$counter", SET = "$set", BYTES = "$bytes";

std::string base64(const std::string& bytes) {
  auto text = kj::encodeBase64(kj::StringPtr(bytes.data(), bytes.size()).asBytes());
  return {text.cStr(), text.size()};
}

json written(const Tree& tree, bool typed) {
  auto form = [typed](const char* name, json content) {
    return typed ? json{{name, content}} : content;
  };
  auto list = [typed](const std::vector<Tree>& trees) {
    auto all = json::array();
    for (auto& each: trees) all.push_back(written(each, typed));
    return all;
  };
  return std::visit(
      [&](auto& content) -> json {
        using T = std::decay_t<decltype(content)>;
        if constexpr (std::is_same_v<T, storage::Nothing>) {
          return nullptr;
        } else if constexpr (std::is_same_v<T, Octets>) {
          return form(BYTES, base64(content.bytes));
        } else if constexpr (std::is_same_v<T, Tree::Map>) {
          auto object = json::object();
          for (auto& [key, value]: content)
            object[typed && key.starts_with('$') ? "$" + key : key] = written(value, typed);
          return object;
        } else if constexpr (std::is_same_v<T, Tree::List>) {
          return list(content);
        } else if constexpr (std::is_same_v<T, Tree::Written>) {
          return form(TEXT, content.text);
        } else if constexpr (std::is_same_v<T, Tree::Counted>) {
          return form(COUNTER, content.total);
        } else if constexpr (std::is_same_v<T, Tree::Members>) {
          return form(SET, list(content.values));
        } else {
          return content;
        }
      },
      tree.value);
}

constexpr Error NO_FORM{Errc::BAD_FORMAT,
    "an object whose key begins with $ is one of $text, $counter, $set and $bytes"_kj};

Result<Tree> read(const json& value);

Result<std::vector<Tree>> readAll(const json& array) {
  std::vector<Tree> all;
  for (auto& each: array) {
    auto tree = read(each);
    if (!tree) return no(tree.error());
    all.push_back(kj::mv(*tree));
  }
  return all;
}

// What JSON calls a number may be none that a counter holds.
Result<Tree> readCounter(const json& content) {
  bool isTooGreat = content.is_number_unsigned() && content.get<uint64_t>() > INT64_MAX;
  if (isTooGreat || !content.is_number_integer())
    return no(Errc::BAD_FORMAT, "a counter is a whole number between -2^63 and 2^63 - 1");
  return Tree{Tree::Counted{content.get<int64_t>()}};
}

Result<Tree> readForm(const std::string& name, const json& content) {
  if (name == TEXT && content.is_string()) return Tree{Tree::Written{content}};
  if (name == COUNTER && content.is_number()) return readCounter(content);
  if (name == BYTES && content.is_string()) {
    auto bytes = kj::decodeBase64(kj::StringPtr(content.get_ref<const std::string&>().c_str()));
    if (bytes.hadErrors) return no(Errc::BAD_FORMAT, "what is no base64");
    return Tree{Octets{std::string(bytes.asChars().begin(), bytes.size())}};
  }
  if (name == SET && content.is_array()) {
    auto values = readAll(content);
    if (!values) return no(values.error());
    for (auto& value: *values) {
      if (value.value.index() > Tree{Octets{}}.value.index())
        return no(Errc::BAD_FORMAT, "a set has plain values");
    }
    return Tree{Tree::Members{kj::mv(*values)}};
  }
  return no(NO_FORM);
}

Result<Tree> readObject(const json& object) {
  if (object.size() == 1) {
    auto& name = object.begin().key();
    if (name.starts_with('$') && !name.starts_with("$$"))
      return readForm(name, object.begin().value());
  }
  Tree::Map map;
  for (auto& [key, value]: object.items()) {
    if (key.starts_with('$') && !key.starts_with("$$")) return no(NO_FORM);
    auto tree = read(value);
    if (!tree) return no(tree.error());
    map.emplace(key.starts_with('$') ? key.substr(1) : key, kj::mv(*tree));
  }
  return Tree{kj::mv(map)};
}

Result<Tree> read(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return Tree{};
    case json::value_t::boolean:
      return Tree{value.get<bool>()};
    case json::value_t::number_integer:
      return Tree{value.get<int64_t>()};
    case json::value_t::number_unsigned: {
      auto number = value.get<uint64_t>();
      if (number > INT64_MAX) return Tree{static_cast<double>(number)};
      return Tree{static_cast<int64_t>(number)};
    }
    case json::value_t::number_float:
      return Tree{value.get<double>()};
    case json::value_t::string:
      return Tree{value.get<std::string>()};
    case json::value_t::array: {
      auto all = readAll(value);
      if (!all) return no(all.error());
      return Tree{kj::mv(*all)};
    }
    default:
      return readObject(value);
  }
}

}  // namespace

std::string jsonOf(const Tree& tree, bool typed) {
  return written(tree, typed).dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Tree> treeOf(kj::StringPtr text) {
  if (text.size() > JSON_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "more than 16 MiB of JSON: what is large belongs into a blob");
  size_t deepest = 0;
  auto shallow = [&deepest](int depth, json::parse_event_t, json&) {
    deepest = kj::max(deepest, static_cast<size_t>(depth));
    return depth <= Document::DEPTH_MAX;
  };
  auto parsed = json::parse(text.begin(), text.end(), shallow, false);
  if (deepest > Document::DEPTH_MAX)
    return no(Errc::LIMIT_EXCEEDED, "JSON that is nested more than 64 deep");
  if (parsed.is_discarded())
    return no(Errc::BAD_FORMAT, "that is no JSON: a text has quotes around it, as '\"milk\"'");
  return read(parsed);
}

std::string patchBetween(const Tree& first, const Tree& second) {
  return json::diff(written(first, false), written(second, false))
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<storage::Path> pathOf(kj::StringPtr pointer) {
  constexpr Error NO_PATH{
      Errc::BAD_FORMAT, "a path begins with /, as /title or /items/0; nothing is the document"_kj};
  storage::Path path;
  if (pointer.size() == 0) return path;
  if (pointer[0] != '/' || !storage::isUtf8({pointer.begin(), pointer.size()})) return no(NO_PATH);
  for (size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      path.emplace_back();
    } else if (pointer[i] == '~') {
      ++i;
      if (i >= pointer.size() || (pointer[i] != '0' && pointer[i] != '1')) return no(NO_PATH);
      path.back() += pointer[i] == '0' ? '~' : '/';
    } else {
      path.back() += pointer[i];
    }
    if (path.size() > Document::DEPTH_MAX)
      return no(Errc::LIMIT_EXCEEDED, "a path of over 64 parts");
  }
  return path;
}

}  // namespace hearth::local
