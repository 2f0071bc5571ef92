#include "transport/link/session.h"

namespace hearth::transport {

using Kind = LaneEvent::Kind;

namespace {
size_t headBytesOf(Kind kind) {
  return kind == Kind::FRAME ? LANE_FRAME_HEAD_BYTES : sizeof(StreamId);
}
}  // namespace

void Session::watchedBy(Pulse& itsPulse) {
  pulse = itsPulse;
  updateAttention();
}

void Session::carriedBy(Bell& sender) {
  ++carried;
  hub->sentBy(sender);
  hub->ringSender();
}

void Session::letGo(Pulse& itsPulse) {
  KJ_IF_MAYBE(watching, pulse) {
    if (watching != &itsPulse) return;  // another link has it already
  }
  hub->sentBy(nullptr);
  pulse = nullptr;
  itsPulse.attend(false);
}

Result<void> Session::goOn(const LaneStates& peer) {
  auto events = hub->lanes.resume(peer);
  if (!events) return no(events.error());
  for (auto& event: *events) hub->ring(event.stream);
  hub->ringWriters();
  return {};
}

void Session::updateAttention() {
  KJ_IF_MAYBE(watching, pulse) watching->attend(isWaitedFor());
}

Result<kj::Own<kj::AsyncIoStream>> Session::open(Lane lane, kj::ArrayPtr<const kj::byte> header) {
  auto id = hub->lanes.open(lane, header);
  if (!id) return no(id.error());
  updateAttention();
  hub->ringSender();
  return kj::Own<kj::AsyncIoStream>(kj::heap<LaneStream>(kj::addRef(*hub), *id));
}

kj::Own<void> Session::attend() {
  ++attending;
  updateAttention();
  return kj::heap(kj::defer([this, alive = kj::addRef(*this)]() {
    --attending;
    updateAttention();
  }));
}

Result<kj::Maybe<Session::Incoming>> Session::received(
    uint8_t type, kj::ArrayPtr<const kj::byte> body) {
  auto event = hub->lanes.received(type, body, hub->timer.now());
  if (!event) return no(event.error());
  if (event->kind == Kind::OPENED) {
    auto header = kj::heapArray<const kj::byte>(hub->lanes.headerOf(event->stream));
    auto stream = kj::heap<LaneStream>(kj::addRef(*hub), event->stream);
    return kj::Maybe<Incoming>(Incoming{kj::mv(header), kj::mv(stream)});
  }
  act(*event, body.size() - headBytesOf(event->kind));
  return kj::Maybe<Incoming>();
}

Result<void> Session::receivedBulk(
    StreamId stream, uint64_t offset, kj::ArrayPtr<const kj::byte> bytes) {
  auto event = hub->lanes.receivedBulk(stream, offset, bytes);
  if (!event) return no(event.error());
  act(*event, bytes.size());
  return {};
}

// `bytes`: of the stream, or of its frame, that can be read now.
void Session::act(const LaneEvent& event, size_t bytes) {
  if (event.kind == Kind::READABLE || event.kind == Kind::FRAME)
    counts[static_cast<size_t>(hub->lanes.laneOf(event.stream))].receivedBytes += bytes;
  if (event.kind != Kind::NOTHING) hub->ring(event.stream);
}

kj::Maybe<LaneOutFrame> Session::next(size_t bulkBytesMax) {
  auto frame = hub->lanes.next(hub->timer.now(), bulkBytesMax);
  KJ_IF_MAYBE(ready, frame) {
    if (ready->type == LaneFrame::STREAM || ready->type == LaneFrame::FRAME)
      counts[static_cast<size_t>(ready->lane)].sentBytes += ready->bytes.size();
  }
  return frame;
}

}  // namespace hearth::transport
