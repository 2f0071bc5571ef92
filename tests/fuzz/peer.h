#pragma once
// A device as its peers see it through RPC: the shipping reading of facts, the shipping executor,
// and stages that never say anything.

#include "bindings/bindings.capnp.h"
#include "devices/devices.capnp.h"
#include "router/place/facts-codec.h"
#include "router/run/edge-stream.h"
#include "router/run/executor.h"
#include "tests/fuzz/target.h"
#include "transport/rpc/link-rpc.h"

#include <kj/timer.h>

namespace hearth::fuzz {

// Prepares every stage at once; none ever begins.
class SilentBodies final: public router::StageBodies {
 public:
  using Prepared = Result<kj::Own<router::PreparedStage>>;
  kj::Promise<Prepared> plugin(const router::StageSpec&) override { return silent(); }
  kj::Promise<Prepared> source(const router::StageSpec&) override { return silent(); }

 private:
  struct Silent final: public router::PreparedStage {
    kj::Promise<Result<kj::Own<router::StageBody>>> open(const router::Checkpoint&) override {
      return kj::NEVER_DONE;
    }
  };
  static Prepared silent() { return kj::Own<router::PreparedStage>(kj::heap<Silent>()); }
};

class NoPeers final: public router::Executor::Peers {
 public:
  kj::Promise<kj::Own<kj::AsyncIoStream>> openEdge(
      const DeviceId&, kj::Array<const kj::byte>) override {
    return kj::NEVER_DONE;
  }
};

class PeerServer final: public devices::rpc::Peer::Server {
 public:
  explicit PeerServer(router::Executor& executor): executor(executor) {}

  kj::Promise<void> facts(FactsContext context) override {
    (void)router::readFacts(context.getParams().getFacts());
    return kj::READY_NOW;
  }
  kj::Promise<void> introduce(IntroduceContext context) override {
    for (auto place: context.getParams().getPlaces()) {
      (void)DeviceId::from(place.getDevice());
      for (auto address: place.getAddresses()) (void)address.size();
    }
    return kj::READY_NOW;
  }
  kj::Promise<void> stages(StagesContext context) override {
    context.getResults().setHost(executor.host(DeviceId()));
    return kj::READY_NOW;
  }

 private:
  router::Executor& executor;
};

// Facts and an order as honest devices send them.
inline void writeFacts(router::rpc::DeviceFacts::Builder out) {
  router::DeviceFacts facts;
  facts.name = "laptop";
  facts.deviceClass = "laptop";
  facts.cores = 8;
  facts.plugins.push_back({.task = "audio.vad", .name = "vad", .version = "0.1.0"});
  facts.sensors = {"microphone"};
  facts.addresses = {"10.0.0.1:7000"};
  write(facts, out);
}

inline void writeOrder(router::rpc::StageOrder::Builder out) {
  out.setJob(zeros(JobId::SIZE));
  out.setStage(1);
  out.setAttempt(1);
  out.setKind(router::rpc::StageOrder::Kind::PLUGIN);
  out.setTask("audio.vad");
  out.setParams("{}");
  out.setPlugin(zeros(Digest::SIZE));
  auto input = out.initInputs(1)[0];
  input.setDevice(zeros(DeviceId::SIZE));
  out.initOutputs(1)[0].setEdge(1);
  out.setLeaseMs(3000);
}

}  // namespace hearth::fuzz
