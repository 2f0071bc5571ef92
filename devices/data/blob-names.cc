#include "devices/data/blob-names.h"

#include "storage/crdt/varint.h"

#include <kj/encoding.h>

namespace hearth::devices {

using storage::BlobRef;
using storage::ContentId;
using storage::Draft;
using storage::Octets;
using storage::Path;
using storage::Tree;

namespace {

constexpr const char *NAMES = "names", *HAS = "has", *REMOVED = "removed";
constexpr const char *REFERENCE = "reference", *BYTES = "bytes";
constexpr size_t PREFIX_DIGITS_MIN = 8;  // of a content id that stands for a name

constexpr std::pair<BlobNames::Has, const char*> WORDS[] = {{BlobNames::Has::COPY, "copy"},
    {BlobNames::Has::KEPT, "kept"}, {BlobNames::Has::WAS_KEPT, "was kept"},
    {BlobNames::Has::GONE, "gone"}};

template <typename Id>
std::string hexOf(const Id& id) {
  return kj::encodeHex(id.asBytes()).cStr();
}

template <typename Id>
kj::Maybe<Id> idOf(const std::string& hex) {
  auto bytes = kj::decodeHex(kj::arrayPtr(hex.data(), hex.size()));
  auto id = Id::from(bytes);
  if (bytes.hadErrors || !id) return nullptr;
  return *id;
}

// Others have written it: it may be anything.
kj::Maybe<BlobRef> refOf(const Tree& entry) {
  auto map = std::get_if<Tree::Map>(&entry.value);
  if (map == nullptr || !map->contains(REFERENCE)) return nullptr;
  auto octets = std::get_if<Octets>(&map->at(REFERENCE).value);
  if (octets == nullptr) return nullptr;
  auto ref = BlobRef::parse(kj::arrayPtr(octets->bytes.data(), octets->bytes.size()).asBytes());
  if (!ref) return nullptr;
  return *ref;
}

Tree treeOf(const BlobRef& ref) {
  auto encoded = ref.encode();
  Octets octets{std::string(encoded.asChars().begin(), encoded.size())};
  return {Tree::Map{{REFERENCE, {octets}}, {BYTES, {static_cast<int64_t>(ref.top.length)}}}};
}

bool mayBeName(const std::string& name) {
  return !name.empty() && name.size() <= BlobNames::NAME_BYTES_MAX && storage::isUtf8(name) &&
      name.find('\0') == std::string::npos && name.find('\n') == std::string::npos;
}

}  // namespace

kj::Promise<void> BlobNames::start() {
  auto handle = co_await documents.open("blobs");
  KJ_REQUIRE(handle.has_value(), "the names of blobs", handle.error().because);
  opened = kj::mv(*handle);
}

Tree::Map BlobNames::mapAt(const Path& path) {
  auto tree = storage::treeAt(handle()->document(), path);
  if (!tree) return {};
  auto map = std::get_if<Tree::Map>(&tree->value);
  return map == nullptr ? Tree::Map() : kj::mv(*map);
}

std::vector<BlobNames::Named> BlobNames::all() {
  std::vector<Named> found;
  for (auto& [name, entry]: mapAt({NAMES})) {
    KJ_IF_MAYBE(ref, refOf(entry)) found.push_back({name, *ref});
  }
  return found;
}

Result<BlobNames::Named> BlobNames::find(const std::string& wanted) {
  std::map<ContentId, Named> beginning;
  for (auto& named: all()) {
    if (named.name == wanted) return named;
    if (wanted.size() >= PREFIX_DIGITS_MIN && hexOf(named.ref.contentId()).starts_with(wanted))
      beginning.emplace(named.ref.contentId(), named);
  }
  if (beginning.empty())
    return no(Errc::BAD_FORMAT, "no blob is called so: hearth blob list shows them");
  if (beginning.size() > 1)
    return no(Errc::BAD_FORMAT, "several blobs begin so: give more of the id");
  return beginning.begin()->second;
}

std::map<DeviceId, BlobNames::Has> BlobNames::holders(const ContentId& content) {
  std::map<DeviceId, Has> found;
  for (auto& [device, state]: mapAt({HAS, hexOf(content)})) {
    auto word = std::get_if<std::string>(&state.value);
    auto id = idOf<DeviceId>(device);
    KJ_IF_MAYBE(known, id) {
      for (auto& [has, text]: WORDS)
        if (word != nullptr && *word == text) found[*known] = has;
    }
  }
  return found;
}

std::vector<ContentId> BlobNames::removed() {
  std::set<ContentId> named;
  for (auto& entry: all()) named.insert(entry.ref.contentId());
  std::vector<ContentId> found;
  for (auto& [hex, entry]: mapAt({REMOVED})) {
    KJ_IF_MAYBE(content, idOf<ContentId>(hex)) {
      if (!named.contains(*content)) found.push_back(*content);
    }
  }
  return found;
}

Result<void> BlobNames::mayName(const std::string& name, kj::Maybe<const BlobRef&> ref) {
  if (!mayBeName(name))
    return no(Errc::BAD_FORMAT, "a blob's name is 1 to 255 bytes of UTF-8, on one line");
  auto names = mapAt({NAMES});
  auto taken = names.find(name);
  if (taken == names.end()) return {};
  KJ_IF_MAYBE(wanted, ref) {
    KJ_IF_MAYBE(other, refOf(taken->second)) {
      if (*other == *wanted) return {};
    }
    return no(Errc::BAD_FORMAT,
        "another blob is called so: give this one another --name, or remove that one");
  }
  return {};
}

kj::Promise<Result<void>> BlobNames::name(std::string name, BlobRef ref, DeviceId by) {
  if (auto may = mayName(name, ref); !may) co_return no(may.error());
  bool isSame = mapAt({NAMES}).contains(name);
  auto content = hexOf(ref.contentId());
  bool wasRemoved = mapAt({REMOVED}).contains(content);
  co_return co_await handle()->change([=](Draft& draft) -> Result<void> {
    if (!isSame) {
      if (auto set = draft.set({NAMES, name}, treeOf(ref)); !set) return set;
    }
    if (wasRemoved) {
      if (auto back = draft.remove({REMOVED, content}); !back) return back;
    }
    return draft.set({HAS, content, hexOf(by)}, {std::string("kept")});
  });
}

kj::Promise<Result<void>> BlobNames::remove(std::string name) {
  kj::Maybe<ContentId> content;
  size_t others = 0;
  auto named = all();
  for (auto& entry: named)
    if (entry.name == name) content = entry.ref.contentId();
  KJ_IF_MAYBE(gone, content) {
    for (auto& entry: named) others += entry.name != name && entry.ref.contentId() == *gone;
    auto hex = hexOf(*gone);
    bool hasHolders = mapAt({HAS}).contains(hex);
    co_return co_await handle()->change([=](Draft& draft) -> Result<void> {
      if (auto done = draft.remove({NAMES, name}); !done || others > 0) return done;
      if (hasHolders) {
        if (auto done = draft.remove({HAS, hex}); !done) return done;
      }
      return draft.set({REMOVED, hex}, {true});
    });
  }
  co_return no(Errc::BAD_FORMAT, "no blob is called so: hearth blob list shows them");
}

kj::Promise<Result<void>> BlobNames::setHas(ContentId content, DeviceId device, Has has) {
  auto hex = hexOf(content), by = hexOf(device);
  auto now = holders(content);
  auto before = now.contains(device) ? now[device] : Has::NOTHING;
  if (before == has) co_return Result<void>();
  std::string word;
  for (auto& [state, text]: WORDS)
    if (state == has) word = text;
  co_return co_await handle()->change([=](Draft& draft) {
    return word.empty() ? draft.remove({HAS, hex, by}) : draft.set({HAS, hex, by}, {word});
  });
}

kj::Promise<void> BlobNames::changed() { return handle()->changed(); }

uint32_t reliable(const std::map<DeviceId, BlobNames::Has>& holders, const DeviceId& self,
    kj::FunctionParam<bool(const DeviceId&)> isActive) {
  using Has = BlobNames::Has;
  auto own = holders.find(self);
  bool isReliedOn =
      own != holders.end() && (own->second == Has::KEPT || own->second == Has::WAS_KEPT);
  uint32_t count = 0;
  for (auto& [device, has]: holders) {
    bool keeps = has == Has::KEPT && device != self && isActive(device);
    if (keeps && (!isReliedOn || device < self)) ++count;
  }
  return count;
}

}  // namespace hearth::devices
