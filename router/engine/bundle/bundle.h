#pragma once
// A plugin bundle on this device's disk, packed (*.hplug) or as the directory it would be packed
// from, read and checked.
//
//   *.hplug = b[4] "HPLG" | u16 version=1 | var32 envelope of the manifest (type hearth/plugin/v1)
//             | the files, in the order of the manifest, one after another
//
// Opening checks form, signatures, limits and that a dynamic program brings all its libraries. The
// contents are checked against the manifest when they are used: the launcher hashes what it runs,
// verify() hashes everything.

#include "crypto/primitives/envelope.h"
#include "router/engine/bundle/description.h"

#include <kj/filesystem.h>

namespace hearth::engine {

struct BundleSigner {
  DeviceId id;
  crypto::SignPublic pk;
};

class Bundle final {
 public:
  static constexpr size_t SIGNERS_MAX = 4;  // on one bundle

  // A packed bundle. `trusted`: one of them at least must have signed; signatures of others are
  // not looked at.
  // Errors: BAD_FORMAT, BAD_VERSION, BAD_LENGTH, LIMIT_EXCEEDED; NOT_AUTHORISED when nobody trusted
  // has signed; BAD_SIGNATURE; INTEGRITY_FAILED when plugin.toml is not what was signed.
  static Result<kj::Own<Bundle>> open(
      kj::Own<const kj::ReadableFile> file, kj::ArrayPtr<const BundleSigner> trusted);

  // A plugin directory. Reads and hashes every file that plugin.toml names.
  // Errors: BAD_FORMAT and those of describe(); INTEGRITY_FAILED when a file is missing.
  static Result<kj::Own<Bundle>> openDirectory(kj::Own<const kj::ReadableDirectory> directory);

  const Manifest& manifest() const { return described.manifest; }
  const Description& description() const { return described; }
  const Measurement& measurement() const { return measured; }

  // Whether the program has a loader and so runs in a tree of its own (SECURITY.md §8.2a).
  bool isDynamic() const { return dynamic; }

  // Hashes every file. Errors: INTEGRITY_FAILED.
  Result<void> verify() const;

  // Errors: INTEGRITY_FAILED when the file is not there, or is not what the manifest says.
  Result<kj::Array<kj::byte>> read(const BundleFile& file) const;

  // Where the launcher finds the files: in one packed file from filesOffset on, or by path below a
  // directory. The descriptor is borrowed.
  struct OnDisk {
    int fd = -1;
    bool packed = false;
    uint64_t filesOffset = 0;
  };
  // None when the file system is not the system's own.
  kj::Maybe<OnDisk> onDisk() const;

 private:
  friend Result<void> pack(
      const Bundle& source, const kj::File& out, kj::ArrayPtr<const crypto::Signed> signatures);

  Description described;
  Measurement measured;
  bool dynamic = false;
  kj::Maybe<kj::Own<const kj::ReadableFile>> file;  // packed
  uint64_t filesOffset = 0;
  kj::Maybe<kj::Own<const kj::ReadableDirectory>> directory;

  Result<void> settle();
  Result<void> checkClosure();
  kj::Maybe<kj::Own<const kj::ReadableFile>> openFile(
      const BundleFile& entry, uint64_t& offset) const;
  Result<Digest> digestOf(const BundleFile& entry) const;
};

// Writes `source` as a packed bundle. `signatures` are over encode(source.manifest()), 1 to
// Bundle::SIGNERS_MAX of them. The same source and signatures give the same bytes.
// Errors: INTEGRITY_FAILED when a file has changed since the source was opened.
Result<void> pack(
    const Bundle& source, const kj::File& out, kj::ArrayPtr<const crypto::Signed> signatures);

}  // namespace hearth::engine
