#include "core/entropy/entropy.h"
#include "crypto/primitives/digest.h"
#include "tests/router/engine-fixture.h"

#include <catch2/generators/catch_generators.hpp>

namespace hearth::engine {
namespace {

Manifest smallManifest() {
  Manifest manifest;
  manifest.name = "text.shout";
  manifest.version = {1, 2, 3};
  manifest.files = {{FileRole::PROGRAM, "program", 3, crypto::digestOf("abc"_kj.asBytes())},
      {FileRole::MODEL, "models/b.bin", 1, {}}, {FileRole::MODEL, "models/a.bin", 2, {}},
      {FileRole::DATA, "plugin.toml", 0, {}}};
  return manifest;
}

// A copy of a test plugin in memory, free to be changed.
kj::Own<const kj::Directory> copyOf(kj::StringPtr name) {
  auto copy = kj::newInMemoryDirectory(kj::nullClock());
  auto source = pluginDirectory(name);
  for (auto& file: pluginBundle(name)->manifest().files) {
    auto path = kj::Path::parse(file.path.c_str());
    copy->openFile(path, kj::WriteMode::CREATE | kj::WriteMode::CREATE_PARENT)
        ->writeAll(source->openFile(path)->readAllBytes());
  }
  return copy;
}

struct Signing {
  SystemEntropy entropy;
  crypto::SignPair pair = crypto::SignPair::fromSeed(crypto::SignSeed::draw(entropy));
  BundleSigner signer{entropy.draw<DeviceId>(), pair.pk};

  crypto::Signed over(const Manifest& manifest) const {
    return {signer.id, crypto::sign(pair.secret, crypto::SigType::PLUGIN, encode(manifest))};
  }
};

// A packed bundle of a test plugin, in memory.
kj::Own<const kj::File> packed(kj::StringPtr name, const Signing& signing) {
  auto bundle = pluginBundle(name);
  auto file = kj::newInMemoryFile(kj::nullClock());
  auto made = signing.over(bundle->manifest());
  REQUIRE(went(pack(*bundle, *file, kj::arrayPtr(&made, 1))));
  return file;
}

Result<kj::Own<Bundle>> reopen(const kj::File& file, const Signing& signing) {
  return Bundle::open(file.clone(), kj::arrayPtr(&signing.signer, 1));
}

TEST_CASE("a manifest is read as it was written") {
  auto manifest = smallManifest();
  REQUIRE(decodeManifest(encode(manifest)).value() == manifest);
}

TEST_CASE("no cut and no single changed byte of a manifest does harm") {
  auto bytes = encode(smallManifest());
  for (size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE(!decodeManifest(bytes.slice(0, size)));
  }
  for (auto& byte: bytes) {
    byte ^= 0xff;
    auto read = decodeManifest(bytes);
    if (read) REQUIRE(encode(*read) == bytes);
    byte ^= 0xff;
  }
}

TEST_CASE("the measurements cover every file, and models in the order of their paths") {
  auto manifest = smallManifest();
  auto before = measure(manifest);
  std::swap(manifest.files[1], manifest.files[2]);
  REQUIRE(measure(manifest).model == before.model);
  REQUIRE(measure(manifest).plugin != before.plugin);
  manifest.files[1].digest.bytes[0] = 1;
  REQUIRE(measure(manifest).model != before.model);
}

TEST_CASE("only clean relative paths stand in a bundle") {
  for (auto good: {"program", "lib/libstdc++.so.6", "a/b/c", "a..b", ".x"})
    REQUIRE(isBundlePath(good));
  for (auto bad:
      {"", "/a", "a/", "a//b", "..", "a/../b", ".", "a/./b", "A", "a b", "a\\b", "\xc3\xa4"})
    REQUIRE(!isBundlePath(bad));
  REQUIRE(isBundlePath(kj::heapString(std::string(200, 'a').c_str())));
  REQUIRE(!isBundlePath(kj::heapString(std::string(201, 'a').c_str())));
}

struct BadManifest {
  const char* what;
  void (*change)(Manifest&);
  Errc errc;
};

TEST_CASE("a manifest that breaks a rule is refused by name") {
  auto bad = GENERATE(BadManifest{"no program",
                          [](Manifest& m) { m.files[0].role = FileRole::DATA; }, Errc::BAD_FORMAT},
      BadManifest{"two programs", [](Manifest& m) { m.files[1].role = FileRole::PROGRAM; },
          Errc::BAD_FORMAT},
      BadManifest{
          "a path twice", [](Manifest& m) { m.files[1].path = "program"; }, Errc::BAD_FORMAT},
      BadManifest{
          "below a file", [](Manifest& m) { m.files[1].path = "program/x"; }, Errc::BAD_FORMAT},
      BadManifest{"..", [](Manifest& m) { m.files[1].path = "../x"; }, Errc::BAD_FORMAT},
      BadManifest{"a zero byte", [](Manifest& m) { m.files[1].path = std::string("a\0b", 3); },
          Errc::BAD_FORMAT},
      BadManifest{"a name", [](Manifest& m) { m.name = "Shout"; }, Errc::BAD_FORMAT},
      BadManifest{"a zero quota", [](Manifest& m) { m.quotas.threads = 0; }, Errc::BAD_FORMAT},
      BadManifest{
          "a large quota", [](Manifest& m) { m.quotas.memoryMib = 65'537; }, Errc::LIMIT_EXCEEDED},
      BadManifest{"too large", [](Manifest& m) { m.files[1].size = Manifest::FILES_BYTES_MAX; },
          Errc::LIMIT_EXCEEDED},
      BadManifest{"a size that overflows", [](Manifest& m) { m.files[1].size = UINT64_MAX; },
          Errc::LIMIT_EXCEEDED},
      BadManifest{
          "a capability", [](Manifest& m) { m.capabilities = {"No Name"}; }, Errc::BAD_FORMAT});
  CAPTURE(bad.what);
  auto manifest = smallManifest();
  bad.change(manifest);
  REQUIRE(check(manifest).error().code == bad.errc);
  REQUIRE(decodeManifest(encode(manifest)).error().code == bad.errc);
}

TEST_CASE("a bundle holds no more files and capabilities than its limits") {
  auto manifest = smallManifest();
  manifest.capabilities.assign(Manifest::CAPABILITIES_MAX, "x");
  for (int i = 0; manifest.files.size() < Manifest::FILES_MAX; ++i) {
    manifest.files.push_back({FileRole::DATA, "d/" + std::to_string(i), 0, {}});
  }
  REQUIRE(check(manifest));
  manifest.files.push_back({FileRole::DATA, "one-more", 0, {}});
  REQUIRE(check(manifest).error().code == Errc::LIMIT_EXCEEDED);
  manifest.files.pop_back();
  manifest.capabilities.push_back("y");
  REQUIRE(check(manifest).error().code == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("a packed bundle is the directory it was packed from, and packing gives the same bytes") {
  Signing signing;
  auto name = GENERATE("echo", "echo-dynamic");
  auto file = packed(name, signing);
  REQUIRE(file->readAllBytes() == packed(name, signing)->readAllBytes());
  auto bundle = reopen(*file, signing);
  REQUIRE(went(bundle));
  auto directory = pluginBundle(name);
  REQUIRE((*bundle)->manifest() == directory->manifest());
  REQUIRE((*bundle)->measurement() == directory->measurement());
  REQUIRE((*bundle)->isDynamic() == directory->isDynamic());
  REQUIRE(went((*bundle)->verify()));
}

TEST_CASE("a packed bundle runs") {
  needSandbox();
  Signing signing;
  auto name = GENERATE("echo", "echo-dynamic");
  auto disk = kj::newDiskFilesystem();
  auto path = kj::Path(nullptr).evalNative(kj::str(HEARTH_TEST_PLUGINS, "/../", name, ".hplug"));
  auto file = disk->getRoot().openFile(path, kj::WriteMode::CREATE | kj::WriteMode::MODIFY);
  file->writeAll(packed(name, signing)->readAllBytes());
  auto bundle = reopen(*file, signing);
  REQUIRE(went(bundle));
  RealHost real;
  auto engine = real.start(**bundle);
  REQUIRE(went(real.wait(engine->open(jobOf("echo")))));
}

TEST_CASE("a bundle is refused unless somebody trusted has signed these very bytes") {
  Signing signing, stranger;
  auto file = packed("echo", signing);
  REQUIRE(reopen(*file, stranger).error().code == Errc::NOT_AUTHORISED);
  auto impostor = stranger.signer;
  impostor.id = signing.signer.id;
  REQUIRE(
      Bundle::open(file->clone(), kj::arrayPtr(&impostor, 1)).error().code == Errc::BAD_SIGNATURE);

  auto bytes = file->readAllBytes();
  bytes[40] ^= 1;  // in the manifest
  file->writeAll(bytes);
  REQUIRE(reopen(*file, signing).error().code == Errc::BAD_SIGNATURE);
}

TEST_CASE("a bundle that is cut, prolonged or damaged is refused") {
  Signing signing;
  auto file = packed("echo", signing);
  auto bytes = file->readAllBytes();
  auto with = [&](kj::ArrayPtr<const kj::byte> changed) {
    file->writeAll(changed);
    return reopen(*file, signing);
  };
  REQUIRE(with(bytes.slice(0, 0)).error().code == Errc::BAD_FORMAT);
  REQUIRE(with(bytes.slice(0, 9)).error().code == Errc::BAD_FORMAT);
  REQUIRE(with(bytes.slice(0, 100)).error().code == Errc::BAD_LENGTH);
  REQUIRE(with(bytes.slice(0, bytes.size() - 1)).error().code == Errc::BAD_LENGTH);

  auto magic = kj::heapArray(bytes.asPtr());
  magic[0] = 'X';
  REQUIRE(with(magic).error().code == Errc::BAD_FORMAT);
  auto version = kj::heapArray(bytes.asPtr());
  version[4] = 2;
  REQUIRE(with(version).error().code == Errc::BAD_VERSION);
  auto huge = kj::heapArray(bytes.asPtr());
  huge[9] = 0xff;
  REQUIRE(with(huge).error().code == Errc::LIMIT_EXCEEDED);
  auto toml = kj::heapArray(bytes.asPtr());
  toml[toml.size() - 1] ^= 1;  // plugin.toml is the last file
  REQUIRE(with(toml).error().code == Errc::INTEGRITY_FAILED);
}

TEST_CASE("a dynamic program whose loader or libraries are not all in the bundle is refused") {
  auto missing = GENERATE("lib/libc.so.6", "lib64/ld-linux-x86-64.so.2");
  auto directory = copyOf("echo-dynamic");
  if (!directory->exists(kj::Path::parse(missing))) SKIP("another machine's loader");
  auto file = directory->openFile(kj::Path("plugin.toml"), kj::WriteMode::MODIFY);
  auto toml = file->readAllText();
  auto entry = kj::str("[[file]]\nrole = \"library\"\npath = \"", missing, "\"\n");
  std::string text = toml.cStr();
  text.erase(text.find(entry.cStr()), entry.size());
  file->writeAll(kj::StringPtr(text.c_str()));
  REQUIRE(Bundle::openDirectory(directory->clone()).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a program that is no ELF file for this machine is refused") {
  auto directory = copyOf("echo");
  directory->openFile(kj::Path("program"), kj::WriteMode::MODIFY)->writeAll("#!/bin/sh\n"_kj);
  REQUIRE(Bundle::openDirectory(directory->clone()).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("no damage to a program's headers does harm to who reads them") {
  auto directory = copyOf("echo-dynamic");
  auto program = directory->openFile(kj::Path("program"), kj::WriteMode::MODIFY);
  auto bytes = program->readAllBytes();
  for (size_t at = 0; at < 1'024; at += 7) {
    auto damaged = kj::heapArray(bytes.asPtr());
    for (size_t i = at; i < at + 4; ++i) damaged[i] ^= 0xff;
    program->writeAll(damaged);
    static_cast<void>(Bundle::openDirectory(directory->clone()));
  }
}

TEST_CASE("a file that plugin.toml names and that is not there is an error") {
  auto directory = copyOf("echo");
  directory->remove(kj::Path({"calibration", "lines.txt"}));
  REQUIRE(Bundle::openDirectory(directory->clone()).error().code == Errc::INTEGRITY_FAILED);
}

constexpr kj::StringPtr GOOD = R"(
name = "text.shout"
version = "0.1.0"
[quotas]
wall_s = 5
[[task]]
name = "text.shout"
inputs = [{ name = "text", type = "text" }]
outputs = [{ name = "text", type = "text" }]
[task.calibration]
input = "in.txt"
units = 2
[[file]]
role = "program"
path = "program"
)"_kj;

TEST_CASE("plugin.toml says what the plugin is") {
  auto described = describe(GOOD);
  REQUIRE(went(described));
  REQUIRE(described->manifest.version == PluginVersion{0, 1, 0});
  REQUIRE(described->manifest.quotas.wallS == 5);
  REQUIRE(described->manifest.quotas.cpuS == Quotas().cpuS);
  REQUIRE(described->tasks[0].inputs[0] == TaskPort{"text", "text"});
  REQUIRE(KJ_ASSERT_NONNULL(described->tasks[0].calibration).units == 2);
  REQUIRE(described->manifest.files.back().path == "plugin.toml");
}

struct BadToml {
  const char* from;
  const char* to;
  Errc errc;
};

TEST_CASE("a plugin.toml with a mistake is refused") {
  auto bad = GENERATE(
      BadToml{"name = \"text.shout\"\nversion", "nome = \"x\"\nversion", Errc::BAD_FORMAT},
      BadToml{"0.1.0", "0.1", Errc::BAD_FORMAT}, BadToml{"0.1.0", "0.1.0.0", Errc::BAD_FORMAT},
      BadToml{"0.1.0", "0.1.65536", Errc::BAD_FORMAT},
      BadToml{"wall_s = 5", "wall_s = 0", Errc::BAD_FORMAT},
      BadToml{"wall_s = 5", "wall_s = -1", Errc::LIMIT_EXCEEDED},
      BadToml{"wall_s = 5", "wall_s = 3601", Errc::LIMIT_EXCEEDED},
      BadToml{"wall_s = 5", "wall_s = \"5\"", Errc::BAD_FORMAT},
      BadToml{"wall_s", "wal_s", Errc::BAD_FORMAT},
      BadToml{"type = \"text\"", "type = \"words\"", Errc::BAD_FORMAT},
      BadToml{"outputs = [{ name = \"text\", type = \"text\" }]", "outputs = []", Errc::BAD_FORMAT},
      BadToml{"[[task]]", "[[tusk]]", Errc::BAD_FORMAT},
      BadToml{"units = 2", "units = 0", Errc::BAD_FORMAT},
      BadToml{"units = 2", "units = nan", Errc::BAD_FORMAT},
      BadToml{"role = \"program\"", "role = \"programme\"", Errc::BAD_FORMAT},
      BadToml{"path = \"program\"", "path = \"../program\"", Errc::BAD_FORMAT},
      BadToml{"[quotas]", "needs = [\"gpu\"]\n[quotas]", Errc::POLICY_DENIED},
      BadToml{"[quotas]", "abi = 2\n[quotas]", Errc::BAD_VERSION},
      BadToml{"[quotas]", "kind = \"toy\"\n[quotas]", Errc::BAD_FORMAT},
      BadToml{"[quotas]", "quotas", Errc::BAD_FORMAT});
  CAPTURE(bad.from, bad.to);
  std::string text = GOOD.cStr();
  text.replace(text.find(bad.from), strlen(bad.from), bad.to);
  auto described = describe(text.c_str());
  REQUIRE(!described);
  CAPTURE(described.error().because.cStr());
  REQUIRE(described.error().code == bad.errc);
}

TEST_CASE("a plugin.toml has its limits in length, tasks and ports") {
  REQUIRE(describe(kj::str(GOOD, "#", std::string(Description::TEXT_BYTES_MAX, 'x').c_str()))
              .error()
              .code == Errc::LIMIT_EXCEEDED);
  std::string tasks = "name = \"a\"\nversion = \"0.0.1\"\n";
  for (size_t i = 0; i <= Description::TASKS_MAX; ++i) tasks += "[[task]]\n";
  REQUIRE(describe(tasks.c_str()).error().code == Errc::LIMIT_EXCEEDED);
  std::string ports = "name = \"a\"\nversion = \"0.0.1\"\n[[task]]\nname = \"t\"\ninputs = [";
  for (size_t i = 0; i <= PluginTask::INPUTS_MAX; ++i) ports += "{},";
  REQUIRE(describe((ports + "]\n").c_str()).error().code == Errc::LIMIT_EXCEEDED);
  REQUIRE(describe(std::string(100'000, '[').c_str()).error().code == Errc::BAD_FORMAT);
}

}  // namespace
}  // namespace hearth::engine
