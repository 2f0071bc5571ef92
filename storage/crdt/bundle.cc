#include "storage/crdt/bundle.h"

#include "storage/crdt/op-log.h"
#include "storage/crdt/packed.h"
#include "storage/crdt/rope.h"

#include <kj/debug.h>

#include <map>

namespace hearth::storage {

namespace {

constexpr uint8_t VERSION = 1;

// Like stands with like: each field of the operations is a column of its own.
enum Column : size_t {
  KINDS,
  OBJECTS,
  KEYS,
  VALUES,
  REFERENCES,
  POSITIONS,
  COUNTS,
  CONTENT,
  COLUMNS
};

// What both sides know when they come to an operation.
struct Context {
  Event lastObject = Op::ROOT;
  uint32_t position = 0;  // where the next edit of a text is likely to be
  std::string lastKey;

  void moveOn(const Op& op) {
    lastObject = op.object;
    if (op.kind == Op::Kind::TYPE) position = op.at + op.count;
    if (op.kind == Op::Kind::ERASE) position = op.at;
    if (op.kind == Op::Kind::BACKSPACE) position = op.at - op.count + 1;
  }
};

class Writer {
 public:
  std::string write(const Bundle& bundle) {
    VarWriter head;
    head.number(bundle.authors.size());
    for (auto& author: bundle.authors)
      head.raw({reinterpret_cast<const char*>(author.bytes), DeviceId::SIZE});
    head.number(bundle.foreign.size());
    for (auto& event: bundle.foreign) head.number(event.author).number(event.number);
    head.number(bundle.runs.size());
    Event next = static_cast<Event>(bundle.foreign.size());
    for (auto& run: bundle.runs) {
      writeHead(head, run, next);
      for (auto& op: run.ops) {
        writeOp(op, next);
        next += op.events();
      }
    }
    endKinds();
    for (auto& column: columns) head.bytes(column.written());
    return head.finish();
  }

 private:
  VarWriter columns[COLUMNS];
  Context context;
  uint8_t kind = 0;
  uint64_t ofKind = 0;

  static void writeHead(VarWriter& out, const Bundle::Run& run, Event next) {
    out.number(run.author).number(run.number).number(run.parents.size());
    for (auto parent: run.parents) out.number(next - 1 - parent);
    out.number(run.times.size());
    Bundle::Time last{0, 0};
    for (auto& time: run.times) {
      out.number(time.offset - last.offset).signedNumber(time.ms - last.ms);
      last = time;
    }
    out.number(run.ops.size());
  }

  void endKinds() {
    if (ofKind > 0) columns[KINDS].u8(kind).number(ofKind);
    ofKind = 0;
  }

  void reference(Column column, Event event, Event next) {
    columns[column].number(event == Op::ROOT ? 0 : next - event);
  }

  void writeOp(const Op& op, Event next) {
    if (static_cast<uint8_t>(op.kind) != kind) endKinds();
    kind = static_cast<uint8_t>(op.kind);
    ++ofKind;
    if (op.object == context.lastObject) {
      columns[OBJECTS].number(0);
    } else {
      columns[OBJECTS].number(op.object == Op::ROOT ? 1 : 1 + (next - op.object));
    }
    if (op.hasKey()) writeKey(op.key);
    if (op.hasElement()) reference(REFERENCES, op.element, next);
    if (op.hasBetween()) {
      reference(REFERENCES, op.left, next);
      reference(REFERENCES, op.right, next);
    }
    if (op.hasValue()) writeValue(columns[VALUES], op.value);
    if (op.isOfText()) {
      columns[POSITIONS].signedNumber(int64_t{op.at} - int64_t{context.position});
      columns[COUNTS].number(op.count);
      if (op.kind == Op::Kind::TYPE) columns[CONTENT].raw(op.content);
    }
    context.moveOn(op);
  }

  // Keys that follow one another often begin alike.
  void writeKey(const std::string& key) {
    size_t same = 0;
    while (same < key.size() && same < context.lastKey.size() && key[same] == context.lastKey[same])
      ++same;
    columns[KEYS].number(same).bytes(std::string_view(key).substr(same));
    context.lastKey = key;
  }
};

class Reader {
 public:
  explicit Reader(std::string_view raw): head(raw) {}

  Result<Bundle> read() {
    readNames();
    readHeads();
    for (auto& column: columns) column = VarReader(head.bytes(Bundle::UNPACKED_MAX));
    content = columns[CONTENT].raw(columns[CONTENT].remaining());
    if (!isUtf8(content)) head.refuse();
    Event next = static_cast<Event>(bundle.foreign.size());
    for (size_t i = 0; i < bundle.runs.size() && isGood(); ++i) {
      for (size_t k = 0; k < counts[i] && isGood(); ++k) {
        auto op = readOp(next);
        if (op.events() > EVENTS_MAX - next) head.refuse();
        next += op.events();
        bundle.runs[i].ops.push_back(kj::mv(op));
      }
      if (bundle.runs[i].ops.empty()) head.refuse();
    }
    bool allRead = head.atEnd() && content.empty() && ofKind == 0;
    for (auto& column: columns) allRead = allRead && column.atEnd();
    if (!isGood() || !allRead || !headsFit())
      return no(Errc::BAD_FORMAT, "a bundle that does not read");
    return kj::mv(bundle);
  }

 private:
  VarReader head;
  VarReader columns[COLUMNS]{VarReader({}), VarReader({}), VarReader({}), VarReader({}),
      VarReader({}), VarReader({}), VarReader({}), VarReader({})};
  std::string_view content;
  std::vector<size_t> counts;  // of operations, by run
  size_t ops = 0;
  Bundle bundle;
  Context context;
  uint8_t kind = 0;
  uint64_t ofKind = 0;

  bool isGood() const {
    for (auto& column: columns) {
      if (!column.good()) return false;
    }
    return head.good();
  }

  // A count of things that take a byte each at least, so that a lie is refused before memory is taken.
  size_t count(size_t most) { return head.number(kj::min(most, head.remaining())); }

  void readNames() {
    for (auto n = count(EventGraph::AUTHORS_MAX); n > 0 && head.good(); --n) {
      auto id = head.raw(DeviceId::SIZE);
      auto bytes = kj::arrayPtr(reinterpret_cast<const kj::byte*>(id.data()), id.size());
      bundle.authors.push_back(DeviceId::from(bytes).value_or(DeviceId()));
    }
    for (auto n = count(Bundle::FOREIGN_MAX); n > 0 && head.good(); --n) {
      auto author = readAuthor();
      bundle.foreign.push_back({author, static_cast<uint32_t>(head.number(EVENTS_MAX))});
    }
  }

  uint32_t readAuthor() {
    auto author = head.number();
    if (author >= bundle.authors.size()) head.refuse();
    return static_cast<uint32_t>(author);
  }

  // Parents and times are checked when it is known how many events come before (headsFit).
  void readHeads() {
    for (auto n = count(Bundle::RUNS_MAX); n > 0 && head.good(); --n) {
      Bundle::Run run{};
      run.author = readAuthor();
      run.number = static_cast<uint32_t>(head.number(EVENTS_MAX));
      for (auto p = head.number(EventGraph::PARENTS_MAX); p > 0 && head.good(); --p)
        run.parents.push_back(static_cast<Event>(head.number(EVENTS_MAX)));
      Bundle::Time time{0, 0};
      for (auto t = count(Bundle::OPS_MAX); t > 0 && head.good(); --t) {
        time.offset += static_cast<uint32_t>(head.number(EVENTS_MAX));
        time.ms = static_cast<int64_t>(
            static_cast<uint64_t>(time.ms) + static_cast<uint64_t>(head.signedNumber()));
        run.times.push_back(time);
      }
      counts.push_back(head.number(Bundle::OPS_MAX));
      ops += counts.back();
      if (ops > Bundle::OPS_MAX) head.refuse();
      bundle.runs.push_back(kj::mv(run));
    }
  }

  // Parents were read as distances.
  bool headsFit() {
    auto next = static_cast<Event>(bundle.foreign.size());
    for (auto& run: bundle.runs) {
      for (size_t i = 0; i < run.parents.size(); ++i) {
        if (run.parents[i] >= next) return false;
        run.parents[i] = next - 1 - run.parents[i];
        if (i > 0 && run.parents[i - 1] >= run.parents[i]) return false;
      }
      auto events = run.events();
      for (size_t i = 0; i < run.times.size(); ++i) {
        bool ascends = i == 0 || run.times[i - 1].offset < run.times[i].offset;
        if (!ascends || run.times[i].offset >= events) return false;
      }
      next += events;
    }
    return true;
  }

  Event reference(Event next) {
    auto distance = columns[REFERENCES].number(next);
    return distance == 0 ? Op::ROOT : next - static_cast<Event>(distance);
  }

  Op readOp(Event next) {
    if (ofKind == 0) {
      kind = columns[KINDS].u8();
      ofKind = columns[KINDS].number();
      if (kind >= Op::KINDS || ofKind == 0) columns[KINDS].refuse();
    }
    --ofKind;
    if (!columns[KINDS].good()) return {.kind = Op::Kind::REMOVE};
    Op op{.kind = static_cast<Op::Kind>(kind)};
    auto object = columns[OBJECTS].number(uint64_t{next} + 1);
    op.object = object == 0 ? context.lastObject
        : object == 1       ? Op::ROOT
                            : next - static_cast<Event>(object - 1);
    if (op.hasKey()) op.key = readKey();
    if (op.hasElement()) op.element = reference(next);
    if (op.hasBetween()) {
      op.left = reference(next);
      op.right = reference(next);
    }
    if (op.hasValue()) op.value = readValue(columns[VALUES]);
    if (op.isOfText()) readEdit(op);
    context.moveOn(op);
    return op;
  }

  std::string readKey() {
    auto same = columns[KEYS].number(context.lastKey.size());
    auto rest = columns[KEYS].bytes(Op::KEY_BYTES_MAX - kj::min(same, Op::KEY_BYTES_MAX));
    auto key = context.lastKey.substr(0, same).append(rest);
    if (!isUtf8(key)) columns[KEYS].refuse();
    context.lastKey = key;
    return key;
  }

  void readEdit(Op& op) {
    auto at = int64_t{context.position} + columns[POSITIONS].signedNumber();
    op.count = static_cast<uint32_t>(columns[COUNTS].number(EVENTS_MAX));
    bool back = op.kind == Op::Kind::BACKSPACE;
    bool fits = at >= 0 && at < EVENTS_MAX && op.count > 0 &&
        (back ? op.count <= at + 1 : op.count < EVENTS_MAX - at);
    if (!fits) {
      columns[POSITIONS].refuse();
      return;
    }
    op.at = static_cast<uint32_t>(at);
    if (op.kind != Op::Kind::TYPE) return;
    auto bytes = bytesOf(content, op.count);
    op.content = content.substr(0, bytes);
    content.remove_prefix(bytes);
    if (codePoints(op.content) != op.count) columns[CONTENT].refuse();
  }
};

}  // namespace

uint32_t Bundle::Run::events() const {
  uint32_t count = 0;
  for (auto& op: ops) count += op.events();
  return count;
}

kj::Array<kj::byte> encode(const Bundle& bundle, Packing packing) {
  auto bytes = packed(Writer().write(bundle), static_cast<int>(packing));
  auto out = kj::heapArray<kj::byte>(bytes.size() + 1);
  out[0] = VERSION;
  memcpy(out.begin() + 1, bytes.data(), bytes.size());
  return out;
}

Result<Bundle> readBundle(kj::ArrayPtr<const kj::byte> bytes) {
  if (bytes.size() == 0) return no(Errc::BAD_FORMAT, "an empty bundle");
  if (bytes.size() > Bundle::BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a bundle of more than 16 MiB");
  if (bytes[0] != VERSION) return no(Errc::BAD_VERSION, "a bundle of a later version of Hearth");
  std::string_view rest(reinterpret_cast<const char*>(bytes.begin()) + 1, bytes.size() - 1);
  auto raw = unpacked(rest, Bundle::UNPACKED_MAX);
  if (!raw) return no(raw.error());
  return Reader(*raw).read();
}

}  // namespace hearth::storage
