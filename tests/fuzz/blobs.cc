// Blobs from hostile peers: references and nodes, messages, and a fetch from peers that say anything at all or are
// honest but for some bytes. What a fetch takes is what the tree says, whoever sent it.

#include "storage/blob/at-once.h"
#include "storage/blob/cutter.h"
#include "tests/fuzz/target.h"

#include <map>

namespace hearth::fuzz {
namespace {

using namespace storage;

constexpr size_t BLOB_BYTES = 700'000;

// A blob of some forty chunks and a small one, as an honest peer has them.
struct Origin final: public PartSource {
  std::map<ContentId, BlobRef> refs;
  std::map<std::tuple<ContentId, uint8_t, uint64_t>, Buffer> parts;

  Origin() {
    for (size_t size: {BLOB_BYTES, size_t{900}}) add(size);
  }
  static Origin& get() {
    static Origin origin;
    return origin;
  }
  kj::Maybe<Buffer> part(const ContentId& content, uint8_t level, uint64_t offset) override {
    auto found = parts.find({content, level, offset});
    if (found == parts.end()) return nullptr;
    return kj::heapArray<kj::byte>(found->second.asPtr());
  }

 private:
  void add(size_t size) {
    auto bytes = kj::heapArray<kj::byte>(size);
    uint32_t word = 1;
    for (auto& byte: bytes)
      byte = static_cast<kj::byte>((word = word * 1'664'525 + 1'013'904'223) >> 24);
    Gear gear(
        ChunkKey::make([](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), 1, out.size()); }));
    std::vector<Cut> cuts;
    Buffer top;
    BlobCutter cutter(
        gear, [&](const Cut& cut) { cuts.push_back(cut); },
        [&](const Digest&, Bytes encoded) { top = kj::heapArray<kj::byte>(encoded); });
    cutter.add(bytes);
    auto ref = cutter.finish();
    expect(ref.level <= 1);
    auto content = ref.contentId();
    refs[content] = ref;
    for (auto& cut: cuts)
      parts[{content, 0, cut.offset}] =
          kj::heapArray<kj::byte>(bytes.slice(cut.offset, cut.offset + cut.chunk.length));
    if (ref.level == 1) parts[{content, 1, 0}] = kj::mv(top);
  }
};

struct Nothing final: public Holdings {
  kj::Maybe<Buffer> node(const Digest&) override { return nullptr; }
  bool hasChunk(const ContentId&, uint64_t, const Child&) override { return false; }
};

void reference(FlatReader& in) {
  auto bytes = in.remaining();
  if (auto ref = BlobRef::parse(bytes)) expect(ref->encode() == bytes);
}

// A node under the hash that it has: what its author may write.
void node(FlatReader& in) {
  Expected expected{in.u8(), {}, (in.u8() & 1) != 0};
  if (expected.level == 0 || expected.level > LEVEL_MAX) return;
  expected.part.length = in.u64();
  auto bytes = in.remaining();
  expected.part.hash = hashOfNode(bytes);
  auto read = verifyNode(expected, bytes);
  if (!read) return;
  expect(read->encode() == bytes);
  uint64_t sum = 0;
  for (auto& child: read->children) sum += child.length;
  expect(sum == expected.part.length);
}

void message(FlatReader& in) {
  auto bytes = in.remaining();
  auto parsed = parseBlobMessage(bytes);
  if (!parsed) return;
  // Groups may be split otherwise, everything else has one form.
  if (auto ask = std::get_if<AskParts>(&*parsed)) expect(ask->parts.size() <= ASKED_MAX);
  if (auto parts = std::get_if<GiveParts>(&*parsed)) expect(encode(*parts) == bytes);
  if (auto lacks = std::get_if<LackParts>(&*parsed)) expect(encode(*lacks) == bytes);
  if (auto busy = std::get_if<BusyParts>(&*parsed)) expect(encode(*busy) == bytes);
  if (auto has = std::get_if<HasParts>(&*parsed)) expect(encode(*has) == bytes);
}

void checked(BlobFetcher::Effects& effects) {
  for (auto& here: effects.here) {
    auto& honest = Origin::get().parts.at({here.content, here.level, here.offset});
    expect(here.bytes == honest);
  }
}

// Events in any order; answers are honest, damaged, or anything.
void fetch(FlatReader& in) {
  auto& origin = Origin::get();
  Nothing nothing;
  BlobFetcher fetcher;
  BlobServer servers[2];
  auto now = kj::origin<kj::TimePoint>() + 1 * kj::SECONDS;
  for (auto& [content, ref]: origin.refs) expect(fetcher.want(ref, in.u8(), {}).has_value());
  for (int step = 0; step < 200 && in.good() && in.remaining().size() > 0; ++step) {
    auto event = in.u8();
    auto peer = static_cast<uint32_t>(event >> 7);
    switch (event % 8) {
      case 0:
        fetcher.peerHere(peer, now);
        break;
      case 1:
        fetcher.peerGone(peer);
        break;
      case 2:
        fetcher.received(peer, in.var16(), now);
        break;
      case 3:
        now += in.u16() * kj::MILLISECONDS;
        fetcher.tick(now);
        break;
      case 4:
        KJ_IF_MAYBE(answer, nextAtOnce(servers[peer], origin, now))
          fetcher.received(peer, damaged(*answer, in), now);
        break;
      case 5:
        KJ_IF_MAYBE(answer, nextAtOnce(servers[peer], origin, now))
          fetcher.received(peer, *answer, now);
        break;
      case 6:
        fetcher.peerHas(peer, origin.refs.begin()->first);
        break;
      case 7:
        fetcher.forget(in.id<ContentId>());
        break;
    }
    auto effects = takeAtOnce(fetcher, nothing, now);
    checked(effects);
    for (auto& sent: effects.send) {
      auto ask = std::get<AskParts>(parseBlobMessage(sent.message).value());
      expect(ask.parts.size() > 0);
      if (!servers[sent.peer].received(ask, now)) return;
    }
    fetcher.next();
    fetcher.stuck();
  }
}

// Whatever is asked, answers fit their limits and come to an end.
void serve(FlatReader& in) {
  BlobServer server;
  auto now = kj::origin<kj::TimePoint>() + 1 * kj::SECONDS;
  while (in.good() && in.remaining().size() > 0) {
    auto parsed = parseBlobMessage(in.var16());
    if (!parsed || !std::holds_alternative<AskParts>(*parsed)) continue;
    if (!server.received(std::get<AskParts>(*parsed), now)) return;
    for (auto turns = in.u8() % 4; turns > 0; --turns) {
      KJ_IF_MAYBE(answer, nextAtOnce(server, Origin::get(), now))
        expect(parseBlobMessage(*answer).has_value());
    }
  }
  for (size_t turns = 0; !server.isIdle(); ++turns) {
    expect(turns < 10 * ASKED_MAX);
    nextAtOnce(server, Origin::get(), now);
  }
}

constexpr void (*WAYS[])(FlatReader&) = {reference, node, message, fetch, serve};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
