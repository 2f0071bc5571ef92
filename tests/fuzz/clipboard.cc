// What other devices say of the clipboard, and the entries that they bring.

#include "devices/clipboard/clip-message.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace devices = hearth::devices;
  auto bytes = kj::arrayPtr(data, size);
  auto message = devices::clip::decode(bytes);
  if (!message) return 0;
  // What is read is written back as it was.
  auto again = devices::clip::encode(*message);
  hearth::fuzz::expect(again.slice(4, again.size()) == bytes);
  if (auto item = std::get_if<devices::clip::Item>(&*message)) {
    auto clip = devices::Clip::read(item->envelope);
    if (!clip) return 0;
    hearth::fuzz::expect(clip->bytes.size() <= devices::Clip::BYTES_MAX);
    hearth::fuzz::expect(clip->preview().size() <= 60);
    hearth::crypto::SignPublic nobody;
    hearth::fuzz::expect(!devices::Clip::verify(item->envelope, nobody).has_value());
  }
  return 0;
}
