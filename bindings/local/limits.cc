#include "bindings/local/limits.h"

#include "bindings/local/refuse.h"
#include "crypto/identity/display.h"

namespace hearth::local {

namespace {

constexpr int64_t UNTIL_RESUMED = storage::limits::UNTIL_RESUMED;

class LimitsServer final: public Limits::Server {
 public:
  explicit LimitsServer(kj::Own<NodeWhileThere> node): node(kj::mv(node)) {}

  kj::Promise<void> get(GetContext context) override {
    auto& there = gate();
    auto out = context.getResults().initLimits();
    auto all = there.rates();
    auto rates = out.initRates(static_cast<kj::uint>(all.size()));
    kj::uint next = 0;
    for (auto& [device, rate]: all) {
      auto one = rates[next++];
      if (!device.isZero()) {
        one.setDevice(node->there().nameOf(device).c_str());
        one.setId(crypto::display(device));
      }
      one.setUp(rate.up);
      one.setDown(rate.down);
    }
    out.setBelowPercent(there.resting().belowPercent);
    out.setOnMetered(there.resting().onMetered);
    auto until = there.resting().pausedUntilMs;
    out.setPausedUntilMs(until == UNTIL_RESUMED ? -1 : until);
    out.setSentBytes(there.passedBytes(devices::BulkGate::Way::UP));
    out.setFetchedBytes(there.passedBytes(devices::BulkGate::Way::DOWN));
    KJ_IF_MAYBE(why, there.whyResting()) out.setRests(why->c_str());
    return kj::READY_NOW;
  }

  kj::Promise<void> setRates(SetRatesContext context) override {
    auto params = context.getParams();
    DeviceId device;
    if (params.getDevice().size() > 0) {
      auto found = node->there().device(params.getDevice().cStr());
      if (!found) refuse(found.error());
      device = found->id;
    }
    auto all = gate().rates();
    auto rates = all[device];
    if (params.getUp() >= 0) rates.up = static_cast<uint64_t>(params.getUp());
    if (params.getDown() >= 0) rates.down = static_cast<uint64_t>(params.getDown());
    auto set = co_await gate().setRates(device, rates);
    if (!set) refuse(set.error());
  }

  kj::Promise<void> setResting(SetRestingContext context) override {
    auto params = context.getParams();
    auto resting = gate().resting();
    if (params.getBelowPercent() > UINT8_MAX) refuse("a battery has 0 to 100 %");
    if (params.getBelowPercent() >= 0)
      resting.belowPercent = static_cast<uint8_t>(params.getBelowPercent());
    if (params.getOnMetered() >= 0) resting.onMetered = params.getOnMetered() != 0;
    co_await say(resting);
  }

  kj::Promise<void> pause(PauseContext context) override {
    auto seconds = int64_t{context.getParams().getSeconds()};
    auto resting = gate().resting();
    resting.pausedUntilMs = seconds == 0 ? UNTIL_RESUMED : gate().nowMs() + seconds * 1'000;
    co_await say(resting);
  }

  kj::Promise<void> resume(ResumeContext) override {
    auto resting = gate().resting();
    resting.pausedUntilMs = 0;
    co_await say(resting);
  }

 private:
  kj::Own<NodeWhileThere> node;

  devices::BulkGate& gate() { return node->there().data().gate(); }

  kj::Promise<void> say(devices::BulkGate::Resting resting) {
    auto set = co_await gate().setResting(resting);
    if (!set) refuse(set.error());
  }
};

}  // namespace

Limits::Client newLimits(kj::Own<NodeWhileThere> node) {
  return kj::heap<LimitsServer>(kj::mv(node));
}

}  // namespace hearth::local
