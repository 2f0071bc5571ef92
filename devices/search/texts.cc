#include "devices/search/texts.h"

#include "storage/search/index.h"

namespace hearth::devices {

namespace {

using storage::Tree;

constexpr size_t BYTES_MAX = storage::search::Item::TEXT_BYTES_MAX;
constexpr size_t SNIFFED_BYTES = 8 << 10;  // of a file, before the rest is read
constexpr std::string_view BYTE_ORDER_MARK = "\xef\xbb\xbf";

void gather(const Tree& tree, std::string& text) {
  auto add = [&](const std::string& line) {
    if (text.size() < BYTES_MAX && !line.empty()) text += line + "\n";
  };
  if (auto* line = std::get_if<std::string>(&tree.value)) add(*line);
  if (auto* written = std::get_if<Tree::Written>(&tree.value)) add(written->text);
  if (auto* list = std::get_if<Tree::List>(&tree.value)) {
    for (auto& each: *list) gather(each, text);
  }
  if (auto* set = std::get_if<Tree::Members>(&tree.value)) {
    for (auto& each: set->values) gather(each, text);
  }
  if (auto* map = std::get_if<Tree::Map>(&tree.value)) {
    for (auto& [key, each]: *map) gather(each, text);
  }
}

// Bytes of the character at the front; 0 where there is none that a text has.
size_t characterAt(std::string_view bytes) {
  auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  auto isMore = [&](size_t i) { return i < bytes.size() && (at(i) & 0xc0) == 0x80; };
  if (at(0) < 0x80) {
    // Those of terminals and printers are in many a text; the others in none.
    bool isText = at(0) >= ' ' || (at(0) >= '\b' && at(0) <= '\r') || at(0) == '\x1b';
    return isText && at(0) != 0x7f ? 1 : 0;
  }
  if (at(0) >= 0xc2 && at(0) < 0xe0) return isMore(1) ? 2 : 0;
  if (at(0) >= 0xe0 && at(0) < 0xf0) return isMore(1) && isMore(2) ? 3 : 0;
  if (at(0) >= 0xf0 && at(0) < 0xf5) return isMore(1) && isMore(2) && isMore(3) ? 4 : 0;
  return 0;
}

storage::TreeResult<void> readUpTo(
    storage::FileTree::Reading& file, size_t bytes, std::string& text) {
  while (text.size() < bytes) {
    auto from = text.size();
    text.resize(bytes);
    auto read = file.read(from, kj::arrayPtr(text.data() + from, bytes - from).asBytes());
    text.resize(from + read.value_or(0));
    if (!read) return storage::no(read.error());
    if (*read == 0) break;
  }
  return {};
}

}  // namespace

std::string_view textAtFront(std::string_view bytes) {
  size_t end = 0;
  while (end < bytes.size()) {
    auto length = characterAt(bytes.substr(end));
    if (length == 0) break;
    end += length;
  }
  // A character that is cut off at the end is one; anything else that is none makes it no text.
  return bytes.substr(0, bytes.size() - end < 4 ? end : 0);
}

std::optional<std::string> textOf(const Tree& document) {
  if (auto* map = std::get_if<Tree::Map>(&document.value); map != nullptr && map->empty())
    return std::nullopt;
  std::string text;
  gather(document, text);
  return text;
}

storage::TreeResult<std::string> textOf(storage::FileTree& files, const storage::FolderPath& path) {
  auto file = files.open(path);
  if (!file) return storage::no(file.error());
  std::string text;
  if (auto read = readUpTo(**file, SNIFFED_BYTES, text); !read) return storage::no(read.error());
  if (textAtFront(text).empty()) return std::string();
  if (auto read = readUpTo(**file, BYTES_MAX, text); !read) return storage::no(read.error());
  auto front = textAtFront(text);
  if (front.starts_with(BYTE_ORDER_MARK)) front.remove_prefix(BYTE_ORDER_MARK.size());
  return std::string(front);
}

}  // namespace hearth::devices
