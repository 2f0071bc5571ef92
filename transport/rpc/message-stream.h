#pragma once
// Cap'n Proto messages over a stream, each read within what SECURITY.md §6.4 allows it: at most 16 MiB,
// nesting 32 deep, and no more than four times its own size looked at. A message of a few words that leads
// its reader around in circles is so at its end after some thousand of them.

#include <capnp/serialize-async.h>

namespace hearth::transport {

constexpr size_t MESSAGE_WORDS_MAX = (16 << 20) / sizeof(capnp::word);
constexpr size_t SEGMENTS_MAX = 512;

// What the reader of a message of so many words takes at most.
capnp::ReaderOptions readerOptions(size_t messageWords);

class MessageStream final: public capnp::MessageStream {
 public:
  // `stream` outlives it.
  explicit MessageStream(kj::AsyncIoStream& stream): stream(stream) {}

  using capnp::MessageStream::tryReadMessage;
  using capnp::MessageStream::writeMessage;
  using capnp::MessageStream::writeMessages;

  // The options are those of readerOptions(), whatever the caller says. No descriptors come along. Throws
  // DISCONNECTED when the stream ends within a message, FAILED when it is over a limit.
  kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> tryReadMessage(
      kj::ArrayPtr<kj::AutoCloseFd> fdSpace, capnp::ReaderOptions options,
      kj::ArrayPtr<capnp::word> scratchSpace) override;

  kj::Promise<void> writeMessage(kj::ArrayPtr<const int> fds,
      kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) override;
  kj::Promise<void> writeMessages(
      kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) override;
  kj::Maybe<int> getSendBufferSize() override { return nullptr; }
  kj::Promise<void> end() override;

 private:
  kj::AsyncIoStream& stream;
};

}  // namespace hearth::transport
