#include "storage/documents/documents.h"

#include "storage/crdt/varint.h"

#include <kj/debug.h>

namespace hearth::storage {

crypto::CollectionId ownDocuments() {
  auto hash = crypto::hash("hearth/collection/v1", {kj::StringPtr("documents").asBytes()});
  return crypto::CollectionId::from(hash.asBytes().slice(0, crypto::CollectionId::SIZE)).value();
}

Documents::Documents(LiveDocument::Surroundings around, const crypto::CollectionId& collection)
    : around(around),
      collection(collection) {
  around.log.follow(*this);
}

Documents::~Documents() noexcept(false) {}

Documents::Handle::Handle(Documents& documents, LiveDocument& document)
    : documents(&documents),
      document(&document) {
  ++documents.all.at(document.name()).users;
}

Documents::Handle::Handle(Handle&& other) noexcept
    : documents(other.documents),
      document(other.document) {
  other.document = nullptr;
}

Documents::Handle::~Handle() noexcept(false) {
  if (document != nullptr) documents->released(document->name());
}

kj::Promise<Result<Documents::Handle>> Documents::open(std::string name) {
  bool isName = !name.empty() && name.size() <= Content::TOPIC_BYTES_MAX && isUtf8(name) &&
      name.find('\0') == std::string::npos;
  if (!isName) co_return no(Errc::BAD_FORMAT, "a document's name is 1 to 255 bytes of UTF-8");
  auto found = all.find(name);
  if (found == all.end()) {
    if (all.size() >= IN_USE_MAX)
      co_return no(Errc::LIMIT_EXCEEDED, "too many documents are in use: close some");
    auto document = kj::heap<LiveDocument>(around, collection, name);
    found = all.emplace(name, Kept{kj::mv(document)}).first;
  }
  idle.remove(name);
  Handle handle(*this, *found->second.document);
  co_await handle->ready();
  co_return kj::mv(handle);
}

void Documents::released(const std::string& name) {
  auto found = all.find(name);
  if (--found->second.users > 0) return;
  if (found->second.document->hasFailed()) {
    all.erase(found);  // whoever wants it next tries anew
    return;
  }
  idle.push_back(found->first);
  forgetIdle();
}

void Documents::forgetIdle() {
  for (auto name = idle.begin(); idle.size() > IDLE_MAX && name != idle.end();) {
    auto found = all.find(*name);
    // What is on its way to the disk goes on.
    if (!found->second.document->isQuiet()) {
      ++name;
      continue;
    }
    all.erase(found);
    name = idle.erase(name);
  }
}

kj::Promise<std::vector<std::string>> Documents::names() {
  return around.store.read(
      [collection = collection](Database& db) { return entries::topics(db, collection); });
}

void Documents::stored(const Log::Stored& entry) {
  if (entry.head.collection != collection) return;
  KJ_IF_MAYBE(content, entry.content) {
    auto found = all.find(content->label.topic);
    if (found != all.end()) found->second.document->arrived(entry);
  }
}

}  // namespace hearth::storage
