#include "storage/crdt/tree.h"

namespace hearth::storage {

namespace {

// Containers nest at most Document::DEPTH_MAX deep, so this does not run away.
struct Grower {
  Document& document;

  Tree grown(const Place& place) {
    auto& shown = place.shown();
    if (std::holds_alternative<Container>(shown.value)) return grown(shown.event);
    return plain(shown.value);
  }

  static Tree plain(const Value& value) {
    return std::visit(
        [](auto& content) -> Tree {
          if constexpr (std::is_same_v<decltype(content), const Container&>) {
            KJ_UNREACHABLE;
          } else {
            return {content};
          }
        },
        value);
  }

  Tree grown(Event container) {
    return std::visit([this](auto& state) { return of(state); }, document.object(container).state);
  }

  Tree of(Map& map) {
    Tree::Map grownMap;
    for (auto& [key, place]: map.places()) grownMap.emplace(key, grown(place));
    return {kj::mv(grownMap)};
  }
  Tree of(List& list) {
    Tree::List grownList;
    for (auto element: list.elements()) grownList.push_back(grown(list.find(element)->value));
    return {kj::mv(grownList)};
  }
  Tree of(Text& text) { return {Tree::Written{text.text()}}; }
  Tree of(Counter& counter) { return {Tree::Counted{counter.total()}}; }
  Tree of(Set& set) {
    Tree::Members members;
    for (auto& value: set.values()) members.values.push_back(plain(value));
    return {kj::mv(members)};
  }
};

}  // namespace

Tree treeOf(Document& document) { return treeOf(document, Op::ROOT); }

Tree treeOf(Document& document, Event container) { return Grower{document}.grown(container); }

Tree treeOf(Document& document, const Place& place) { return Grower{document}.grown(place); }

}  // namespace hearth::storage
