#pragma once
// The files of this device's blobs, used on an executor and nowhere else: the loop waits for no disk.

#include "core/loop/executor.h"
#include "devices/data/blob-circle.h"
#include "storage/blob/blob-files.h"

#include <list>
#include <optional>

namespace hearth::devices {

class BlobDisk final {
 public:
  static constexpr size_t OPEN_MAX = 16;  // files that stay open to be read

  // A blob that has a file.
  struct Sealed {
    ContentId content;
    uint64_t bytes;
    kj::Own<OwnedBlobKeys> keys;
  };

  // Files as the executor sees them.
  class Files final {
   public:
    Files(const kj::Directory& home, Entropy& entropy);

    storage::BlobFiles& all() { return files; }
    // Errors: INTEGRITY_FAILED.
    storage::BlobResult<void> read(const Sealed& blob, uint64_t offset, kj::ArrayPtr<kj::byte> out);
    // It is written anew or shredded: what is open of it is of no use.
    void forget(const ContentId& content);

   private:
    struct Open {
      ContentId content;
      kj::Own<storage::SealedReader> reader;
    };
    kj::Own<const kj::Directory> directory;
    storage::BlobFiles files;
    std::list<Open> open;  // the last used first
  };

  // All outlive this object. The files are in `blobs` below `home`.
  BlobDisk(Executor& executor, const kj::Directory& home, Entropy& entropy)
      : executor(executor),
        home(home),
        entropy(entropy) {}

  // Runs `f(Files&)` on the executor and gives what it gives. What it throws passes through.
  template <typename F>
  kj::Promise<std::invoke_result_t<F&, Files&>> run(F f) {
    using T = std::invoke_result_t<F&, Files&>;
    if constexpr (std::is_void_v<T>) {
      co_await executor.execute([&]() { f(opened()); });
    } else {
      std::optional<T> result;
      co_await executor.execute([&]() { result.emplace(f(opened())); });
      co_return kj::mv(*result);
    }
  }

 private:
  Executor& executor;
  const kj::Directory& home;
  Entropy& entropy;
  kj::Maybe<kj::Own<Files>> files;  // once they have been used

  Files& opened() {
    KJ_IF_MAYBE(there, files) return **there;
    return *files.emplace(kj::heap<Files>(home, entropy));
  }
};

}  // namespace hearth::devices
