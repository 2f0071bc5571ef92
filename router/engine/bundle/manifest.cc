#include "router/engine/bundle/manifest.h"

#include "crypto/primitives/hash.h"
#include "router/engine/protocol/numbers.h"

#include <kj/debug.h>

#include <algorithm>
#include <string_view>

namespace hearth::engine {

namespace {

constexpr size_t FILE_BYTES_MIN = 1 + 2 + 1 + 8 + 32;

kj::ArrayPtr<const kj::byte> bytesOf(const std::string& text) {
  return kj::arrayPtr(reinterpret_cast<const kj::byte*>(text.data()), text.size());
}

std::string textOf(kj::ArrayPtr<const kj::byte> bytes) {
  return std::string(bytes.asChars().begin(), bytes.size());
}

bool isLower(char c) { return c >= 'a' && c <= 'z'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isPathByte(char c) {
  return isLower(c) || isDigit(c) || c == '.' || c == '_' || c == '+' || c == '-';
}

bool isComponent(std::string_view component) {
  return !component.empty() && component != "." && component != ".." &&
      std::ranges::all_of(component, isPathByte);
}

void encode(FlatWriter& out, const Quotas& quotas) {
  out.u32(quotas.memoryMib).u32(quotas.cpuS).u32(quotas.wallS);
  out.u16(quotas.descriptors).u16(quotas.threads);
  out.u32(quotas.outputKib).u16(quotas.jobsPerMinute);
}

Quotas decodeQuotas(FlatReader& in) {
  return Quotas{.memoryMib = in.u32(),
      .cpuS = in.u32(),
      .wallS = in.u32(),
      .descriptors = in.u16(),
      .threads = in.u16(),
      .outputKib = in.u32(),
      .jobsPerMinute = in.u16()};
}

void encode(FlatWriter& out, const BundleFile& file) {
  out.u8(static_cast<uint8_t>(file.role)).var16(bytesOf(file.path)).u64(file.size);
  out.bytes(file.digest.asBytes());
}

BundleFile decodeFile(FlatReader& in) {
  auto role = in.u8();
  if (role < 1 || role > 4) in.refuse();
  return BundleFile{static_cast<FileRole>(role), textOf(in.var16(Manifest::PATH_BYTES_MAX)),
      in.u64(), in.id<Digest>()};
}

// Sorted, a file below another file's path stands behind it: "a", "a/b". Between them only paths
// that begin with "a" and a byte below '/' ('+', '-', '.') can stand, so each is compared with every
// file that its own directories name.
Result<void> checkPaths(const std::vector<BundleFile>& files) {
  std::vector<std::string_view> paths;
  for (auto& file: files) paths.push_back(file.path);
  std::ranges::sort(paths);
  if (std::ranges::adjacent_find(paths) != paths.end()) {
    return no(Errc::BAD_FORMAT, "a bundle with one path twice");
  }
  for (auto path: paths) {
    for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
      if (std::ranges::binary_search(paths, path.substr(0, slash))) {
        return no(Errc::BAD_FORMAT, "a bundle with a file where another file needs a directory");
      }
    }
  }
  return {};
}

Result<void> checkFiles(const std::vector<BundleFile>& files) {
  if (files.size() > Manifest::FILES_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "more files than a bundle may hold");
  }
  size_t programs = 0;
  uint64_t room = Manifest::FILES_BYTES_MAX;
  for (auto& file: files) {
    if (!isBundlePath(file.path.c_str()) || file.path.find('\0') != std::string::npos) {
      return no(Errc::BAD_FORMAT, "a path that a bundle may not hold");
    }
    if (file.size > room) return no(Errc::LIMIT_EXCEEDED, "a bundle larger than allowed");
    room -= file.size;
    programs += file.role == FileRole::PROGRAM;
  }
  if (programs != 1) return no(Errc::BAD_FORMAT, "a bundle needs exactly one program");
  return checkPaths(files);
}

}  // namespace

Result<void> check(const Quotas& q) {
  auto& most = QUOTAS_MAX;
  if (q.memoryMib == 0 || q.cpuS == 0 || q.wallS == 0 || q.descriptors == 0 || q.threads == 0 ||
      q.outputKib == 0 || q.jobsPerMinute == 0) {
    return no(Errc::BAD_FORMAT, "a quota of zero");
  }
  if (q.memoryMib > most.memoryMib || q.cpuS > most.cpuS || q.wallS > most.wallS ||
      q.descriptors > most.descriptors || q.threads > most.threads ||
      q.outputKib > most.outputKib || q.jobsPerMinute > most.jobsPerMinute) {
    return no(Errc::LIMIT_EXCEEDED, "a quota over its maximum");
  }
  return {};
}

const BundleFile& Manifest::program() const {
  for (auto& file: files) {
    if (file.role == FileRole::PROGRAM) return file;
  }
  KJ_FAIL_REQUIRE("a manifest without a program was not checked");
}

uint64_t Manifest::filesBytes() const {
  uint64_t sum = 0;
  for (auto& file: files) sum += file.size;
  return sum;
}

bool isBundlePath(kj::StringPtr text) {
  std::string_view path(text.begin(), text.size());
  if (path.empty() || path.size() > Manifest::PATH_BYTES_MAX) return false;
  while (true) {
    auto slash = path.find('/');
    if (!isComponent(path.substr(0, slash))) return false;
    if (slash == path.npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool isPluginName(kj::StringPtr name) {
  if (name.size() == 0 || name.size() > Manifest::NAME_BYTES_MAX || !isLower(name[0])) return false;
  return std::ranges::all_of(name, [](char c) { return isPathByte(c) && c != '+'; });
}

Result<void> check(const Manifest& manifest) {
  if (!isPluginName(manifest.name.c_str()) || manifest.name.find('\0') != std::string::npos) {
    return no(Errc::BAD_FORMAT, "a plugin name that is not [a-z][a-z0-9._-]*");
  }
  if (manifest.capabilities.size() > Manifest::CAPABILITIES_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "more capabilities than a plugin may need");
  }
  for (auto& capability: manifest.capabilities) {
    if (!isPluginName(capability.c_str()) || capability.find('\0') != std::string::npos) {
      return no(Errc::BAD_FORMAT, "a capability that has no proper name");
    }
  }
  if (auto quotas = check(manifest.quotas); !quotas) return quotas;
  return checkFiles(manifest.files);
}

kj::Array<kj::byte> encode(const Manifest& manifest) {
  FlatWriter out;
  out.var8(bytesOf(manifest.name));
  out.u16(manifest.version.major).u16(manifest.version.minor).u16(manifest.version.patch);
  out.u16(ENGINE_ABI).u8(static_cast<uint8_t>(manifest.kind));
  out.u8(static_cast<uint8_t>(manifest.capabilities.size()));
  for (auto& capability: manifest.capabilities) out.var8(bytesOf(capability));
  encode(out, manifest.quotas);
  out.u8(static_cast<uint8_t>(manifest.maxLabel));
  out.u16(static_cast<uint16_t>(manifest.files.size()));
  for (auto& file: manifest.files) encode(out, file);
  return out.finish();
}

Result<Manifest> decodeManifest(kj::ArrayPtr<const kj::byte> bytes) {
  FlatReader in(bytes);
  Manifest manifest;
  manifest.name = textOf(in.var8(Manifest::NAME_BYTES_MAX));
  manifest.version = {in.u16(), in.u16(), in.u16()};
  auto abi = in.u16();
  if (in.good() && abi != ENGINE_ABI) return no(Errc::BAD_VERSION, "a plugin of another ABI");
  auto kind = in.u8();
  if (kind < 1 || kind > 2) in.refuse();
  manifest.kind = static_cast<PluginKind>(kind);
  for (auto n = in.count8(Manifest::CAPABILITIES_MAX, 1); n > 0; --n) {
    manifest.capabilities.push_back(textOf(in.var8(Manifest::CAPABILITY_BYTES_MAX)));
  }
  manifest.quotas = decodeQuotas(in);
  auto label = in.u8();
  if (label > static_cast<uint8_t>(Label::SECRET)) in.refuse();
  manifest.maxLabel = static_cast<Label>(label);
  for (auto n = in.count16(Manifest::FILES_MAX, FILE_BYTES_MIN); n > 0; --n) {
    manifest.files.push_back(decodeFile(in));
  }
  if (auto end = in.finish(); !end) return no(end.error());
  if (auto good = check(manifest); !good) return no(good.error());
  return manifest;
}

Measurement measure(const Manifest& manifest) {
  std::vector<const BundleFile*> models;
  for (auto& file: manifest.files) {
    if (file.role == FileRole::MODEL) models.push_back(&file);
  }
  std::ranges::sort(models, {}, &BundleFile::path);
  FlatWriter listed;
  for (auto model: models) {
    listed.var16(bytesOf(model->path)).u64(model->size).bytes(model->digest.asBytes());
  }
  auto body = encode(manifest);
  return {
      crypto::hash("hearth/measure/plugin/v1", {body.asPtr(), manifest.program().digest.asBytes()}),
      crypto::hash("hearth/measure/model/v1", {listed.asBytes()})};
}

}  // namespace hearth::engine
