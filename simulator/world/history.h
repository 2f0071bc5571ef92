#pragma once
// What happened in a world, for people: events, and the newest messages on the wire. It says nothing
// about what was said: ids and sizes only.

#include "simulator/wire/terrain.h"

#include <deque>
#include <string>
#include <vector>

namespace hearth::sim {

struct HistoryEvent {
  kj::TimePoint at;
  int device = -1;   // DeviceIndex; -1: the world
  std::string kind;  // "state", "fault", "step", "link", "job", "log", "violation", ...
  std::string text;
};

struct HistoryMessage {
  kj::TimePoint at;
  uint64_t connection;
  DeviceIndex from, to;
  uint32_t bytes;
  uint8_t record;  // the first byte, which names a record when one begins here
};

class History final {
 public:
  static constexpr size_t EVENTS_MAX = 200'000;
  // Of kinds that come all the time: a chatty run shall not lose its last faults.
  static constexpr size_t CHATTER_MAX = 120'000;
  static constexpr size_t MESSAGES_MAX = 20'000;  // the newest
  static constexpr uint64_t NO_CONNECTION = 0;    // a datagram's

  // The clock outlives the history.
  explicit History(const WorldTime& time): time(time) {}

  void add(int device, std::string kind, std::string text) {
    bool chatter = kind == "trace" || kind == "connection" || kind == "battery";
    if (events.size() >= EVENTS_MAX || (chatter && ++chatterCount > CHATTER_MAX)) return;
    events.push_back({time.now(), device, kj::mv(kind), kj::mv(text)});
  }
  void addMessage(HistoryMessage message) {
    if (messages.size() == MESSAGES_MAX) messages.pop_front();
    messages.push_back(message);
  }

  const std::vector<HistoryEvent>& all() const { return events; }
  const std::deque<HistoryMessage>& newestMessages() const { return messages; }

 private:
  const WorldTime& time;
  std::vector<HistoryEvent> events;
  size_t chatterCount = 0;
  std::deque<HistoryMessage> messages;
};

}  // namespace hearth::sim
