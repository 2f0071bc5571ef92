#pragma once
// What two devices have with each other for longer than one carrier lasts: the streams of their lanes, who
// waits for the peer, and how much has gone through. One link after another carries it (link.h,
// handover.h says how they change).

#include "core/base/holding.h"
#include "transport/link/handover.h"
#include "transport/link/lane-stream.h"
#include "transport/link/pulse.h"

#include <array>

namespace hearth::transport {

class Session final: public kj::Refcounted {
 public:
  struct Traffic {
    uint64_t sentBytes = 0, receivedBytes = 0;  // of streams
  };

  // `chooses`: this side says over which link it goes, and opens streams of odd ids.
  Session(bool chooses, kj::Timer& timer): Session(Handover(chooses), timer) {}
  // The one that begins where `before` could not go on.
  Session(const Handover& before, kj::Timer& timer)
      : handover(before),
        hub(kj::refcounted<LaneHub>(before.isChooser(), timer)) {}
  ~Session() noexcept(false) { hub->end(); }
  KJ_DISALLOW_COPY_AND_MOVE(Session);

  Handover handover;

  // The link that is to carry it has this pulse: it is told whether anybody waits. Both outlive that, or letGo().
  void watchedBy(Pulse& pulse);

  // That link sends its frames from now on; `sender` is rung when there is one.
  void carriedBy(Bell& sender);

  void letGo(Pulse& pulse);

  // What the peer must know to go on, and going on where it is.
  // Errors (which end the session): INTEGRITY_FAILED.
  LaneStates states() { return hub->lanes.states(); }
  Result<void> goOn(const LaneStates& peer);

  // Errors: LIMIT_EXCEEDED.
  Result<kj::Own<kj::AsyncIoStream>> open(Lane lane, kj::ArrayPtr<const kj::byte> header);

  // Somebody waits for the peer until the returned object is dropped.
  kj::Own<void> attend();

  // Whether somebody waits for the peer now, or for a stream's bytes.
  bool isWaitedFor() const { return attending > 0 || hub->lanes.anyWaitedFor(); }
  void updateAttention();

  // Ends every stream.
  void end() { hub->end(); }

  // A frame of the peer's. Gives the stream that it has opened, if it has.
  // Errors (all end the session): those of Lanes::received.
  struct Incoming {
    kj::Array<const kj::byte> header;
    kj::Own<kj::AsyncIoStream> stream;
  };
  Result<kj::Maybe<Incoming>> received(uint8_t type, kj::ArrayPtr<const kj::byte> body);

  // A chunk out of a BULK record. Errors: those of Lanes::receivedBulk.
  Result<void> receivedBulk(StreamId stream, uint64_t offset, kj::ArrayPtr<const kj::byte> bytes);

  // The most urgent frame, as long as nothing else is asked of the lanes.
  kj::Maybe<LaneOutFrame> next(size_t bulkBytesMax);

  LaneHub& lanes() { return *hub; }
  uint32_t carriers() const { return carried; }  // so far
  const std::array<Traffic, LANES>& traffic() const { return counts; }
  void addTo(Holdings& holdings) const { hub->lanes.addTo(holdings); }

 private:
  kj::Own<LaneHub> hub;
  kj::Maybe<Pulse&> pulse;
  uint32_t attending = 0;
  uint32_t carried = 0;
  std::array<Traffic, LANES> counts;

  void act(const LaneEvent& event, size_t bytes);
};

}  // namespace hearth::transport
