// What other devices say of who is at a document.

#include "devices/data/presence-message.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace presence = hearth::devices::presence;
  auto bytes = kj::arrayPtr(data, size);
  auto message = presence::decode(bytes);
  if (!message) return 0;
  // What is read is written back as it was.
  auto again = presence::encode(*message);
  hearth::fuzz::expect(again.slice(2, again.size()) == bytes);
  return 0;
}
