// F3: Cap'n Proto messages of the peer and the local schema under the limits of the product's
// readers, a link's whole RPC fed with bytes, and the messages of job edges, with a stage behind them.

#include "tests/fuzz/call-structs.h"
#include "tests/fuzz/peer.h"

#include <capnp/dynamic.h>
#include <capnp/serialize.h>

namespace hearth::fuzz {
namespace {

constexpr size_t ITEMS_READ_MAX = 256;
constexpr int DEPTH_MAX = 8;

void visit(capnp::DynamicValue::Reader value, int depth) {
  if (depth > DEPTH_MAX) return;
  if (value.getType() == capnp::DynamicValue::LIST) {
    auto list = value.as<capnp::DynamicList>();
    auto count = kj::min(list.size(), ITEMS_READ_MAX);
    for (kj::uint i = 0; i < count; ++i) visit(list[i], depth + 1);
  } else if (value.getType() == capnp::DynamicValue::STRUCT) {
    auto one = value.as<capnp::DynamicStruct>();
    for (auto field: one.getSchema().getFields()) {
      if (!field.getType().isInterface()) visit(one.get(field), depth + 1);
    }
  }
}

kj::Array<capnp::word> wordsOf(Bytes bytes) {
  auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  if (words.size() > 0) memcpy(words.begin(), bytes.begin(), words.asBytes().size());
  return words;
}

void anyStruct(FlatReader& in) {
  auto& schema = callStructs()[in.u8() % callStructs().size()];
  auto words = wordsOf(in.remaining());
  (void)kj::runCatchingExceptions([&]() {
    capnp::FlatArrayMessageReader message(words, transport::readerOptions(words.size()));
    visit(message.getRoot<capnp::DynamicStruct>(schema), 0);
  });
}

// What is accepted is the same after another way over a link.
void facts(FlatReader& in) {
  auto words = wordsOf(in.remaining());
  router::DeviceFacts read;
  bool good = false;
  (void)kj::runCatchingExceptions([&]() {
    capnp::FlatArrayMessageReader message(words, transport::readerOptions(words.size()));
    auto accepted = router::readFacts(message.getRoot<router::rpc::DeviceFacts>());
    if (accepted) good = true, read = kj::mv(*accepted);
  });
  if (!good) return;
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<router::rpc::DeviceFacts>();
  write(read, builder);
  auto again = router::readFacts(builder.asReader());
  expect(again.has_value() && *again == read);
}

// Time goes from one event to the next, until nobody waits for any.
void runOutOfTime(kj::TimerImpl& timer, kj::WaitScope& scope) {
  constexpr int EVENTS_MAX = 1'000;
  for (int i = 0; i < EVENTS_MAX; ++i) {
    auto due = timer.nextEvent();
    if (due == nullptr) return;
    timer.advanceTo(KJ_ASSERT_NONNULL(due));
    scope.poll();
  }
  KJ_FAIL_ASSERT("time goes on for ever");
}

void rpc(FlatReader& in) {
  kj::EventLoop loop;
  kj::WaitScope scope(loop);
  kj::TimerImpl timer(kj::origin<kj::TimePoint>());
  SilentBodies bodies;
  NoPeers peers;
  router::Executor executor(timer, kj::nullClock(), DeviceId(), bodies, peers);
  auto pipe = kj::newTwoWayPipe();
  auto& peer = *pipe.ends[1];
  auto bytes = in.remaining();
  auto writing = peer.write(bytes.begin(), bytes.size()).eagerlyEvaluate([](kj::Exception&&) {});
  auto reading = peer.readAllBytes().ignoreResult().eagerlyEvaluate([](kj::Exception&&) {});
  {
    transport::LinkRpc link(kj::mv(pipe.ends[0]), false, kj::heap<PeerServer>(executor));
    scope.poll();
    expect(executor.stagesRunning() <= router::Executor::STAGES_MAX);
    runOutOfTime(timer, scope);  // nobody renews a lease any more
    expect(executor.stagesRunning() == 0);
    writing = nullptr;
    peer.shutdownWrite();
    scope.poll();
  }
  scope.poll();
}

void edges(FlatReader& in) {
  auto bytes = in.remaining();
  if (auto frame = router::decodeFrame(bytes)) {
    auto again = router::decodeFrame(router::encode(*frame));
    expect(again.has_value() && again->lineage == frame->lineage && again->seq == frame->seq);
  }
  if (auto header = router::decodeEdgeHeader(bytes)) expect(router::encode(*header) == bytes);
  if (auto resume = router::decodeResume(bytes)) expect(router::encode(*resume) == bytes);
  if (auto commit = router::decodeCommit(bytes)) expect(router::encodeCommit(*commit) == bytes);
}

// Takes every frame and says nothing.
class Swallowing final: public router::PreparedStage, public router::StageBody {
 public:
  kj::Promise<Result<kj::Own<router::StageBody>>> open(const router::Checkpoint&) override {
    return Result<kj::Own<router::StageBody>>(kj::heap<Swallowing>());
  }
  kj::Promise<Result<void>> write(size_t, const router::Frame&) override { return Result<void>(); }
  kj::Promise<Result<Output>> read() override { return kj::NEVER_DONE; }
};

// Gives the stage its producer: a stream that was written before.
class OneProducer final: public router::Executor::Peers {
 public:
  explicit OneProducer(kj::Own<kj::AsyncIoStream> stream): stream(kj::mv(stream)) {}
  kj::Promise<kj::Own<kj::AsyncIoStream>> openEdge(
      const DeviceId&, kj::Array<const kj::byte>) override {
    if (stream.get() == nullptr) return kj::NEVER_DONE;
    return kj::mv(stream);
  }

 private:
  kj::Own<kj::AsyncIoStream> stream;
};

// What the input says on one edge: u8 messages, each var16, with or without its length before it.
Buffer edgeBytes(FlatReader& in) {
  FlatWriter out;
  auto count = in.u8();
  for (uint8_t i = 0; in.good() && i < count; ++i) {
    auto body = in.var16();
    if (i < 128) out.u32(static_cast<uint32_t>(body.size()));
    out.bytes(body);
  }
  return out.finish();
}

router::StageRunner::Order orderOfOneEdgeEach() {
  router::StageRunner::Order order;
  order.spec.stage = 1;
  order.spec.inputs = 1;
  order.attempt = 1;
  order.inputs.push_back({});
  order.outputs.push_back({.edge = 1});
  return order;
}

// A running stage between a consumer and a producer that send what the input says.
void runningStage(FlatReader& in) {
  kj::EventLoop loop;
  kj::WaitScope scope(loop);
  kj::TimerImpl timer(kj::origin<kj::TimePoint>());
  SilentBodies bodies;
  auto up = kj::newTwoWayPipe(), down = kj::newTwoWayPipe();
  auto fromConsumer = edgeBytes(in), fromProducer = edgeBytes(in);
  auto ignore = [](kj::Exception&&) {};
  OneProducer producer(kj::mv(up.ends[0]));
  router::Executor executor(
      timer, kj::nullClock(), DeviceId::from(zeros(DeviceId::SIZE)).value(), bodies, producer);
  auto writingUp =
      up.ends[1]->write(fromProducer.begin(), fromProducer.size()).eagerlyEvaluate(ignore);
  auto writingDown =
      down.ends[1]->write(fromConsumer.begin(), fromConsumer.size()).eagerlyEvaluate(ignore);
  auto readingUp = up.ends[1]->readAllBytes().ignoreResult().eagerlyEvaluate(ignore);
  auto readingDown = down.ends[1]->readAllBytes().ignoreResult().eagerlyEvaluate(ignore);
  auto stage = executor.start(orderOfOneEdgeEach(), kj::heap<Swallowing>(), nullptr);
  auto over = stage->runner().ended().ignoreResult().eagerlyEvaluate(ignore);
  router::EdgeHeader header{.edge = 1, .producer = 1, .producerAttempt = 1, .consumerAttempt = 1};
  executor.acceptEdge(router::encode(header), kj::mv(down.ends[0]));
  scope.poll();
  timer.advanceTo(timer.now() + 2 * router::Executor::RESUME_WITHIN);
  scope.poll();
  Holdings holdings;
  executor.addTo(holdings);
  stage->runner().addTo(holdings);
  for (auto& held: holdings) expect(held.now <= held.most);
}

constexpr void (*WAYS[])(FlatReader&) = {anyStruct, facts, rpc, edges, runningStage};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Refused calls and broken messages are said in the log; there are millions of them here.
  kj::_::Debug::setLogLevel(kj::LogSeverity::FATAL);
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
