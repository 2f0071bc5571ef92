// Seeds of what is stored: blobs, documents, and what is said and typed about them.

#include "storage/blob/messages.h"
#include "storage/blob/sealed-file.h"
#include "storage/crdt/document.h"
#include "storage/sync/reconciler.h"
#include "tests/fuzz/seeds.h"

namespace hearth::fuzz {

void blobHeader(const Corpus& corpus) {
  storage::SealedHeader header;
  corpus.add("header", 0, header.encode());
  auto changed = [&](const char* name, uint16_t begin, uint16_t count, Bytes damage) {
    FlatWriter out;
    corpus.add(name, 1, out.u16(begin).u16(count).bytes(damage));
  };
  changed("whole-file", 0, 0xffff, undamaged());
  changed("wrapped-key", 0, 100, oneByte(60, 1));
  changed("first-chunk", 0xfff0, 1'000, oneByte(200, 1));
  FlatWriter cut;
  changed("cut", 0, 10, cut.u8(0).u8(9).var8(nullptr).asBytes());
}

void blobs(const Corpus& corpus) {
  using namespace storage;
  BlobNode node;
  for (size_t i = 0; i < CHILDREN_MIN; ++i) node.children.push_back({{}, CHUNK_BYTES_MIN});
  corpus.add("reference", 0, BlobRef{1, {{}, 900'000}}.encode());
  FlatWriter chunks, nodes;
  corpus.add("node-of-chunks", 1,
      chunks.u8(1).u8(0).u64(CHILDREN_MIN * CHUNK_BYTES_MIN).bytes(node.encode()));
  node.level = 2;
  corpus.add("node-of-nodes", 1,
      nodes.u8(2).u8(1).u64(CHILDREN_MIN * CHUNK_BYTES_MIN).bytes(node.encode()));
  AskParts ask{{{{}, 1, 0, 0}, {{}, 2, 1, 70'000}}};
  corpus.add("ask", 2, encode(ask));
  corpus.add("parts", 2, encode(GiveParts{{{1, "bytes"_kj.asBytes()}, {2, nullptr}}}));
  corpus.add("lacks", 2, encode(LackParts{{1, 2, 3}}));
  corpus.add("busy", 2, encode(BusyParts{{4}}));
  corpus.add("has", 2, encode(HasParts{{ContentId()}}));
  FlatWriter honest, hostile, serving;
  honest.u8(1).u8(2).u8(0).u8(0x80);
  for (int i = 0; i < 12; ++i) honest.u8(5).u8(0x85);
  corpus.add("fetch-honest", 3, honest);
  hostile.u8(1).u8(1).u8(0).u8(4).bytes(oneByte(30, 1)).u8(0x80).u8(3).u16(4'000);
  hostile.u8(0x82).var16(encode(LackParts{{1, 2}})).u8(2).var16(encode(BusyParts{{1, 2, 3}}));
  hostile.u8(1).u8(0).u8(3).u16(31'000).u8(6).u8(5).u8(0x85);
  corpus.add("fetch-hostile", 3, hostile);
  corpus.add("serve", 4, serving.var16(encode(ask)).u8(1).var16(encode(ask)).u8(0));
}

// What a second device makes of a document, by itself and after a first.
void documents(const Corpus& corpus) {
  using namespace storage;
  DeviceId one, other;
  one.bytes[0] = 1;
  other.bytes[0] = 2;
  Document document;
  std::vector<storage::Op> begin, change;
  for (uint8_t kind = 0; kind < CONTAINERS; ++kind)
    begin.push_back({.kind = storage::Op::Kind::PUT,
        .key = std::string(1, static_cast<char>('a' + kind)),
        .value = static_cast<Container>(kind)});
  begin.push_back({.kind = storage::Op::Kind::INSERT, .object = 1, .value = int64_t{7}});
  begin.push_back({.kind = storage::Op::Kind::TYPE, .object = 2, .count = 5, .content = "Größe"});
  KJ_REQUIRE(document.commit(one, begin, 1'000).has_value());
  auto known = document.graph().version();
  for (auto kind: {storage::Op::Kind::SET, storage::Op::Kind::HIDE, storage::Op::Kind::SHOW})
    change.push_back({.kind = kind, .object = 1, .value = 2.5, .element = 5});
  change.push_back({.kind = storage::Op::Kind::MOVE, .object = 1, .element = 5, .left = 5});
  change.push_back(
      {.kind = storage::Op::Kind::TYPE, .object = 2, .at = 2, .count = 2, .content = "xy"});
  change.push_back({.kind = storage::Op::Kind::BACKSPACE, .object = 2, .at = 3, .count = 2});
  change.push_back({.kind = storage::Op::Kind::ERASE, .object = 2, .at = 0, .count = 1});
  change.push_back({.kind = storage::Op::Kind::ADD, .object = 3, .value = int64_t{-3}});
  change.push_back({.kind = storage::Op::Kind::INCLUDE, .object = 4, .value = true});
  change.push_back({.kind = storage::Op::Kind::EXCLUDE, .object = 4, .value = Octets{"bytes"}});
  change.push_back({.kind = storage::Op::Kind::REMOVE, .key = "a"});
  KJ_REQUIRE(document.commit(other, change, 2'000).has_value());
  auto whole = encode(document.since({})[0]);
  auto later = encode(document.since(known)[0]);
  corpus.add("whole", 0, whole);
  corpus.add("beside", 1, later);
  FlatWriter both;
  both.var16(later).bytes(later);
  corpus.add("concurrent", 2, both);
}

// First messages of peers that have nothing, little, and something else.
void reconcile(const Corpus& corpus) {
  using namespace storage;
  ItemSet little, other;
  for (uint32_t i = 0; i < 400; ++i) {
    ItemName name{i, {}};
    name.id.bytes[i % 32] = static_cast<kj::byte>(i);
    if (i < 10) little.insert(name);
    other.insert(name);
  }
  auto first = [](const ItemSet& set) { return Reconciler(set, {}).begin(); };
  FlatWriter toLarge, toSmall;
  toLarge.u8(2).var16(first({})).var16(first(little)).var16(first(other));
  toSmall.u8(1).var16(first({})).var16(first(little)).var16(first(other));
  corpus.add("to-large", 0, toLarge);
  corpus.add("to-small", 0, toSmall);
  corpus.add("honest", 1, FlatWriter());
  FlatWriter damage;
  damage.bytes(undamaged()).bytes(oneByte(3, 1)).bytes(oneByte(20, 0x80));
  corpus.add("damaged", 1, damage);
}

// What a file says that uses every part of the syntax, and paths that it is about.
void ignore(const Corpus& corpus) {
  auto add = [](FlatWriter& out, kj::StringPtr text) { out.var8(text.asBytes()); };
  FlatWriter ask;
  ask.var16(
      "# all of it\n*.o\n!keep.o\n/top\nout/\na/**/b\n**/c\nd/**\n[a-c]?\n[[:digit:]_]\n\\#x\ny\\ \n"_kj
          .asBytes());
  ask.var16("!*\n/a*z\r\n[!a]\n[]]\n"_kj.asBytes());
  for (auto path: {"a.o", "d/keep.o", "top", "out/x", "a/x/y/b", "d/e/f", "d/a-z", "#x", "y ", "7"})
    add(ask, path);
  corpus.add("ask", 0, ask);
  FlatWriter compare;
  add(compare, "a/**/b*/**");
  add(compare, "a/x/b1/y");
  corpus.add("compare", 1, compare);
}

// An item, and queries that use every part of the syntax, or seem to use another one's.
void find(const Corpus& corpus) {
  auto add = [&corpus](const char* name, std::string_view typed) {
    FlatWriter out;
    out.var16("Einkauf für New York"_kj.asBytes());
    out.var16("Crème brûlée, milk and e-mail; 東京タワー 2024\nmilk in New York\xc3"_kj.asBytes());
    out.bytes(kj::arrayPtr(typed.data(), typed.size()).asBytes());
    corpus.add(name, 0, out);
  };
  add("words", "milk creme 2024");
  add("phrases", "\"new york\" \"milk and\"* -\"e mail\" -bread");
  add("beginnings", "mil* 東* e-m*");
  add("operators", "milk AND (bread OR NOT NEAR(a b, 2)) title : ^x + {text} : \"\"\" ***");
  add("no-text", std::string_view("\0\xff\xfe milk\0bread \xc3", 17));
}

}  // namespace hearth::fuzz
