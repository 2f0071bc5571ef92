#include "storage/crdt/paths.h"

#include <charconv>

namespace hearth::storage {

kj::Maybe<uint32_t> indexIn(const std::string& token, uint32_t size) {
  uint32_t index = 0;
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  bool isOne = error == std::errc() && end == token.data() + token.size() &&
      (token.size() == 1 || token[0] != '0');
  if (!isOne || index >= size) return nullptr;
  return index;
}

Result<const Place*> placeAt(Document& document, const Path& path) {
  const Place* place = nullptr;
  Event container = Op::ROOT;
  for (auto& token: path) {
    if (place != nullptr) {
      if (!std::holds_alternative<Container>(place->shown().value)) return no(NOTHING_THERE);
      container = place->shown().event;
    }
    auto& state = document.object(container).state;
    if (auto map = std::get_if<Map>(&state)) {
      place = map->find(token);
    } else if (auto list = std::get_if<List>(&state)) {
      auto index = indexIn(token, list->size());
      KJ_IF_MAYBE(there, index) {
        place = &list->find(list->elementAt(*there))->value;
      } else {
        return no(NO_INDEX);
      }
    } else {
      return no(NOTHING_THERE);
    }
    if (place == nullptr || place->isEmpty()) return no(NOTHING_THERE);
  }
  return place;
}

Result<Tree> treeAt(Document& document, const Path& path) {
  if (path.empty()) return treeOf(document);
  auto place = placeAt(document, path);
  if (!place) return no(place.error());
  return treeOf(document, **place);
}

Result<std::vector<Piece>> piecesAt(Document& document, const Path& path) {
  if (path.empty()) return no(Errc::BAD_FORMAT, "say of what: a path");
  auto place = placeAt(document, path);
  if (!place) return no(place.error());
  auto& graph = document.graph();
  auto event = (*place)->shown().event;
  std::vector<Piece> pieces;
  auto object = document.find(event);
  if (object == nullptr || object->kind() != Container::TEXT)
    return std::vector{
        Piece{treeOf(document, **place), graph.nameOf(event).author, document.timeMsOf(event)}};
  auto& text = std::get<Text>(document.object(event).state);
  auto content = text.text();
  auto rest = std::string_view(content);
  for (auto& range: text.authorship(graph)) {
    for (auto typed = range.begin; typed < range.end; ++typed) {
      auto author = graph.nameOf(typed).author;
      auto time = document.timeMsOf(typed);
      bool goesOn =
          !pieces.empty() && pieces.back().author == author && pieces.back().timeMs == time;
      if (!goesOn) pieces.push_back({{Tree::Written{}}, author, time});
      size_t size = 1;  // of the code point
      while (size < rest.size() && (static_cast<uint8_t>(rest[size]) & 0xc0) == 0x80) ++size;
      std::get<Tree::Written>(pieces.back().content.value).text += rest.substr(0, size);
      rest.remove_prefix(size);
    }
  }
  return pieces;
}

}  // namespace hearth::storage
