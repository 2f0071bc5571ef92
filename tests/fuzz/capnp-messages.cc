// F3: Cap'n Proto messages of the peer and the local schema under the limits of the product's
// readers, a link's whole RPC fed with bytes, and the messages of job edges.

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

template <typename T>
void methodsOf(kj::Vector<capnp::StructSchema>& all) {
  for (auto method: capnp::Schema::from<T>().getMethods()) {
    all.add(method.getParamType());
    all.add(method.getResultType());
  }
}

// What every call of both schemas takes and gives.
const kj::Vector<capnp::StructSchema>& structs() {
  static const auto all = [] {
    kj::Vector<capnp::StructSchema> found;
    methodsOf<devices::rpc::Peer>(found);
    methodsOf<router::rpc::StageHost>(found);
    methodsOf<router::rpc::RunningStage>(found);
    methodsOf<router::rpc::StageWatch>(found);
    methodsOf<local::Daemon>(found);
    methodsOf<local::Confirm>(found);
    methodsOf<local::TextSink>(found);
    methodsOf<local::JobWatch>(found);
    return found;
  }();
  return all;
}

void anyStruct(FlatReader& in) {
  auto& schema = structs()[in.u8() % structs().size()];
  auto words = wordsOf(in.remaining());
  (void)kj::runCatchingExceptions([&]() {
    capnp::FlatArrayMessageReader message(words, transport::linkReaderOptions());
    visit(message.getRoot<capnp::DynamicStruct>(schema), 0);
  });
}

// What is accepted is the same after another way over a link.
void facts(FlatReader& in) {
  auto words = wordsOf(in.remaining());
  router::DeviceFacts read;
  bool good = false;
  (void)kj::runCatchingExceptions([&]() {
    capnp::FlatArrayMessageReader message(words, transport::linkReaderOptions());
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

constexpr void (*WAYS[])(FlatReader&) = {anyStruct, facts, rpc, edges};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Refused calls and broken messages are said in the log; there are millions of them here.
  kj::_::Debug::setLogLevel(kj::LogSeverity::FATAL);
  hearth::FlatReader in(kj::arrayPtr(data, size));
  hearth::fuzz::WAYS[in.u8() % std::size(hearth::fuzz::WAYS)](in);
  return 0;
}
