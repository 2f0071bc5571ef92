#include "storage/sync/reconciler.h"

#include "crypto/primitives/hash.h"

#include <algorithm>
#include <map>

namespace hearth::storage {

namespace {

constexpr uint64_t NO_TIME = ItemSet::TIME_MAX;

// Beyond every name: names are bound to be earlier.
ItemName endOfAll() { return {NO_TIME, {}}; }

crypto::Bytes bytesOf(const ItemSum& sum) {
  return kj::arrayPtr(reinterpret_cast<const kj::byte*>(&sum), sizeof(sum));
}
static_assert(sizeof(ItemSum) == 40);

}  // namespace

struct Reconciler::Range {
  Mode mode;
  ItemName bound;
  std::array<kj::byte, FINGERPRINT_BYTES> fingerprint{};
  std::vector<Short> names;
};

// Writes a message. Ranges of which there is nothing to say become one with the next, or nothing.
class Reconciler::Out {
 public:
  bool isFull() const { return out.size() > MESSAGE_BYTES_MAX - RESERVE_BYTES; }

  void skip(const ItemName& bound) { skipped = bound; }

  VarWriter& range(Mode mode, const ItemName& bound) {
    if (skipped != from) head(Mode::SKIP, skipped);
    head(mode, bound);
    skipped = bound;
    return out;
  }

  kj::Array<kj::byte> finish() {
    auto bytes = out.finish();
    return kj::heapArray<kj::byte>(reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size());
  }

 private:
  VarWriter out;
  ItemName from, skipped;

  // A bound is its time, as the distance from the one before, and as much of the id as tells them apart.
  void head(Mode mode, const ItemName& bound) {
    out.u8(static_cast<uint8_t>(mode));
    if (bound.time == NO_TIME) {
      out.number(0);
    } else {
      size_t length = DeviceId::SIZE;
      while (length > 0 && bound.id.bytes[length - 1] == 0) --length;
      out.number(bound.time - from.time + 1);
      out.bytes({reinterpret_cast<const char*>(bound.id.bytes), length});
    }
    from = bound;
  }
};

std::array<kj::byte, Reconciler::FINGERPRINT_BYTES> Reconciler::fingerprint(
    size_t begin, size_t end) const {
  auto sum = set.sum(begin, end);
  auto mac = crypto::mac16(salt.asBytes(), "hearth/range/v1", {bytesOf(sum)});
  std::array<kj::byte, FINGERPRINT_BYTES> out;
  std::ranges::copy_n(mac.bytes, FINGERPRINT_BYTES, out.begin());
  return out;
}

Reconciler::Short Reconciler::shortOf(const ItemName& name) const {
  auto mac = crypto::mac16(salt.asBytes(), "hearth/short/v1", {name.id.asBytes()});
  Short out;
  std::ranges::copy_n(mac.bytes, SHORT_BYTES, out.begin());
  return out;
}

// The shortest name that is beyond the one before `rank` and not beyond the one there.
ItemName Reconciler::boundAt(size_t rank) const {
  auto& name = set.at(rank);
  auto& last = set.at(rank - 1);
  if (last.time != name.time) return {name.time, {}};
  size_t same = 0;
  while (last.id.bytes[same] == name.id.bytes[same]) ++same;
  ItemName bound{name.time, {}};
  std::ranges::copy_n(name.id.bytes, static_cast<ptrdiff_t>(same) + 1, bound.id.bytes);
  return bound;
}

kj::Array<kj::byte> Reconciler::begin() {
  Out out;
  if (set.size() <= LIST_MAX) {
    list(out, 0, set.size(), endOfAll());
  } else {
    cut(out, 0, set.size(), endOfAll(), FIRST_PARTS);
  }
  return out.finish();
}

void Reconciler::cut(
    Out& out, size_t begin, size_t end, const ItemName& bound, size_t parts) const {
  auto count = end - begin;
  for (size_t i = 0; i < parts; ++i) {
    auto first = begin + count * i / parts, last = begin + count * (i + 1) / parts;
    auto print = fingerprint(first, last);
    out.range(Mode::FINGERPRINT, i + 1 == parts ? bound : boundAt(last))
        .raw({reinterpret_cast<const char*>(print.data()), print.size()});
  }
}

void Reconciler::list(Out& out, size_t begin, size_t end, const ItemName& bound) const {
  auto& range = out.range(Mode::HOLDS, bound).number(end - begin);
  for (auto rank = begin; rank < end; ++rank) {
    auto name = shortOf(set.at(rank));
    range.raw({reinterpret_cast<const char*>(name.data()), name.size()});
  }
}

Result<Reconciler::Step> Reconciler::received(kj::ArrayPtr<const kj::byte> message) {
  if (++rounds > ROUNDS_MAX) return no(Errc::LIMIT_EXCEEDED, "a reconciliation without end");
  if (message.size() > MESSAGE_BYTES_MAX)
    return no(Errc::BAD_FORMAT, "a message of too many ranges");
  VarReader in({reinterpret_cast<const char*>(message.begin()), message.size()});
  Out out;
  Step step;
  ItemName from;
  size_t begin = 0;
  while (!in.atEnd()) {
    auto range = readRange(in, from);
    if (!range) return no(range.error());
    auto end = range->bound.time == NO_TIME ? set.size() : set.rankOf(range->bound);
    if (out.isFull()) {
      // The rest another time: whether it is equal can be said in one.
      auto print = fingerprint(begin, set.size());
      out.range(Mode::FINGERPRINT, endOfAll())
          .raw({reinterpret_cast<const char*>(print.data()), print.size()});
      break;
    }
    compare(out, *range, begin, end, step);
    from = range->bound;
    begin = end;
  }
  step.reply = out.finish();
  return step;
}

Result<Reconciler::Range> Reconciler::readRange(VarReader& in, const ItemName& from) const {
  Range range{};
  auto mode = in.u8();
  range.mode = static_cast<Mode>(mode);
  auto distance = in.number();
  range.bound = endOfAll();
  if (distance > 0) {
    auto id = in.bytes(Digest::SIZE);
    range.bound = {from.time + distance - 1, {}};
    std::ranges::copy(id, reinterpret_cast<char*>(range.bound.id.bytes));
  }
  bool ascends = from.time != NO_TIME &&
      (distance == 0 || (distance <= NO_TIME - from.time && range.bound > from));
  if (!in.good() || mode > static_cast<uint8_t>(Mode::WANTS) || !ascends)
    return no(Errc::BAD_FORMAT, "a range that does not follow the one before");
  if (range.mode == Mode::FINGERPRINT) {
    std::ranges::copy(in.raw(FINGERPRINT_BYTES), reinterpret_cast<char*>(range.fingerprint.data()));
  } else if (range.mode != Mode::SKIP) {
    range.names.resize(in.number(LIST_MAX));
    for (auto& name: range.names)
      std::ranges::copy(in.raw(SHORT_BYTES), reinterpret_cast<char*>(name.data()));
  }
  if (!in.good()) return no(Errc::BAD_FORMAT, "a range that ends too early");
  return range;
}

void Reconciler::compare(Out& out, const Range& range, size_t begin, size_t end, Step& step) const {
  auto count = end - begin;
  switch (range.mode) {
    case Mode::SKIP:
      return out.skip(range.bound);
    case Mode::FINGERPRINT:
      if (fingerprint(begin, end) == range.fingerprint) return out.skip(range.bound);
      if (count <= LIST_MAX) return list(out, begin, end, range.bound);
      return cut(out, begin, end, range.bound, PARTS);
    case Mode::WANTS:
      wanted(range, begin, end, step);
      return out.skip(range.bound);
    case Mode::HOLDS:
      break;
  }
  if (range.names.empty()) {
    for (auto rank = begin; rank < end; ++rank) step.send.push_back(set.at(rank));
    return out.skip(range.bound);
  }
  // Few names for many of ours: smaller ranges tell more.
  if (count > LISTED_MAX) return cut(out, begin, end, range.bound, PARTS);
  std::map<Short, size_t> ours;
  for (auto rank = begin; rank < end; ++rank) ours.emplace(shortOf(set.at(rank)), rank);
  std::vector<Short> lacking;
  for (auto& name: range.names) {
    if (ours.erase(name) == 0) lacking.push_back(name);
  }
  std::vector<size_t> ranks;
  for (auto& [name, rank]: ours) ranks.push_back(rank);
  std::ranges::sort(ranks);
  for (auto rank: ranks) step.send.push_back(set.at(rank));
  if (lacking.empty()) return out.skip(range.bound);
  auto& reply = out.range(Mode::WANTS, range.bound).number(lacking.size());
  for (auto& name: lacking) reply.raw({reinterpret_cast<const char*>(name.data()), name.size()});
}

void Reconciler::wanted(const Range& range, size_t begin, size_t end, Step& step) const {
  if (end - begin > LISTED_MAX) return;  // asked of what was never listed
  std::map<Short, size_t> ours;
  for (auto rank = begin; rank < end; ++rank) ours.emplace(shortOf(set.at(rank)), rank);
  for (auto& name: range.names) {
    auto found = ours.find(name);
    if (found == ours.end()) continue;
    step.send.push_back(set.at(found->second));
    ours.erase(found);
  }
}

}  // namespace hearth::storage
