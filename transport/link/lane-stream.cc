#include "transport/link/lane-stream.h"

#include <kj/debug.h>

namespace hearth::transport {

void Bell::ring() {
  KJ_IF_MAYBE(fulfiller, waiting) (*fulfiller)->fulfill();
  waiting = nullptr;
}

kj::Promise<void> Bell::wait() {
  auto paf = kj::newPromiseAndFulfiller<void>();
  waiting = kj::mv(paf.fulfiller);
  return kj::mv(paf.promise);
}

void LaneHub::ring(StreamId stream) {
  auto found = bells.find(stream);
  if (found == bells.end()) return;
  found->second.readable.ring();
  found->second.writable.ring();
  if (over || !lanes.isOpen(stream)) found->second.gone.ring();
}

void LaneHub::ringWriters() {
  for (auto& entry: bells) entry.second.writable.ring();
}

void LaneHub::end() {
  over = true;
  for (auto& entry: bells) ring(entry.first);
}

LaneStream::~LaneStream() noexcept(false) {
  hub->bells.erase(id);
  hub->lanes.release(id);
  hub->writer.ring();
}

kj::Promise<size_t> LaneStream::tryRead(void* buffer, size_t minBytes, size_t maxBytes) {
  auto out = kj::arrayPtr(static_cast<kj::byte*>(buffer), maxBytes);
  size_t total = 0;
  for (;;) {
    total += hub->lanes.read(id, out.slice(total, out.size()));
    if (total > 0) hub->writer.ring();  // credit may be due
    if (total >= minBytes) co_return total;
    if (isGone()) kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the stream was reset"));
    if (hub->lanes.atEnd(id)) co_return total;
    co_await hub->bells[id].readable.wait();
  }
}

kj::Promise<void> LaneStream::write(const void* buffer, size_t size) {
  auto rest = kj::arrayPtr(static_cast<const kj::byte*>(buffer), size);
  while (rest.size() > 0) {
    if (isGone()) kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the stream was reset"));
    auto taken = hub->lanes.write(id, rest);
    rest = rest.slice(taken, rest.size());
    if (taken > 0) hub->writer.ring();
    if (rest.size() > 0) co_await hub->bells[id].writable.wait();
  }
}

kj::Promise<void> LaneStream::write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) {
  for (auto piece: pieces) co_await write(piece.begin(), piece.size());
}

kj::Promise<void> LaneStream::whenWriteDisconnected() {
  while (!isGone()) co_await hub->bells[id].gone.wait();
}

void LaneStream::shutdownWrite() {
  hub->lanes.finish(id);
  hub->writer.ring();
}

void LaneStream::abortRead() {
  hub->lanes.reset(id, Errc::STALE);
  hub->writer.ring();
  hub->ring(id);
}

}  // namespace hearth::transport
