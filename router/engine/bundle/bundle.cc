#include "router/engine/bundle/bundle.h"

#include "crypto/primitives/digest.h"
#include "router/engine/bundle/elf.h"

#include <kj/debug.h>

#include <algorithm>
#include <set>

namespace hearth::engine {

namespace {

constexpr kj::StringPtr MAGIC = "HPLG"_kj;
constexpr uint16_t VERSION = 1;
constexpr size_t PREFIX_BYTES = 4 + 2 + 4;
constexpr size_t CHUNK_BYTES = 256 << 10;
// Type, lengths and the most signatures an envelope may have, around the manifest.
constexpr size_t ENVELOPE_BYTES_MAX = Manifest::BYTES_MAX + 4'096;

kj::Path pathOf(const std::string& path) { return kj::Path::parse(path.c_str()); }

// Calls `use` with the pieces of `size` bytes from `offset` on; false when there are fewer.
template <typename Use>
bool eachChunk(const kj::ReadableFile& file, uint64_t offset, uint64_t size, Use&& use) {
  auto room = kj::heapArray<kj::byte>(std::min<uint64_t>(CHUNK_BYTES, size));
  while (size > 0) {
    auto want = room.slice(0, std::min<uint64_t>(room.size(), size));
    if (file.read(offset, want) != want.size()) return false;
    use(want.asConst());
    offset += want.size();
    size -= want.size();
  }
  return true;
}

std::string nameIn(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Result<kj::Array<kj::byte>> readEnvelopeBytes(const kj::ReadableFile& file) {
  kj::byte prefix[PREFIX_BYTES];
  if (file.read(0, prefix) != sizeof(prefix)) return no(Errc::BAD_FORMAT, "no plugin bundle");
  FlatReader in(prefix);
  if (in.bytes(MAGIC.size()) != MAGIC.asBytes()) return no(Errc::BAD_FORMAT, "no plugin bundle");
  if (in.u16() != VERSION) return no(Errc::BAD_VERSION, "a plugin bundle of another version");
  auto size = in.u32();
  if (size > ENVELOPE_BYTES_MAX) return no(Errc::LIMIT_EXCEEDED, "a manifest over the limit");
  auto bytes = kj::heapArray<kj::byte>(size);
  if (file.read(PREFIX_BYTES, bytes) != size) return no(Errc::BAD_LENGTH, "a truncated bundle");
  return bytes;
}

Result<void> checkSignatures(
    const crypto::Envelope& envelope, kj::ArrayPtr<const BundleSigner> trusted) {
  if (envelope.signatures.size() > Bundle::SIGNERS_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "more signatures than a bundle may have");
  }
  for (auto& made: envelope.signatures) {
    for (auto& signer: trusted) {
      if (signer.id != made.signer) continue;
      if (crypto::verify(signer.pk, crypto::SigType::PLUGIN, envelope.body, made.signature))
        return {};
      return no(Errc::BAD_SIGNATURE, "a bundle whose signature does not match");
    }
  }
  return no(Errc::NOT_AUTHORISED, "a bundle that nobody trusted has signed");
}

}  // namespace

Result<kj::Own<Bundle>> Bundle::open(
    kj::Own<const kj::ReadableFile> file, kj::ArrayPtr<const BundleSigner> trusted) {
  auto bytes = readEnvelopeBytes(*file);
  if (!bytes) return no(bytes.error());
  auto envelope = crypto::readEnvelope(crypto::SigType::PLUGIN, *bytes, Manifest::BYTES_MAX);
  if (!envelope) return no(envelope.error());
  if (auto good = checkSignatures(*envelope, trusted); !good) return no(good.error());
  auto manifest = decodeManifest(envelope->body);
  if (!manifest) return no(manifest.error());

  auto bundle = kj::heap<Bundle>();
  bundle->filesOffset = PREFIX_BYTES + bytes->size();
  if (file->stat().size != bundle->filesOffset + manifest->filesBytes()) {
    return no(Errc::BAD_LENGTH, "a bundle that is shorter or longer than its manifest says");
  }
  bundle->file = kj::mv(file);
  bundle->described.manifest = kj::mv(*manifest);
  if (auto good = bundle->settle(); !good) return no(good.error());
  return bundle;
}

// Reads plugin.toml out of the bundle and holds it against the manifest that was signed.
Result<void> Bundle::settle() {
  auto& files = described.manifest.files;
  auto entry = std::ranges::find(files, Description::FILE_NAME.cStr(), &BundleFile::path);
  if (entry == files.end() || entry->role != FileRole::DATA) {
    return no(Errc::BAD_FORMAT, "a bundle without its plugin.toml");
  }
  if (entry->size > Description::TEXT_BYTES_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "plugin.toml is too long");
  }
  auto text = read(*entry);
  if (!text) return no(text.error());
  auto described = describe(kj::heapString(text->asChars()));
  if (!described) return no(described.error());
  auto bare = this->described.manifest;
  for (auto& file: bare.files) file.size = 0, file.digest = {};
  if (bare != described->manifest) {
    return no(Errc::INTEGRITY_FAILED, "plugin.toml and the signed manifest say different things");
  }
  this->described.tasks = kj::mv(described->tasks);
  measured = measure(manifest());
  return checkClosure();
}

Result<kj::Own<Bundle>> Bundle::openDirectory(kj::Own<const kj::ReadableDirectory> directory) {
  KJ_IF_MAYBE(toml, directory->tryOpenFile(kj::Path(Description::FILE_NAME))) {
    if ((*toml)->stat().size > Description::TEXT_BYTES_MAX) {
      return no(Errc::LIMIT_EXCEEDED, "plugin.toml is too long");
    }
    auto described = describe((*toml)->readAllText());
    if (!described) return no(described.error());
    auto bundle = kj::heap<Bundle>();
    for (auto& entry: described->manifest.files) {
      KJ_IF_MAYBE(file, directory->tryOpenFile(pathOf(entry.path))) {
        entry.size = (*file)->stat().size;
      } else {
        return no(Errc::INTEGRITY_FAILED, "a file that plugin.toml names is missing");
      }
    }
    bundle->directory = kj::mv(directory);
    for (auto& entry: described->manifest.files) {
      auto digest = bundle->digestOf(entry);
      if (!digest) return no(digest.error());
      entry.digest = *digest;
    }
    if (auto good = check(described->manifest); !good) return no(good.error());
    bundle->described = kj::mv(*described);
    if (auto good = bundle->settle(); !good) return no(good.error());
    return bundle;
  }
  return no(Errc::BAD_FORMAT, "a plugin directory without plugin.toml");
}

Result<void> Bundle::checkClosure() {
  std::set<std::string> libraries, wanted;
  for (auto& entry: manifest().files) {
    if (entry.role == FileRole::LIBRARY) libraries.insert(nameIn(entry.path));
  }
  for (auto& entry: manifest().files) {
    if (entry.role != FileRole::PROGRAM && entry.role != FileRole::LIBRARY) continue;
    uint64_t base = 0;
    auto source = openFile(entry, base);
    ReadAt readAt = [&](uint64_t offset, kj::ArrayPtr<kj::byte> out) -> size_t {
      if (offset >= entry.size) return 0;
      auto room = out.slice(0, std::min<uint64_t>(out.size(), entry.size - offset));
      KJ_IF_MAYBE(file, source) return (*file)->read(base + offset, room);
      return 0;
    };
    auto elf = readElf(readAt);
    if (!elf) return no(elf.error());
    wanted.insert(elf->needed.begin(), elf->needed.end());
    if (entry.role != FileRole::PROGRAM) continue;
    KJ_IF_MAYBE(loader, elf->loader) {
      dynamic = true;
      bool there = std::ranges::any_of(manifest().files, [&](const BundleFile& file) {
        return file.role == FileRole::LIBRARY && "/" + file.path == *loader;
      });
      if (!there)
        return no(Errc::BAD_FORMAT, "a dynamic program whose loader is not in the bundle");
    }
  }
  if (!std::ranges::includes(libraries, wanted)) {
    return no(Errc::BAD_FORMAT, "a program or library needs a library that is not in the bundle");
  }
  return {};
}

kj::Maybe<kj::Own<const kj::ReadableFile>> Bundle::openFile(
    const BundleFile& entry, uint64_t& offset) const {
  KJ_IF_MAYBE(packed, file) {
    offset = filesOffset;
    for (auto& other: manifest().files) {
      if (&other == &entry || other.path == entry.path) break;
      offset += other.size;
    }
    return (*packed)->clone().downcast<const kj::ReadableFile>();
  }
  offset = 0;
  return KJ_ASSERT_NONNULL(directory)->tryOpenFile(pathOf(entry.path));
}

Result<Digest> Bundle::digestOf(const BundleFile& entry) const {
  uint64_t offset = 0;
  crypto::Digester digester;
  KJ_IF_MAYBE(source, openFile(entry, offset)) {
    if (eachChunk(**source, offset, entry.size, [&](auto chunk) { digester.update(chunk); })) {
      return digester.finish();
    }
  }
  return no(Errc::INTEGRITY_FAILED, "a file of the bundle is missing or shorter than it was");
}

Result<void> Bundle::verify() const {
  for (auto& entry: manifest().files) {
    auto digest = digestOf(entry);
    if (!digest) return no(digest.error());
    if (*digest != entry.digest) {
      return no(Errc::INTEGRITY_FAILED, "a file is not what the bundle's manifest says");
    }
  }
  return {};
}

Result<kj::Array<kj::byte>> Bundle::read(const BundleFile& entry) const {
  uint64_t offset = 0;
  KJ_IF_MAYBE(source, openFile(entry, offset)) {
    auto bytes = kj::heapArray<kj::byte>(entry.size);
    if ((*source)->read(offset, bytes) == bytes.size() && crypto::digestOf(bytes) == entry.digest) {
      return bytes;
    }
  }
  return no(Errc::INTEGRITY_FAILED, "a file is not what the bundle's manifest says");
}

kj::Maybe<Bundle::OnDisk> Bundle::onDisk() const {
  KJ_IF_MAYBE(packed, file) {
    KJ_IF_MAYBE(fd, (*packed)->getFd()) return OnDisk{*fd, true, filesOffset};
    return nullptr;
  }
  KJ_IF_MAYBE(fd, KJ_ASSERT_NONNULL(directory)->getFd()) return OnDisk{*fd, false, 0};
  return nullptr;
}

Result<void> pack(
    const Bundle& source, const kj::File& out, kj::ArrayPtr<const crypto::Signed> signatures) {
  KJ_REQUIRE(signatures.size() >= 1 && signatures.size() <= Bundle::SIGNERS_MAX);
  auto body = encode(source.manifest());
  auto envelope = crypto::writeEnvelope(crypto::SigType::PLUGIN, body, signatures);
  FlatWriter head;
  head.bytes(MAGIC.asBytes()).u16(VERSION).var32(envelope);
  out.truncate(0);
  out.write(0, head.asBytes());
  uint64_t at = head.size();
  for (auto& entry: source.manifest().files) {
    uint64_t offset = 0;
    crypto::Digester digester;
    bool whole = false;
    KJ_IF_MAYBE(file, source.openFile(entry, offset)) {
      whole = eachChunk(**file, offset, entry.size, [&](kj::ArrayPtr<const kj::byte> chunk) {
        digester.update(chunk);
        out.write(at, chunk);
        at += chunk.size();
      });
    }
    if (!whole || digester.finish() != entry.digest) {
      return no(Errc::INTEGRITY_FAILED, "a file has changed while the bundle was packed");
    }
  }
  return {};
}

}  // namespace hearth::engine
