#pragma once
// The documents of this device: each lives in the operation log as the entries of its name, and in memory while
// somebody uses it.

#include "storage/documents/live-document.h"

#include <list>

namespace hearth::storage {

// The collection of the documents that belong to nothing else.
crypto::CollectionId ownDocuments();

class Documents final: private Log::Follower {
 public:
  static constexpr size_t IDLE_MAX = 32;  // that nobody uses and that stay in memory all the same
  static constexpr size_t IN_USE_MAX = 1'024;

  // `around` outlives this object.
  explicit Documents(
      LiveDocument::Surroundings around, const crypto::CollectionId& collection = ownDocuments());
  ~Documents() noexcept(false);

  // A document in use: it stays in memory until all of its handles are gone.
  class Handle final {
   public:
    Handle(Documents& documents, LiveDocument& document);
    Handle(Handle&& other) noexcept;
    ~Handle() noexcept(false);
    KJ_DISALLOW_COPY(Handle);
    // The documents are gone, and this one with them.
    void forget() { document = nullptr; }
    LiveDocument* operator->() const { return document; }
    LiveDocument& operator*() const { return *document; }

   private:
    Documents* documents;
    LiveDocument* document;
  };

  // Opens the document of that name, which is empty before anybody has written to it.
  // Errors: BAD_FORMAT for a name that none can have; LIMIT_EXCEEDED for too many at a time.
  kj::Promise<Result<Handle>> open(std::string name);

  kj::Promise<std::vector<std::string>> names();

  size_t inMemory() const { return all.size(); }

 private:
  struct Kept {
    kj::Own<LiveDocument> document;
    size_t users = 0;
  };

  LiveDocument::Surroundings around;
  crypto::CollectionId collection;
  std::map<std::string, Kept> all;
  std::list<std::string> idle;  // the longest first

  void released(const std::string& name);
  void forgetIdle();
  void stored(const Log::Stored& entry) override;
};

}  // namespace hearth::storage
