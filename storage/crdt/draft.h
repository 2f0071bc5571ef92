#pragma once
// Operations in the making: what a document has to be told to become something else. What is there already
// stays, so that what others do to it meanwhile is not lost.

#include "storage/crdt/document.h"
#include "storage/crdt/paths.h"

#include <kj/function.h>

namespace hearth::storage {

class Draft final {
 public:
  // The document outlives the draft, and does not change before the operations are committed.
  explicit Draft(Document& document): document(document), next(document.graph().size()) {}

  // What is at the path becomes that. Maps on the way there are made; "-" is behind a list's last element.
  // Where a plain value stands for a text, a counter or a set that is there, that is changed.
  // Errors: BAD_FORMAT when there is no such place.
  Result<void> set(const Path& path, const Tree& target);
  // Errors: BAD_FORMAT when nothing is there.
  Result<void> remove(const Path& path);
  // Code points of a text.
  Result<void> edit(const Path& path, uint32_t at, uint32_t erased, std::string_view typed);
  Result<void> add(const Path& path, int64_t count);  // to a counter
  // Of a set: `value` is a plain one.
  Result<void> include(const Path& path, const Tree& value, bool included);
  Result<void> move(
      const Path& from, uint32_t to);  // an element of a list, to an index that it then has

  // The same, of what has no path.
  void put(Event map, const std::string& key, const Tree& target);
  void setElement(Event list, Event element, const Tree& target);
  Event insert(Event list, List::Between where, const Tree& target);
  // The same, whatever is there.
  void replace(Event map, const std::string& key, const Tree& target);
  void replaceElement(Event list, Event element, const Tree& target);

  Event say(Op op);
  const std::vector<Op>& ops() const { return all; }

 private:
  struct Spot;  // a place in a container

  Document& document;
  std::vector<Op> all;
  Event next;  // of the next operation

  Result<Spot> find(const Path& path, bool makeMaps);
  Result<Event> containerAt(const Path& path, Container kind, kj::StringPtr otherwise);
  void fill(Event object, const Tree& content);
  void become(const Place& place, const Tree& target, kj::FunctionParam<void()> replace);
  void becomeMap(Event object, const Tree::Map& target);
  void becomeList(Event object, const Tree::List& target);
  void becomeText(Event object, std::string_view target);
  void becomeSet(Event object, const std::vector<Tree>& target);
};

// What somebody has made of what was at the path in a version, with what others have changed there since.
// `stranger`: an author that the document does not have.
// Errors: those of Draft::set.
Result<Tree> merged(Document& now, const Version& since, const Path& path, const Tree& made,
    const DeviceId& stranger);

}  // namespace hearth::storage
