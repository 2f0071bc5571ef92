// Small writes that come one behind another share a record, and are not held back.
#include "tests/transport/linked.h"

namespace hearth::transport {
namespace {

// As whoever answers message by message does.
kj::Promise<void> writeEach(kj::AsyncIoStream& stream, size_t count) {
  for (size_t i = 0; i < count; ++i) co_await stream.write("m", 1);
}

size_t recordsFor(Linked& two, size_t writes) {
  writeEach(*two.stream, writes).wait(two.scope);
  two.settle();
  return LinkEnd::count(two.phone.records(), crypto::RecordType::DATA);
}

TEST_CASE("messages that are written one behind another leave in one record") {
  Linked two;
  REQUIRE(recordsFor(two, 50) == 1);
  char got[50];
  auto reading = two.laptop.incomingStreams[0]->read(got, sizeof(got));
  REQUIRE(reading.poll(two.scope));
}

TEST_CASE("a writer without end does not hold back what it has written") {
  Linked two;
  REQUIRE(recordsFor(two, 10 * Link::GATHERING_TURNS_MAX) > 1);
}

TEST_CASE("messages between which the loop has rested leave each in its record") {
  Linked two;
  two.say("b");
  two.say("c");
  REQUIRE(LinkEnd::count(two.phone.records(), crypto::RecordType::DATA) == 2);
}

}  // namespace
}  // namespace hearth::transport
