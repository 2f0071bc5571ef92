// The stages of one device, as their coordinators order them.
#include "tests/router/job-fleet.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::router {
namespace {

TEST_CASE("a stage whose coordinator falls silent is stopped when its lease runs out") {
  Fleet fleet(2);
  auto& executor = *fleet.devices[1]->executor;
  auto request = executor.host(DeviceId()).startRequest();
  auto order = request.initOrder();
  order.setJob(JobId().asBytes());
  order.setKind(rpc::StageOrder::Kind::SOURCE);
  order.setLeaseMs(3000);
  auto held = request.send().wait(fleet.waitScope);
  fleet.run(2900 * kj::MILLISECONDS);
  REQUIRE(executor.stagesRunning() == 1);
  fleet.run(200 * kj::MILLISECONDS);
  REQUIRE(executor.stagesRunning() == 0);
}

TEST_CASE(
    "a device runs no more stages than it may, though one is ordered again and again at once") {
  Fleet fleet(2);
  auto& executor = *fleet.devices[1]->executor;
  std::vector<kj::Promise<capnp::Response<rpc::StageHost::StartResults>>> orders;
  for (uint32_t attempt = 0; attempt <= Executor::STAGES_MAX; ++attempt) {
    auto request = executor.host(DeviceId()).startRequest();
    auto order = request.initOrder();
    order.setJob(JobId().asBytes());
    order.setKind(rpc::StageOrder::Kind::SOURCE);
    order.setAttempt(attempt);
    order.setLeaseMs(3000);
    orders.push_back(request.send());
  }
  fleet.run(100 * kj::MILLISECONDS);
  REQUIRE(executor.stagesRunning() == Executor::STAGES_MAX);
  auto last = kj::runCatchingExceptions([&]() { orders.back().wait(fleet.waitScope); });
  REQUIRE(KJ_REQUIRE_NONNULL(last).getType() == kj::Exception::Type::OVERLOADED);
}

TEST_CASE("an older attempt that is ready later does not take the place of a newer one") {
  Fleet fleet(1);
  auto& executor = *fleet.devices[0]->executor;
  auto begin = [&](uint32_t attempt) {
    StageRunner::Order order{.attempt = attempt, .outputs = {{.edge = 0, .port = 0}}};
    return executor.start(kj::mv(order), kj::heap<CountingSource>(fleet.timer), nullptr);
  };
  auto newer = begin(3), older = begin(1);
  older = nullptr;
  EdgeHeader header{.producerAttempt = 3};
  auto stream = executor.dial(fleet.devices[0]->id, header).wait(fleet.waitScope);
  writeMessage(*stream, encode(Resume())).wait(fleet.waitScope);
  auto first = readMessage(*stream, FRAME_BYTES_MAX);
  fleet.run(100 * kj::MILLISECONDS);
  REQUIRE(first.poll(fleet.waitScope));
  REQUIRE(first.wait(fleet.waitScope).size() > 0);
}

}  // namespace
}  // namespace hearth::router
