#pragma once
// The manifest of a plugin bundle: the value whose bytes are signed and measured.
//
//   manifest = var8 name | u16 major, minor, patch | u16 abi=1 | u8 kind | list8<var8 capability>
//              | quotas | u8 maxLabel | list16<file>
//   quotas   = u32 memoryMib, cpuS, wallS | u16 descriptors, threads | u32 outputKib
//              | u16 jobsPerMinute
//   file     = u8 role | var16 path | u64 size | b[32] BLAKE2b-256
//
//   plugin measurement = H("hearth/measure/plugin/v1", manifest || digest of the program)
//   model measurement  = H("hearth/measure/model/v1", for each model, ascending by path:
//                          var16 path || u64 size || b[32] digest)

#include "core/base/flat.h"
#include "core/base/ids.h"

#include <compare>
#include <string>
#include <vector>

namespace hearth::engine {

enum class FileRole : uint8_t { PROGRAM = 1, MODEL = 2, DATA = 3, LIBRARY = 4 };
enum class PluginKind : uint8_t { INFERENCE = 1, TOOL = 2 };
enum class Label : uint8_t { PUBLIC = 0, PERSONAL = 1, HEALTH = 2, SECRET = 3 };

// What a plugin may use at most. Each default is what plugin.toml means when it says nothing.
struct Quotas {
  uint32_t memoryMib = 1'024;   // address space of the process
  uint32_t cpuS = 60;           // CPU time over the life of the process
  uint32_t wallS = 120;         // silence while it owes an answer, its start included
  uint16_t descriptors = 16;    // open at once
  uint16_t threads = 8;         // at once
  uint32_t outputKib = 16'384;  // of one message
  uint16_t jobsPerMinute = 120;

  bool operator==(const Quotas&) const = default;
};
constexpr Quotas QUOTAS_MAX{65'536, 3'600, 3'600, 64, 64, 262'144, 6'000};

// Errors: BAD_FORMAT when one is zero, LIMIT_EXCEEDED when one is over QUOTAS_MAX.
Result<void> check(const Quotas& quotas);

struct PluginVersion {
  uint16_t major = 0;
  uint16_t minor = 0;
  uint16_t patch = 0;

  auto operator<=>(const PluginVersion&) const = default;
};

struct BundleFile {
  FileRole role = FileRole::DATA;
  std::string path;
  uint64_t size = 0;
  Digest digest;

  bool operator==(const BundleFile&) const = default;
};

struct Manifest {
  static constexpr size_t NAME_BYTES_MAX = 64;
  static constexpr size_t CAPABILITIES_MAX = 16;
  static constexpr size_t CAPABILITY_BYTES_MAX = 64;
  static constexpr size_t FILES_MAX = 1'024;
  static constexpr size_t PATH_BYTES_MAX = 200;
  static constexpr uint64_t FILES_BYTES_MAX = uint64_t{64} << 30;  // all files together
  static constexpr size_t BYTES_MAX = 512 << 10;                   // encoded

  std::string name;
  PluginVersion version;
  PluginKind kind = PluginKind::INFERENCE;
  std::vector<std::string> capabilities;
  Quotas quotas;
  Label maxLabel = Label::SECRET;
  std::vector<BundleFile> files;

  const BundleFile& program() const;  // requires a checked manifest
  uint64_t filesBytes() const;

  bool operator==(const Manifest&) const = default;
};

// Relative, [a-z0-9._+/-], at most PATH_BYTES_MAX bytes, no empty component, no `.` and no `..`
// ('+' is in because libraries have it in their names: docs/adr/0030).
bool isBundlePath(kj::StringPtr path);

// [a-z0-9._-], 1..NAME_BYTES_MAX bytes, beginning with a letter.
bool isPluginName(kj::StringPtr name);

// What every reader and writer asks of a manifest: names, paths, quotas, exactly one program, no
// path twice, none below another file's path.
// Errors: BAD_FORMAT, LIMIT_EXCEEDED.
Result<void> check(const Manifest& manifest);

// Requires a checked manifest.
kj::Array<kj::byte> encode(const Manifest& manifest);

// Errors: BAD_VERSION for another ABI, else those of check().
Result<Manifest> decodeManifest(kj::ArrayPtr<const kj::byte> bytes);

struct Measurement {
  Digest plugin;
  Digest model;

  bool operator==(const Measurement&) const = default;
};

Measurement measure(const Manifest& manifest);

}  // namespace hearth::engine
