#pragma once
// One operation on a document. It takes one event, an edit of a text as many as it has code points.

#include "storage/crdt/event-graph.h"
#include "storage/crdt/text-log.h"
#include "storage/crdt/value.h"

namespace hearth::storage {

struct Op {
  enum class Kind : uint8_t {
    PUT,        // map: key, value
    REMOVE,     // map: key
    ADD,        // counter: value is an integer
    INCLUDE,    // set: value
    EXCLUDE,    // set: value
    INSERT,     // list: value, behind `left` and in front of `right`
    MOVE,       // list: element, to between `left` and `right`
    SET,        // list: element, value
    HIDE,       // list: element is deleted
    SHOW,       // list: or comes back
    TYPE,       // text: content at `at`
    ERASE,      // text: `count` code points from `at` on
    BACKSPACE,  // text: those at `at`, `at` - 1 …
  };
  static constexpr uint8_t KINDS = 13;

  // Stands for the document itself, which is a map, and for the ends of a list.
  static constexpr Event ROOT = 0xffff'ffff;
  static constexpr size_t KEY_BYTES_MAX = 1'024;
  static constexpr uint32_t TYPED_MAX = 1 << 20;  // code points
  // Each code point takes an event, and deleting takes no bytes: more is deleted by several operations.
  static constexpr uint32_t ERASED_MAX = 4'096;

  Kind kind;
  Event object = ROOT;
  std::string key{};
  Value value{};
  Event element = ROOT;             // by the event of its INSERT
  Event left = ROOT, right = ROOT;  // places of a list, by the INSERT or MOVE that made them
  uint32_t at = 0, count = 1;
  std::string content{};

  bool operator==(const Op&) const = default;

  // Which of the fields it has; edits of a text have `at` and `count`.
  bool hasKey() const { return kind == Kind::PUT || kind == Kind::REMOVE; }
  bool hasElement() const { return kind >= Kind::MOVE && kind <= Kind::SHOW; }
  bool hasBetween() const { return kind == Kind::INSERT || kind == Kind::MOVE; }
  bool hasValue() const { return kind <= Kind::SET && kind != Kind::REMOVE && kind != Kind::MOVE; }
  bool isOfText() const { return kind >= Kind::TYPE; }

  uint32_t events() const { return isOfText() ? count : 1; }  // how many it takes
  // How many code points an edit may have.
  uint32_t pointsMax() const { return kind == Kind::TYPE ? TYPED_MAX : ERASED_MAX; }
  bool makesContainer() const {
    return (kind == Kind::PUT || kind == Kind::INSERT || kind == Kind::SET) &&
        std::holds_alternative<Container>(value);
  }
};

// Calls take(Event&) for each event that an operation names.
template <typename F>
void eachReference(Op& op, F&& take) {
  for (auto field: {&Op::object, &Op::element, &Op::left, &Op::right}) {
    if (op.*field != Op::ROOT) take(op.*field);
  }
}

// Takes the first events of an edit off. Requires fewer than it has.
void dropFirst(Op& op, uint32_t events);

// Appends an operation, an edit of too many code points as several that do the same.
void appendWithinLimits(std::vector<Op>& ops, Op op);

}  // namespace hearth::storage
