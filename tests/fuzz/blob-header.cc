// F8: the header of a blob's file, and whole files of which bytes were changed, cut off or added: what they give is
// what was sealed, or nothing.

#include "storage/blob/sealed-file.h"
#include "tests/crypto/seeded-entropy.h"
#include "tests/fuzz/target.h"

#include <algorithm>

namespace hearth::fuzz {
namespace {

using namespace storage;

constexpr size_t BLOB_BYTES = SEALED_CHUNK_BYTES + 1'000;

struct Sealed {
  crypto::SeededEntropy entropy{8};
  crypto::CollectionKey wrapping = crypto::CollectionKey::draw(entropy);
  crypto::BlobNameKey naming = crypto::BlobNameKey::draw(entropy);
  BlobKeys keys{wrapping, naming, entropy.draw<crypto::CollectionId>(), entropy.draw<EpochId>()};
  ContentId content = entropy.draw<ContentId>();
  Buffer plain = zeros(BLOB_BYTES), file;

  Sealed() {
    for (size_t i = 0; i < BLOB_BYTES; ++i) plain[i] = static_cast<kj::byte>(i * 7 % 253);
    auto memory = kj::newInMemoryFile(kj::nullClock());
    SealedWriter writer(*memory, keys, content, entropy, BLOB_BYTES);
    writer.add(plain);
    writer.finish();
    file = memory->readAllBytes();
  }
  static const Sealed& get() {
    static const Sealed SEALED;
    return SEALED;
  }
};

void header(FlatReader& in) {
  auto bytes = in.remaining();
  auto read = SealedHeader::parse(bytes);
  if (read) expect(read->encode().asPtr() == bytes);
}

void wholeFile(FlatReader& in) {
  auto& sealed = Sealed::get();
  auto begin = in.u16(), count = in.u16();
  auto memory = kj::newInMemoryFile(kj::nullClock());
  memory->writeAll(damaged(sealed.file, in));
  auto reader = SealedReader::open(kj::mv(memory), sealed.keys, sealed.content, BLOB_BYTES);
  if (!reader) return expect(reader.error().code == Errc::INTEGRITY_FAILED);
  auto out = kj::heapArray<kj::byte>(kj::min(size_t{count}, BLOB_BYTES - begin));
  if ((*reader)->read(begin, out)) expect(out == sealed.plain.slice(begin, begin + out.size()));
}

constexpr void (*WAYS[])(FlatReader&) = {header, wholeFile};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
