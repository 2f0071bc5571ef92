// Operations and content in words.

#include "tests/storage/crdt/histories/editing.h"

namespace hearth::storage {

namespace {

std::string said(const Value& value) {
  constexpr const char* CONTAINER_NAMES[] = {"a map", "a list", "a text", "a counter", "a set"};
  if (auto kind = std::get_if<Container>(&value))
    return CONTAINER_NAMES[static_cast<size_t>(*kind)];
  if (auto flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (auto number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  if (auto real = std::get_if<double>(&value)) return std::to_string(*real);
  if (auto text = std::get_if<std::string>(&value)) return '"' + *text + '"';
  return "null";
}

std::string nameOf(Event event) { return event == Op::ROOT ? "-" : "#" + std::to_string(event); }

}  // namespace

std::string said(const Op& op) {
  constexpr const char* KIND_NAMES[] = {"put", "remove", "add", "include", "exclude", "insert",
      "move", "set", "hide", "show", "type", "erase", "backspace"};
  std::string line = KIND_NAMES[static_cast<size_t>(op.kind)];
  line += " in " + nameOf(op.object);
  if (op.hasKey()) line += " key " + op.key;
  if (op.hasElement()) line += " element " + nameOf(op.element);
  if (op.hasBetween()) line += " between " + nameOf(op.left) + " and " + nameOf(op.right);
  if (op.hasValue()) line += ": " + said(op.value);
  if (op.isOfText()) line += " at " + std::to_string(op.at) + " " + std::to_string(op.count);
  if (op.kind == Op::Kind::TYPE) line += " \"" + op.content + '"';
  return line;
}

std::string said(const Tree& tree) {
  std::string line;
  auto addAll = [&](auto& trees) {
    for (auto& one: trees) line += (line.size() > 1 ? ", " : "") + said(one);
  };
  if (auto map = std::get_if<Tree::Map>(&tree.value)) {
    line = "{";
    for (auto& [key, one]: *map) line += (line.size() > 1 ? ", " : "") + key + ": " + said(one);
    return line + "}";
  }
  if (auto list = std::get_if<Tree::List>(&tree.value)) {
    line = "[";
    addAll(*list);
    return line + "]";
  }
  if (auto members = std::get_if<Tree::Members>(&tree.value)) {
    line = "<";
    addAll(members->values);
    return line + ">";
  }
  if (auto text = std::get_if<Tree::Written>(&tree.value)) return "text \"" + text->text + '"';
  if (auto counted = std::get_if<Tree::Counted>(&tree.value))
    return "counter " + std::to_string(counted->total);
  return std::visit(
      [](auto& content) -> std::string {
        if constexpr (std::is_constructible_v<Value, decltype(content)>) {
          return said(Value(content));
        } else {
          KJ_UNREACHABLE;
        }
      },
      tree.value);
}

}  // namespace hearth::storage
