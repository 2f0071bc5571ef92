#pragma once
// The devices of a story and the network between them. What does not hold is thrown as Broken.

#include "tests/storage/crdt/histories/replica.h"
#include "tests/storage/crdt/histories/story.h"

#include <deque>

namespace hearth::storage {

class World final {
 public:
  // `told`: see play().
  World(size_t devices, std::string* told);

  void go(const Step& step);
  // Everybody hears of everything; then all of it has to be the same everywhere.
  void end();

 private:
  // What one has said, for each of the others to take once and perhaps again.
  struct Message {
    int from;
    std::vector<Replica::Bytes> bundles;
  };
  // What is typed letter by letter in one text.
  struct Typing {
    uint32_t run = 0;
    SlowHistory::Id text, last;
    bool backwards = false;
    uint32_t events = 0;  // that there were afterwards
  };
  struct Note {
    std::vector<EventName> version;
    Tree tree;
  };

  SlowHistory history;
  std::deque<Replica> replicas;
  std::vector<Message> messages;
  std::vector<std::vector<size_t>> inboxes;  // by device
  std::vector<Typing> typing;
  std::vector<Note> notes;
  std::vector<bool> side;  // of the network, by device
  uint32_t runs = 0;
  int64_t nowMs = 1'700'000'000'000;
  std::string* told;

  void tell(const std::string& line);
  void say(const Replica& from, std::vector<Replica::Bytes> bundles);
  void begin(Replica& replica);
  void change(Replica& replica, Luck& luck);
  void type(Replica& replica, Luck& luck);
  void deliver(Replica& replica, Luck& luck);
  void exchange(Replica& replica, const Replica& from, Luck& luck);
  void oppose(const Replica& replica, const Replica& other, Luck& luck);

  // At the end.
  void deliverAll();
  void sameEverywhere();
  void timesAndAuthors(Replica& replica);
  void journeysBack(Replica& replica);
  void runsTogether(Replica& replica);
};

}  // namespace hearth::storage
