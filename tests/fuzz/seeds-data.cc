// Seeds of what is said about folders and documents.

#include "storage/folder/record.h"
#include "tests/fuzz/seeds.h"

#include <string>

namespace hearth::fuzz {

namespace {

Bytes bytesOf(const std::string& text) { return kj::arrayPtr(text.data(), text.size()).asBytes(); }

}  // namespace

void folder(const Corpus& corpus) {
  using namespace storage;
  auto path = [](const char* text) { return FolderPath::parse(text).value(); };
  DeviceId one, other;
  one.bytes[0] = 1;
  other.bytes[0] = 2;
  PathState file{.kind = PathState::Kind::FILE,
      .attributes = {.mode = 0644, .modifiedNs = 1'700'000'000'000'000'001},
      .content = {1, {{}, 900'000}}};
  file.attributes.extended = {{"user.a", "1"}, {"user.b", ""}};
  PathState directory{.kind = PathState::Kind::DIRECTORY, .attributes = {.mode = 0755}};
  PathState link{.kind = PathState::Kind::SYMLINK, .target = "../there"};
  std::vector<FolderRecord> records{{path("d"), directory, {}},
      {path("d/file"), file, {{one, 3, 0}, {other, 700, 1'000}}},
      {path("link"), link, {{one, 4, 1}}}, {path("gone"), {}, {{other, 5, 2}}}};
  corpus.add("records", 0, bytesOf(encodeRecords(records)));
  corpus.add("file", 1, bytesOf(encodeState(file)));
  corpus.add("directory", 1, bytesOf(encodeState(directory)));
  corpus.add("link", 1, bytesOf(encodeState(link)));
  corpus.add("gone", 1, bytesOf(encodeState({})));
}

void json(const Corpus& corpus) {
  auto all = R"({"a":[1,-2.5,null,true,"x\u00e4"],"t":{"$text":"words"},"c":{"$counter":-3},)"
             R"("s":{"$set":[1,"b"]},"b":{"$bytes":"AAEC"},"$$d":{"":{}}})"_kj;
  auto other = R"({"a":[null,1,"y"],"t":"swords","c":4,"s":[1,2],"b":{"$bytes":""}})"_kj;
  corpus.add("json", 0, all.asBytes());
  FlatWriter two;
  two.var16(all.asBytes()).bytes(other.asBytes());
  corpus.add("differing", 1, two);
  FlatWriter steps;
  auto step = [&](uint8_t what, kj::StringPtr path, kj::StringPtr text) {
    steps.u8(what).var8(path.asBytes()).var8(text.asBytes());
  };
  step(0, "", all);
  step(0, "", other);
  step(0, "/a/-", R"({"m":[0]})");
  step(2, "/a/0", "0");
  step(3 + 4, "/a/0", "0");
  step(3, "", "0");  // the document itself
  step(0, "/x/y~1z/~0", "1");
  step(0, "/t", R"({"$text":"wards"})");
  corpus.add("becoming", 2, steps);
}

}  // namespace hearth::fuzz
