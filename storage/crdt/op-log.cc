#include "storage/crdt/op-log.h"

#include <kj/debug.h>

#include <algorithm>
#include <bit>

namespace hearth::storage {

namespace {

enum class Tag : uint8_t { NOTHING, FALSE, TRUE, INTEGER, REAL, STRING, OCTETS, CONTAINER };

struct ValueWriter {
  VarWriter& out;

  VarWriter& tag(Tag tag) { return out.u8(static_cast<uint8_t>(tag)); }
  void operator()(Nothing) { tag(Tag::NOTHING); }
  void operator()(bool value) { tag(value ? Tag::TRUE : Tag::FALSE); }
  void operator()(int64_t value) { tag(Tag::INTEGER).signedNumber(value); }
  void operator()(double value) {
    tag(Tag::REAL);
    auto bits = std::bit_cast<uint64_t>(value);
    for (int i = 0; i < 8; ++i) out.u8(static_cast<uint8_t>(bits >> (8 * i)));
  }
  void operator()(const std::string& value) { tag(Tag::STRING).bytes(value); }
  void operator()(const Octets& value) { tag(Tag::OCTETS).bytes(value.bytes); }
  void operator()(Container value) { tag(Tag::CONTAINER).u8(static_cast<uint8_t>(value)); }
};

double readReal(VarReader& in) {
  uint64_t bits = 0;
  for (int i = 0; i < 8; ++i) bits |= uint64_t{in.u8()} << (8 * i);
  return std::bit_cast<double>(bits);
}

}  // namespace

void writeValue(VarWriter& out, const Value& value) { std::visit(ValueWriter{out}, value); }

Value readValue(VarReader& in) {
  switch (static_cast<Tag>(in.u8())) {
    case Tag::NOTHING:
      return Nothing();
    case Tag::FALSE:
      return false;
    case Tag::TRUE:
      return true;
    case Tag::INTEGER:
      return in.signedNumber();
    case Tag::REAL:
      return readReal(in);
    case Tag::STRING: {
      auto text = in.bytes(VALUE_BYTES_MAX);
      if (!isUtf8(text)) in.refuse();
      return std::string(text);
    }
    case Tag::OCTETS:
      return Octets{std::string(in.bytes(VALUE_BYTES_MAX))};
    case Tag::CONTAINER: {
      auto container = in.u8();
      if (container >= CONTAINERS) in.refuse();
      return static_cast<Container>(container);
    }
  }
  in.refuse();
  return Nothing();
}

void OpLog::add(Event event, const Op& op) {
  KJ_REQUIRE(!op.isOfText() && (rows.empty() || rows.back().event < event), "an op of no log");
  VarWriter out;
  out.u8(static_cast<uint8_t>(op.kind)).number(op.object);
  if (op.hasKey()) out.bytes(op.key);
  if (op.hasElement()) out.number(op.element);
  if (op.hasBetween()) out.number(op.left).number(op.right);
  if (op.hasValue()) writeValue(out, op.value);
  rows.push_back({event, bytes.size()});
  bytes += out.written();
}

size_t OpLog::firstFrom(Event event) const {
  auto found = std::ranges::lower_bound(rows, event, {}, &Row::event);
  return static_cast<size_t>(found - rows.begin());
}

Op OpLog::opAt(size_t row) const {
  VarReader in(std::string_view(bytes).substr(rows[row].offset));
  Op op{.kind = static_cast<Op::Kind>(in.u8())};
  op.object = static_cast<Event>(in.number());
  if (op.hasKey()) op.key = in.bytes(Op::KEY_BYTES_MAX);
  if (op.hasElement()) op.element = static_cast<Event>(in.number());
  if (op.hasBetween()) {
    op.left = static_cast<Event>(in.number());
    op.right = static_cast<Event>(in.number());
  }
  if (op.hasValue()) op.value = readValue(in);
  KJ_ASSERT(in.good(), "a row of the log that does not read");
  return op;
}

}  // namespace hearth::storage
