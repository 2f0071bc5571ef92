#include "transport/link/live-frames.h"

#include <algorithm>

namespace hearth::transport {

uint64_t LiveSender::put(kj::ArrayPtr<const kj::byte> bytes, kj::TimePoint deadline,
    kj::TimePoint now, LiveCounts& counts) {
  dropLate(now, counts);
  if (queue.size() == LiveLimits::QUEUED_MAX) {
    queue.pop_front();
    ++counts.dropped;
  }
  queue.push_back({++newest, deadline, kj::heapArray(bytes)});
  return newest;
}

// Deadlines need not be in order: every one that has passed goes.
void LiveSender::dropLate(kj::TimePoint now, LiveCounts& counts) {
  counts.dropped += std::erase_if(queue, [now](auto& frame) { return frame.deadline <= now; });
}

void LiveSender::dropAll(LiveCounts& counts) {
  counts.dropped += queue.size();
  queue.clear();
}

kj::Maybe<LiveSender::Sealing> LiveSender::next(kj::TimePoint now, LiveCounts& counts) {
  dropLate(now, counts);
  if (!mayHaveNext()) return nullptr;
  auto frame = kj::mv(queue.front());
  queue.pop_front();
  sealing = kj::mv(frame.bytes);
  newestSent = frame.number;
  unread.push_back(frame.number);
  ++sentInAll;
  ++counts.sent;
  // Less than a microsecond is still some time.
  auto leftUs = std::max<int64_t>((frame.deadline - now) / kj::MICROSECONDS, 1);
  return Sealing{frame.number, static_cast<uint32_t>(leftUs), sealing};
}

Result<void> LiveSender::credited(uint64_t number, uint64_t lateInAll, LiveCounts& counts) {
  if (number > newestSent || lateInAll > sentInAll)
    return no(Errc::LIMIT_EXCEEDED, "credit for frames that cannot have come");
  if (number < creditedUpto || lateInAll < late)
    return no(Errc::BAD_FORMAT, "credit for frames that is taken back");
  creditedUpto = number;
  counts.lateThere += lateInAll - late;
  late = lateInAll;
  while (!unread.empty() && unread.front() <= number) unread.pop_front();
  return {};
}

Result<void> LiveReceiver::received(uint64_t number, kj::Duration left,
    kj::ArrayPtr<const kj::byte> bytes, kj::TimePoint now, LiveCounts& counts) {
  if (number <= newest) return no(Errc::BAD_FORMAT, "a frame whose number does not grow");
  if (unstated.size() == LiveLimits::UNREAD_MAX)
    return no(Errc::LIMIT_EXCEEDED, "more frames than were granted");
  counts.missing += number - newest - 1;
  newest = number;
  unstated.push_back(number);
  if (left <= 0 * kj::SECONDS) {
    countLate(counts);
    return {};
  }
  // What a reader has left lying over a change of the carrier makes room for what is new.
  if (queue.size() == LiveLimits::UNREAD_MAX) {
    queue.pop_front();
    countLate(counts);
  }
  queue.push_back({number, now + left, kj::heapArray(bytes)});
  return {};
}

kj::Maybe<LiveFrame> LiveReceiver::take(kj::TimePoint now, LiveCounts& counts) {
  while (!queue.empty()) {
    auto frame = kj::mv(queue.front());
    queue.pop_front();
    if (frame.deadline <= now) {
      countLate(counts);
      continue;
    }
    ++counts.received;
    auto skipped = frame.number - given - 1;
    given = frame.number;
    return LiveFrame{frame.number, skipped, kj::mv(frame.bytes)};
  }
  return nullptr;
}

size_t LiveReceiver::done() const {
  return static_cast<size_t>(std::ranges::upper_bound(unstated, doneUpto()) - unstated.begin());
}

LiveReceiver::Credit LiveReceiver::credit() {
  unstated.erase(unstated.begin(), unstated.begin() + static_cast<ptrdiff_t>(done()));
  return {doneUpto(), late};
}

}  // namespace hearth::transport
