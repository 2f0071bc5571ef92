#pragma once
// The files of blobs in one directory. A file is there whole or not at all, whenever the process or the power
// ends: it is written under another name, synced, and renamed. What is shredded cannot be read any more, even by
// who has a copy of the file made later.

#include "storage/blob/sealed-file.h"

namespace hearth::storage {

class BlobFiles final {
 public:
  // The directory is this object's alone, and both outlive it. Removes what an earlier process has left half done.
  BlobFiles(const kj::Directory& directory, Entropy& entropy);
  KJ_DISALLOW_COPY_AND_MOVE(BlobFiles);

  // Whether what is written of a blob is kept when its writer goes away.
  enum class Half : uint8_t { REMOVED, KEPT };

  // A blob that is being written, from its beginning to its end.
  class Writing final {
   public:
    Writing(kj::Badge<BlobFiles>, BlobFiles& files, const BlobKeys& keys, const ContentId& content,
        uint64_t paddedTo, Half half);
    KJ_DISALLOW_COPY_AND_MOVE(Writing);

    // So many bytes are here already.
    uint64_t written() const { return writer->written(); }
    void add(crypto::Bytes bytes) { writer->add(bytes); }
    // Returns when the blob is on disk. Throws when the disk refuses; then it is not there.
    void commit();

   private:
    // The file under its other name, which is removed unless it was renamed (that name may be another's by then) or
    // is to be gone on with.
    struct Temporary {
      const kj::Directory& directory;
      kj::Path path;
      kj::Own<const kj::File> file;
      bool isRenamed = false;
      kj::UnwindDetector unwinding;

      Half half;

      Temporary(const kj::Directory& directory, kj::StringPtr fileName, Half half);
      ~Temporary() noexcept(false);
    };

    kj::String fileName;
    Temporary temporary;
    kj::Own<SealedWriter> writer;

    kj::Own<SealedWriter> begin(
        BlobFiles& files, const BlobKeys& keys, const ContentId& content, uint64_t paddedTo) const;
  };

  // `paddedTo` is the blob's length, or a padded one. The keys outlive what is returned. Requires that nobody else
  // is writing that blob.
  kj::Own<Writing> write(const BlobKeys& keys, const ContentId& content, uint64_t paddedTo);
  // The same of a blob that is being received: goes on behind what is here of it.
  kj::Own<Writing> receive(const BlobKeys& keys, const ContentId& content, uint64_t paddedTo);
  // Where what has been received of a blob is.
  static kj::String halfName(kj::StringPtr fileName);

  // Errors: INTEGRITY_FAILED, also where there is none.
  BlobResult<kj::Own<SealedReader>> open(
      const BlobKeys& keys, const ContentId& content, uint64_t paddedTo) const;

  // An empty file for this process alone, beside those of blobs; shred() takes it away.
  kj::Own<const kj::File> scratch(kj::StringPtr fileName) const {
    return directory.openFile(kj::Path(kj::str(fileName)),
        kj::WriteMode::CREATE | kj::WriteMode::MODIFY | kj::WriteMode::PRIVATE);
  }

  // Overwrites the wrapped key, and removes the file. False where there is none.
  bool shred(kj::StringPtr fileName);

  kj::Array<kj::String> names() const { return directory.listNames(); }

  size_t leftovers() const { return removed; }  // found at start

 private:
  const kj::Directory& directory;
  Entropy& entropy;
  size_t removed = 0;
};

}  // namespace hearth::storage
