#pragma once
// What blobs are called, the same on all devices: a document of the collection of named blobs. It says as well who
// has a blob, and who promises to keep it (docs/adr/0094).
//
//   names     NAME -> {reference: b[41], bytes}
//   has       content id, hex -> device id, hex -> "kept", "copy", "was kept" or "gone"
//   removed   content id, hex -> true: every device shreds it

#include "storage/blob/tree.h"
#include "storage/documents/documents.h"

namespace hearth::devices {

class BlobNames final {
 public:
  static constexpr size_t NAME_BYTES_MAX = 255;

  enum class Has : uint8_t {
    NOTHING,
    COPY,      // as long as there is room
    KEPT,      // pinned: others may let theirs go
    WAS_KEPT,  // others may still rely on it
    GONE,      // WAS_KEPT, and not here any more
  };

  struct Named {
    std::string name;
    storage::BlobRef ref;
  };

  // The documents outlive this object.
  explicit BlobNames(storage::Documents& documents): documents(documents) {}

  // To be awaited before anything else is asked.
  kj::Promise<void> start();

  std::vector<Named> all();
  // Errors: BAD_FORMAT where nothing is called so, nor begins a content id so, or several do.
  Result<Named> find(const std::string& wanted);
  std::map<DeviceId, Has> holders(const storage::ContentId& content);
  std::vector<storage::ContentId> removed();

  // Whether a blob may be called so; none given: whether one could be. Errors: BAD_FORMAT for a name that none can
  // have, or that another one has.
  Result<void> mayName(const std::string& name, kj::Maybe<const storage::BlobRef&> ref);

  // Each resolves when it is on disk. Errors: those of LiveDocument::change.

  // Those of mayName() as well.
  kj::Promise<Result<void>> name(std::string name, storage::BlobRef ref, DeviceId by);
  // Where no other name is left for it, every device shreds it.
  kj::Promise<Result<void>> remove(std::string name);
  kj::Promise<Result<void>> setHas(storage::ContentId content, DeviceId device, Has has);

  // Resolves when something is called otherwise.
  kj::Promise<void> changed();

 private:
  storage::Documents& documents;
  kj::Maybe<storage::Documents::Handle> opened;

  storage::Documents::Handle& handle() { return KJ_ASSERT_NONNULL(opened); }
  storage::Tree::Map mapAt(const storage::Path& path);
};

// Of whose copies a device may take it for granted that they stay, if it lets its own go: those that others keep;
// and where others may rely on it itself, only those of devices before it, so that no two rely on each other.
uint32_t reliable(const std::map<DeviceId, BlobNames::Has>& holders, const DeviceId& self,
    kj::FunctionParam<bool(const DeviceId&)> isActive);

}  // namespace hearth::devices
