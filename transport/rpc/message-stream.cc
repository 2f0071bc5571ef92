#include "transport/rpc/message-stream.h"

#include <capnp/serialize.h>
#include <kj/debug.h>

#include <algorithm>
#include <cstring>

namespace hearth::transport {

namespace {

// The table of a message: how many segments there are, less one, then the words of each, all u32, padded
// to whole words.
uint32_t numberAt(kj::ArrayPtr<const capnp::word> table, size_t at) {
  uint32_t number = 0;
  for (size_t i = 0; i < sizeof(number); ++i)
    number |= uint32_t{table.asBytes()[at * sizeof(number) + i]} << (8 * i);
  return number;
}

size_t tableWords(size_t segments) { return segments / 2 + 1; }

}  // namespace

capnp::ReaderOptions readerOptions(size_t messageWords) {
  constexpr size_t WORDS_MAX = 8 << 20, TIMES = 4, MORE = 1'024;
  capnp::ReaderOptions options;
  options.traversalLimitInWords = std::min(WORDS_MAX, TIMES * messageWords + MORE);
  options.nestingLimit = 32;
  return options;
}

kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> MessageStream::tryReadMessage(
    kj::ArrayPtr<kj::AutoCloseFd>, capnp::ReaderOptions, kj::ArrayPtr<capnp::word>) {
  capnp::word first[1];
  auto got = co_await stream.tryRead(first, sizeof(first), sizeof(first));
  if (got == 0) co_return nullptr;
  if (got < sizeof(first))
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the stream ends within a message"));
  auto segments = size_t{numberAt(first, 0)} + 1;
  KJ_REQUIRE(segments <= SEGMENTS_MAX, "a message in too many pieces");
  auto table = kj::heapArray<capnp::word>(tableWords(segments));
  memcpy(table.begin(), first, sizeof(first));
  auto rest = table.slice(1, table.size()).asBytes();
  if (rest.size() > 0) co_await stream.read(rest.begin(), rest.size());
  size_t words = 0;
  for (size_t i = 0; i < segments; ++i) words += numberAt(table, 1 + i);
  KJ_REQUIRE(words <= MESSAGE_WORDS_MAX, "a message over 16 MiB");
  auto message = kj::heapArray<capnp::word>(table.size() + words);
  memcpy(message.begin(), table.begin(), table.asBytes().size());
  auto body = message.slice(table.size(), message.size()).asBytes();
  if (body.size() > 0) co_await stream.read(body.begin(), body.size());
  kj::Own<capnp::MessageReader> reader =
      kj::heap<capnp::FlatArrayMessageReader>(message, readerOptions(words))
          .attach(kj::mv(message));
  co_return capnp::MessageReaderAndFds{kj::mv(reader), nullptr};
}

kj::Promise<void> MessageStream::writeMessage(
    kj::ArrayPtr<const int>, kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) {
  return capnp::writeMessage(stream, segments);
}

kj::Promise<void> MessageStream::writeMessages(
    kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) {
  return capnp::writeMessages(stream, messages);
}

kj::Promise<void> MessageStream::end() {
  stream.shutdownWrite();
  return kj::READY_NOW;
}

}  // namespace hearth::transport
