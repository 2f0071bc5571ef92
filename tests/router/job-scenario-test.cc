// Jobs over several devices: devices that go away in mid-stream, at every moment that a seed can find.
#include "tests/router/job-fleet.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>

namespace hearth::router {
namespace {

TEST_CASE("a job over four devices delivers everything once and in order") {
  Fleet fleet(4);
  fleet.begin();
  fleet.run(2 * kj::SECONDS);
  REQUIRE(fleet.job->machine().state() == JobMachine::State::DONE);
  REQUIRE(fleet.texts == expectedTexts());
}

TEST_CASE("a device that is lost at any moment of the stream loses and doubles nothing") {
  auto victim = GENERATE(1, 2);
  auto afterMs = GENERATE(range(0, 700, 7));
  Fleet fleet(4);
  fleet.begin();
  fleet.run(afterMs * kj::MILLISECONDS);
  fleet.cut(static_cast<size_t>(victim));
  fleet.run(3 * kj::SECONDS);
  REQUIRE(fleet.texts == expectedTexts());
  REQUIRE(fleet.job->machine().state() == JobMachine::State::DONE);
  // Before the end the fault did come: the stage was running there.
  if (afterMs < 600) REQUIRE(fleet.count(JobNote::Kind::LOST) == 1);
}

TEST_CASE("both middle devices lost at once are replayed from the source") {
  auto afterMs = GENERATE(range(0, 600, 13));
  Fleet fleet(5);
  fleet.begin();
  fleet.run(afterMs * kj::MILLISECONDS);
  fleet.cut(1);
  fleet.cut(2);
  fleet.run(3 * kj::SECONDS);
  REQUIRE(fleet.count(JobNote::Kind::LOST) >= 2);
  REQUIRE(fleet.texts == expectedTexts());
}

// The second consumer goes on before where the first had begun its producer.
TEST_CASE("a stage is begun again when its consumer is lost after it") {
  auto afterMs = GENERATE(range(60, 500, 11));
  auto laterMs = GENERATE(1, 15, 40);
  Fleet fleet(6);
  fleet.begin();
  fleet.run(afterMs * kj::MILLISECONDS);
  fleet.cut(1);
  fleet.run(laterMs * kj::MILLISECONDS);
  fleet.cut(2);
  fleet.run(3 * kj::SECONDS);
  REQUIRE(fleet.count(JobNote::Kind::LOST) >= 2);
  REQUIRE(fleet.texts == expectedTexts());
  REQUIRE(fleet.job->machine().state() == JobMachine::State::DONE);
}

TEST_CASE("a producer that moves while its consumer is being started is found by it") {
  auto laterMs = GENERATE(range(0, 120, 20));
  Fleet fleet(6);
  for (auto& device: fleet.devices) device->pluginTakes = 100 * kj::MILLISECONDS;
  fleet.begin();
  fleet.run(300 * kj::MILLISECONDS);
  fleet.cut(2);
  fleet.run(laterMs * kj::MILLISECONDS);
  fleet.cut(1);
  fleet.run(5 * kj::SECONDS);
  REQUIRE(fleet.texts == expectedTexts());
  REQUIRE(fleet.job->machine().state() == JobMachine::State::DONE);
}

TEST_CASE("a job without a device for a stage waits, says so, and goes on when one returns") {
  auto afterMs = GENERATE(range(5, 500, 45));
  Fleet fleet(3);
  fleet.begin();
  fleet.run(afterMs * kj::MILLISECONDS);
  fleet.cut(1);
  fleet.cut(2);
  fleet.run(1 * kj::SECONDS);
  REQUIRE(fleet.job->machine().state() == JobMachine::State::WAITING);
  REQUIRE(fleet.job->machine().message() == "no device can do test.sum");
  fleet.mend(1);
  fleet.run(3 * kj::SECONDS);
  REQUIRE(fleet.count(JobNote::Kind::RESUMED) == 1);
  REQUIRE(fleet.texts == expectedTexts());
}

TEST_CASE("a job that cannot be placed at its start fails with the reason") {
  Fleet fleet(1);
  fleet.begin();
  REQUIRE(fleet.job->machine().state() == JobMachine::State::FAILED);
  REQUIRE(fleet.job->machine().message() == "no device can do test.sum");
}

TEST_CASE("a plugin that fails to start is placed on another device") {
  Fleet fleet(4);
  fleet.devices[1]->pluginsFailing = 1;
  fleet.begin();
  fleet.run(3 * kj::SECONDS);
  REQUIRE(fleet.count(JobNote::Kind::FAILED) == 1);
  REQUIRE(fleet.texts == expectedTexts());
}

TEST_CASE("a plugin that dies at its work is placed again, and the record says what it died of") {
  auto [code, told] = GENERATE(table<Errc, std::string>({
      {Errc::INTEGRITY_FAILED, "IntegrityFailed: the plugin crashed or broke its protocol"},
      {Errc::QUOTA_EXCEEDED, "QuotaExceeded: the plugin hung or went over a quota"},
      {Errc::LIMIT_EXCEEDED, "LimitExceeded: the plugin was killed, for want of memory perhaps"},
      {Errc::POLICY_DENIED,
          "PolicyDenied: the plugin made a system call that plugins may not make"},
      {Errc::BAD_FORMAT,
          "BadFormat: the stage gave or was given what cannot be read; see the device's log"},
      {Errc::STALE, "Stale: the stage ended before its input did"},
  }));
  Fleet fleet(4);
  fleet.devices[1]->crash = Error{code, "words that stay on the device"};
  fleet.begin();
  fleet.run(3 * kj::SECONDS);
  auto failed = std::ranges::find(fleet.notes, JobNote::Kind::FAILED, &JobNote::kind);
  REQUIRE(failed != fleet.notes.end());
  REQUIRE(failed->message == told);
  REQUIRE(fleet.texts == expectedTexts());
}

TEST_CASE("a plugin that fails three times with no other device ends the job by name") {
  Fleet fleet(2);
  fleet.devices[1]->pluginsFailing = 100;
  fleet.begin();
  fleet.run(3 * kj::SECONDS);
  REQUIRE(fleet.job->machine().state() == JobMachine::State::FAILED);
  REQUIRE(fleet.job->machine().message() == "first failed 3 times and no other device can do it");
}

TEST_CASE("a cancelled job stops its stages everywhere") {
  Fleet fleet(4);
  fleet.begin();
  fleet.run(100 * kj::MILLISECONDS);
  fleet.job->cancel();
  fleet.run(100 * kj::MILLISECONDS);
  for (auto& device: fleet.devices) REQUIRE(device->executor->stagesRunning() == 0);
}

TEST_CASE("a device that slept for longer than a lease goes on with its job") {
  Fleet fleet(4);
  fleet.begin();
  fleet.run(100 * kj::MILLISECONDS);
  fleet.timer.advanceTo(fleet.timer.now() + 10 * kj::SECONDS);
  fleet.run(2 * kj::SECONDS);
  REQUIRE(fleet.texts == expectedTexts());
}

}  // namespace
}  // namespace hearth::router
