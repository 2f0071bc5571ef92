#pragma once
// The clipboard that all devices of a circle share: what is copied on one can be pasted on the others, for as long as
// its author has said. Then it is gone everywhere: each device drops it by itself, shows it no more at once, and
// overwrites its bytes soon after (docs/adr/0107).
//
//   copy ──▶ disk ──▶ STATE to every peer ──▶ WANT ──▶ ITEM, with the time that is left ──▶ their disks
//
// A VAULT has no part in it, as it could not shred what it cannot read.

#include "core/time/hlc.h"
#include "devices/clipboard/clip-session.h"
#include "devices/clipboard/clip-shelf.h"
#include "devices/data/blob-circle.h"
#include "devices/data/peer-streams.h"
#include "storage/log/log.h"

namespace hearth::devices {

// First byte of a lane stream's header: what the stream is for.
constexpr kj::byte STREAM_KIND_CLIPBOARD = 10;

class Clipboard final: private ClipSession::Owner, private kj::TaskSet::ErrorHandler {
 public:
  static constexpr kj::Duration LIFETIME = 10 * kj::MINUTES;  // where no setting says another one
  // A laptop that has slept notices within this that times are over; its clock that only runs stood still.
  static constexpr kj::Duration LOOKED_AT_EVERY = 60 * kj::SECONDS;
  // What is over at about the same time is overwritten together. Where the disk refuses it, it is tried again.
  static constexpr kj::Duration TOGETHER = 1 * kj::SECONDS, TRIED_AGAIN_AFTER = 10 * kj::SECONDS;
  // Somebody may clear what was copied so far in the future; more is a lie, or a clock that is off.
  static constexpr kj::Duration AHEAD_MAX = Hlc::AHEAD_MAX;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    const kj::Clock& clock;
    storage::Store& store;
    const storage::Log::Circle& circle;
    const BlobCircle& readers;
    transport::Links& links;
  };
  explicit Clipboard(Surroundings around);
  ~Clipboard() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(Clipboard);

  // Reads what the disk holds. Nothing else may be asked before.
  kj::Promise<void> start();

  void peerUp(const DeviceId& peer);
  void peerDown(const DeviceId& peer) { streams.peerDown(peer); }
  void incoming(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream);

  struct Copy {
    std::string mime;
    crypto::Buffer bytes;
    kj::Maybe<kj::Duration> lifetime;  // none: until others have taken its room, or it is cleared
    bool isSecret = false;
  };
  struct View {
    storage::ClipRow row;
    uint64_t leftMs = 0;  // 0: it has no lifetime
    std::string id() const;
  };
  struct Pasted {
    View view;
    crypto::Buffer bytes;
  };

  // Resolves when it is on disk.
  // Errors: LIMIT_EXCEEDED for what is too large; BAD_FORMAT for no MIME type or lifetime; NOT_AUTHORISED on a device
  // that has no part in the clipboard.
  kj::Promise<Result<View>> copy(Copy copy);
  // Newest first.
  std::vector<View> list() const;
  // `id`: the beginning of one; empty: the newest. Errors: BAD_FORMAT when nothing is there, or several are.
  kj::Promise<Result<Pasted>> paste(std::string id);
  // Everything that is here is gone, and will be everywhere; resolves when its bytes are, here. Gives how many.
  kj::Promise<size_t> clear();
  // Resolves when something else is there.
  kj::Promise<void> changed() { return change.addBranch(); }

  size_t holds() const { return shelf.size(); }

 private:
  struct Asking {
    storage::ClipName name;
    DeviceId peer;
  };

  Surroundings around;
  ClipShelf shelf;
  Hlc places;
  std::map<DeviceId, clip::State> said;  // by peer
  std::map<DeviceId, Asking> asking;     // by author: one after the other
  std::vector<storage::ClipName> owed;   // that are gone from the shelf and not from the disk
  std::map<DeviceId, uint64_t>
      unwritten;  // up to where was cleared, by author, and the disk does not know
  bool owesCheckpoint = false;
  transport::Bell news;  // for whoever watches the time
  kj::PromiseFulfillerPair<void> next = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> change = next.promise.fork();
  PeerStreams<ClipSession> streams;
  kj::TaskSet tasks;

  ClipShelf::Now now() const { return {around.timer.now(), around.clock.now()}; }
  int64_t wallMs() const { return (around.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS; }
  template <typename T>
  kj::Promise<T> toItsEnd(kj::Promise<T> work);
  void tellChanged();
  void forget(const DeviceId& peer);
  void askForMore();
  bool isCleared(const storage::ClipName& name) const;
  kj::Maybe<Asking> nextOf(const DeviceId& author);
  Result<void> isFit(const Copy& copy) const;
  kj::Promise<Result<View>> copyNow(Copy copy);
  kj::Promise<void> put(storage::ClipRow row, crypto::Buffer envelope);
  kj::Promise<size_t> clearNow();
  kj::Promise<void> clearUpto(std::map<DeviceId, uint64_t> upto);
  kj::Promise<Result<void>> take(Clip clip, uint64_t leftMs, crypto::Buffer envelope);
  kj::Promise<void> watchTime();
  bool owesDisk() const { return !owed.empty() || !unwritten.empty() || owesCheckpoint; }
  kj::Promise<void> writeClears();
  kj::Promise<void> erase();
  kj::Promise<void> payDisk();
  kj::Promise<void> checkpoint();
  clip::State state() const override;
  kj::Promise<kj::Maybe<clip::Item>> item(storage::ClipName name) override;
  void heard(const DeviceId& from, clip::State state) override;
  kj::Promise<Result<void>> received(const DeviceId& from, clip::Item item) override;
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices
