// A device that is alone, and whose whole home is put back to an older copy, anchor and all (SECURITY.md §1,
// §10.4): the counter of its machine knows.

#include "simulator/fleet/sim-counter.h"
#include "tests/devices/anchored-machine.h"

namespace hearth::devices {
namespace {

// A chip that can be taken out, replaced, and pulled in the middle of a step.
class Chip final: public RollbackCounter {
 public:
  kj::Maybe<Error> refuses;
  bool losesPower = false;  // instead of the next step
  uint64_t begins = 0;      // beyond what it has counted before
  kj::Maybe<uint64_t> stands;
  int steps = 0;

  Result<kj::Maybe<uint64_t>> read() override {
    KJ_IF_MAYBE(error, refuses) return no(*error);
    return stands;
  }
  Result<uint64_t> advance() override {
    KJ_IF_MAYBE(error, refuses) return no(*error);
    if (losesPower) return no(Errc::BUSY, "power is lost");
    ++steps;
    auto next = stands.orDefault(begins) + 1;
    stands = next;
    return next;
  }
  kj::StringPtr describe() const override { return "a chip"; }
};

struct Machine: AnchoredMachine {
  struct Copy {
    std::map<std::string, std::string> database;
    crypto::Buffer anchor;
  };
  Chip chip;

  // It has a counter, has run, and has written.
  Machine() {
    counter = chip;
    begin();
    write(1);
    pass(CounterPace::SETTLES);
  }
  // Of the home, while nothing runs.
  Copy copy() {
    end();
    return {disk.contents(), anchor()};
  }
  void putBack(const Copy& copy) {
    end();
    disk.restore(copy.database);
    putBackAnchor(copy.anchor);
  }
  // It goes on as usual.
  void live() {
    begin();
    write(1);
    pass(CounterPace::BETWEEN_OPS + CounterPace::SETTLES);
  }
};

TEST_CASE("T2: a lone device that is put back with its anchor notices it at once by its counter") {
  Machine machine;
  auto older = machine.copy();
  machine.live();
  machine.putBack(older);
  machine.begin();
  REQUIRE(machine.keeper->hasForgotten());
  auto said = machine.keeper->say(crypto::MinSuitePayload{1}).wait(machine.uv.waitScope);
  REQUIRE(said.error().code == Errc::ROLLBACK);
}

TEST_CASE("a lone device without a counter does not notice that it was put back with its anchor") {
  Machine machine;
  machine.counter = nullptr;
  machine.keys->remove(kj::Path{"keys", "anchor"});
  machine.begin();
  machine.write(1);
  auto older = machine.copy();
  machine.live();
  machine.putBack(older);
  machine.begin();
  REQUIRE_FALSE(machine.keeper->hasForgotten());
}

TEST_CASE("a device that goes on as usual is never taken for a copy of itself") {
  Machine machine;
  for (int day = 0; day < 5; ++day) {
    machine.live();
    REQUIRE_FALSE(machine.keeper->hasForgotten());
    REQUIRE(machine.keeper->alarms().empty());
  }
  REQUIRE(machine.chip.steps > 5);
}

TEST_CASE("a copy that was put back stays one after the next start, and is found out once") {
  Machine machine;
  auto older = machine.copy();
  machine.live();
  machine.putBack(older);
  machine.begin();
  auto found = machine.anchor();
  machine.begin();
  REQUIRE(machine.keeper->hasForgotten());
  REQUIRE(machine.anchor() == found);
}

TEST_CASE("an old database whose anchor was removed is noticed by the counter") {
  Machine machine;
  auto older = machine.copy();
  machine.live();
  machine.putBack(older);
  machine.keys->remove(kj::Path{"keys", "anchor"});
  machine.begin();
  REQUIRE(machine.keeper->hasForgotten());
}

TEST_CASE(
    "a crash between the anchor and the counter is no rollback, and the step is made up for") {
  Machine machine;
  machine.chip.losesPower = true;
  machine.write(1);
  auto before = KJ_ASSERT_NONNULL(machine.chip.stands);
  auto anchor = machine.anchor();
  machine.pass(CounterPace::BETWEEN_OPS + CounterPace::SETTLES);
  REQUIRE(machine.anchor() != anchor);  // it is one ahead
  REQUIRE(KJ_ASSERT_NONNULL(machine.chip.stands) == before);
  machine.end();
  machine.chip.losesPower = false;
  machine.begin();
  REQUIRE_FALSE(machine.keeper->hasForgotten());
  REQUIRE(machine.keeper->alarms().empty());
  REQUIRE(KJ_ASSERT_NONNULL(machine.chip.stands) == before + 1);
}

TEST_CASE("a counter that was removed is missed, and a new one begun") {
  Machine machine;
  machine.end();
  machine.chip.begins = KJ_ASSERT_NONNULL(machine.chip.stands);
  machine.chip.stands = nullptr;
  machine.begin();
  REQUIRE(machine.warnsOf("removed"));
  REQUIRE_FALSE(machine.keeper->hasForgotten());
  machine.begin();
  REQUIRE_FALSE(machine.warnsOf("removed"));
}

TEST_CASE("a counter that was removed to hide that the disk was put back does not hide it") {
  Machine machine;
  auto older = machine.copy();
  machine.live();
  machine.putBack(older);
  machine.chip.begins = KJ_ASSERT_NONNULL(machine.chip.stands);
  machine.chip.stands = nullptr;
  machine.begin();
  REQUIRE(machine.keeper->hasForgotten());
}

TEST_CASE("the counter of another machine is behind what was noted, and taken into use") {
  Machine machine;
  for (int i = 0; i < 3; ++i) machine.live();
  machine.end();
  machine.chip.stands = 1ul;
  machine.begin();
  REQUIRE(machine.warnsOf("another machine"));
  REQUIRE_FALSE(machine.keeper->hasForgotten());
  machine.live();
  REQUIRE_FALSE(machine.warnsOf("another machine"));
}

TEST_CASE("a TPM that is silent at the start is an alarm, and what it would say is not lost") {
  Machine machine;
  auto older = machine.copy();
  machine.live();
  machine.putBack(older);
  machine.chip.refuses = Error{Errc::BUSY, "the TPM does not answer"};
  machine.begin();
  REQUIRE(machine.warnsOf("does not answer"));
  machine.chip.refuses = nullptr;
  machine.write(1);
  machine.pass(CounterPace::BETWEEN_OPS + CounterPace::SETTLES);
  machine.begin();
  REQUIRE(machine.keeper->hasForgotten());
}

TEST_CASE("a machine that has lost its TPM says so") {
  Machine machine;
  machine.counter = nullptr;
  machine.begin();
  REQUIRE(machine.warnsOf("had one"));
}

TEST_CASE("a machine that may have no counter says why, and is not asked again and again") {
  Machine machine;
  machine.end();
  machine.keys->remove(kj::Path{"keys", "anchor"});
  machine.chip.stands = nullptr;
  machine.chip.refuses = Error{Errc::POLICY_DENIED, "the TPM has an owner password"};
  machine.begin();
  auto sources = machine.keeper->anchorSources();
  REQUIRE(sources.counter.empty());
  REQUIRE(sources.counterFails == "the TPM has an owner password");
  REQUIRE_FALSE(machine.warnsOf("password"));
}

TEST_CASE("many ops in ten minutes are covered by one step of the counter") {
  Machine machine;
  machine.live();
  auto before = machine.chip.steps;
  machine.write(20);
  machine.pass(CounterPace::SETTLES);
  machine.write(20);
  machine.pass(CounterPace::BETWEEN_OPS + CounterPace::SETTLES);
  REQUIRE(machine.chip.steps == before + 1);
}

}  // namespace
}  // namespace hearth::devices
