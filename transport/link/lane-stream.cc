#include "transport/link/lane-stream.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {
kj::Exception wasReset() { return KJ_EXCEPTION(DISCONNECTED, "the stream was reset"); }
}  // namespace

void Bell::ring() {
  KJ_IF_MAYBE(fulfiller, waiting) (*fulfiller)->fulfill();
  waiting = nullptr;
}

kj::Promise<void> Bell::wait() {
  auto paf = kj::newPromiseAndFulfiller<void>();
  waiting = kj::mv(paf.fulfiller);
  return kj::mv(paf.promise);
}

void LaneHub::ringWriter() {
  if (lanes.hasNext()) ringSender();
}

void LaneHub::ring(StreamId id) {
  auto found = held.find(id);
  if (found == held.end()) return;
  auto& stream = *found->second;
  stream.readOn();
  stream.writeOn();
  stream.frameCame.ring();
  if (stream.isGone()) stream.gone.ring();
}

void LaneHub::ringWriters() {
  for (auto next = writing.begin(); next != writing.end();) held.at(*next++)->writeOn();
}

void LaneHub::end() {
  over = true;
  for (auto& entry: held) ring(entry.first);
}

LaneStream::LaneStream(kj::Own<LaneHub> hubIn, StreamId id): hub(kj::mv(hubIn)), id(id) {
  hub->held[id] = this;
}

LaneStream::~LaneStream() noexcept(false) {
  hub->held.erase(id);
  hub->writing.erase(id);
  hub->lanes.release(id);
  hub->ringSender();  // also when there is nothing to send: the link attends to fewer now
}

size_t LaneStream::readSome(kj::ArrayPtr<kj::byte> room) {
  auto got = hub->lanes.read(id, room);
  if (got > 0) hub->ringWriter();  // credit may be due
  return got;
}

kj::Promise<size_t> LaneStream::tryRead(void* buffer, size_t minBytes, size_t maxBytes) {
  auto room = kj::arrayPtr(static_cast<kj::byte*>(buffer), maxBytes);
  auto got = readSome(room);
  if (got >= minBytes) return got;
  auto paf = kj::newPromiseAndFulfiller<size_t>();
  reading = Reading{room, minBytes, got, kj::mv(paf.fulfiller)};
  readOn();
  return kj::mv(paf.promise);
}

void LaneStream::readOn() {
  KJ_IF_MAYBE(now, reading) {
    bool over = true;
    if (now->fulfiller->isWaiting()) {
      now->got += readSome(now->room.slice(now->got, now->room.size()));
      if (now->got >= now->least) {
        now->fulfiller->fulfill(kj::cp(now->got));
      } else if (isGone()) {
        now->fulfiller->reject(wasReset());
      } else if (hub->lanes.atEnd(id)) {
        now->fulfiller->fulfill(kj::cp(now->got));
      } else {
        over = false;
      }
    }
    if (over) reading = nullptr;
  }
}

kj::Promise<void> LaneStream::write(const void* buffer, size_t size) {
  return write(kj::arrayPtr(static_cast<const kj::byte*>(buffer), size), nullptr);
}

kj::Promise<void> LaneStream::write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) {
  return write(nullptr, pieces);
}

void LaneStream::writeSome(
    kj::ArrayPtr<const kj::byte>& rest, kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>>& behind) {
  for (;;) {
    if (rest.size() > 0) rest = rest.slice(hub->lanes.write(id, rest), rest.size());
    if (rest.size() > 0 || behind.size() == 0) break;
    rest = behind[0];
    behind = behind.slice(1, behind.size());
  }
  hub->ringWriter();
}

kj::Promise<void> LaneStream::write(
    kj::ArrayPtr<const kj::byte> rest, kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> behind) {
  if (isGone()) return wasReset();
  ++hub->writes;
  writeSome(rest, behind);
  if (rest.size() == 0) return kj::READY_NOW;
  auto paf = kj::newPromiseAndFulfiller<void>();
  writing = Writing{rest, behind, kj::mv(paf.fulfiller)};
  hub->writing.insert(id);
  return kj::mv(paf.promise);
}

void LaneStream::writeOn() {
  KJ_IF_MAYBE(now, writing) {
    bool over = true;
    if (now->fulfiller->isWaiting()) {
      if (isGone()) {
        now->fulfiller->reject(wasReset());
      } else {
        writeSome(now->rest, now->behind);
        over = now->rest.size() == 0;
        if (over) now->fulfiller->fulfill();
      }
    }
    if (over) {
      writing = nullptr;
      hub->writing.erase(id);
    }
  }
}

uint64_t LaneStream::sendFrame(kj::ArrayPtr<const kj::byte> bytes, kj::Duration within) {
  if (isGone()) return 0;
  auto now = hub->timer.now();
  auto number = hub->lanes.writeFrame(id, bytes, now + within, now);
  hub->ringWriter();
  return number;
}

kj::Promise<LiveFrame> LaneStream::nextFrame() {
  for (;;) {
    if (isGone()) kj::throwFatalException(wasReset());
    auto frame = hub->lanes.readFrame(id, hub->timer.now());
    hub->ringWriter();  // credit may be due
    KJ_IF_MAYBE(here, frame) co_return kj::mv(*here);
    if (hub->lanes.atEnd(id))
      kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the stream has come to its end"));
    co_await frameCame.wait();
  }
}

kj::Promise<void> LaneStream::whenWriteDisconnected() {
  while (!isGone()) co_await gone.wait();
}

void LaneStream::shutdownWrite() {
  hub->lanes.finish(id);
  hub->ringSender();
}

void LaneStream::abortRead() {
  hub->lanes.reset(id, Errc::STALE);
  hub->ringSender();
  hub->ring(id);
}

}  // namespace hearth::transport
