// Writes the seeds of the corpora: for each way into each target at least one input that goes far.
//   fuzz-seeds tests/fuzz/corpus
// The names of seeds begin with "seed-", those of inputs that once found something do not.

#include "tests/fuzz/seeds.h"

#include "crypto/handshake/messages.h"
#include "crypto/identity/display.h"
#include "tests/fuzz/call-structs.h"
#include "tests/fuzz/circle.h"
#include "tests/fuzz/pairs.h"
#include "tests/fuzz/peer.h"
#include "transport/datagram/packet.h"
#include "transport/link/handover.h"

#include <capnp/serialize.h>
#include <kj/encoding.h>

#include <string>

namespace hearth::fuzz {
namespace {

void recordsAndHandshakes(const Corpus& corpus) {
  FlatWriter records;
  records.bytes(writeAlert(Alert::BUSY)).bytes(writeHsFinal(1, zeros(8)));
  records.bytes(writeHsResp(1, 2, zeros(8)));
  records.bytes(writeHsInit({}, 3, 7, zeros(8), nullptr));
  corpus.add("records", 0, records);
  corpus.add("init-honest", 1, choice({0}, undamaged()));
  corpus.add("init-damaged", 1, choice({1}, oneByte(40, 1)));
  corpus.add("init-payload-honest", 2, choice({0}, undamaged()));
  corpus.add("init-payload-resync", 2, choice({1}, undamaged()));
  corpus.add("init-payload-rehandshake", 2, choice({0}, oneByte(152, 1)));
  corpus.add("resp-raw", 3, choice({0}, bodyOf(writeHsResp(9, 7, zeros(1280)))));
  corpus.add("resp-honest", 4, choice({0, 0}, undamaged()));
  corpus.add("resp-status", 4, choice({1, 0}, oneByte(98, 2)));
  corpus.add("resp-damaged", 4, choice({0, 1}, oneByte(5, 1)));
  corpus.add("cookie-honest", 5, undamaged());
  corpus.add("cookie-damaged", 5, oneByte(30, 1));
  auto& pairs = Pairs::get();
  corpus.add("envelope-op", 6, choice({static_cast<uint8_t>(SigType::OP)}, pairs.genesis));
  corpus.add("envelope-join", 6, choice({static_cast<uint8_t>(SigType::JOIN)}, pairs.consent()));
}

void datagrams(const Corpus& corpus) {
  using namespace transport;
  FlatWriter ack, everything, stream, talk, door;
  ack.u8(1).u64(40).u32(1'000).u32(3).u8(2).u32(2).u32(1).u32(4).u32(30);
  corpus.add("frames-ack", 0, ack);
  everything.u8(127).u64(5).u32(0).u32(6).u8(0).u64(70'000).u64(1).u64(2).u64(0).bytes(
      "bytes"_kj.asBytes());
  corpus.add("frames-all", 0, everything);
  corpus.add("frames-ping", 0, choice({32}, nullptr));
  FlatWriter packet;
  packet.u8(0x4c).u64(1).u64(2).u8(32).bytes(zeros(TAG_BYTES));
  corpus.add("packet-sealed", 1, packet);
  FlatWriter opening;
  opening.u8(0x4a).u64(1).u64(2).u64(3).u8(32).bytes(zeros(TAG_BYTES));
  corpus.add("packet-opening", 1, opening);
  stream.u8(64).u64(0).bytes("hello"_kj.asBytes());
  FlatWriter more, end, acked, probe;
  more.u8(64).u64(9).bytes("later"_kj.asBytes());
  end.u8(64 | 128).u64(5).bytes("here"_kj.asBytes());
  acked.u8(1).u64(0).u32(0).u32(1).u8(0);
  probe.u8(4).u64(77);
  talk.u8(0 << 2 | 2).u8(0).var8(stream.asBytes()).u8(2 << 2 | 3).u8(20).var8(more.asBytes());
  talk.u8(1 << 2 | 3).u8(5).var8(end.asBytes()).u8(3 << 2 | 1).u8(1).var8(probe.asBytes());
  talk.u8(4 << 2 | 3)
      .u8(255)
      .var8(acked.asBytes())
      .u8(5 << 2 | 3)
      .u8(1)
      .var8(choice({16}, nullptr).asBytes());
  corpus.add("talk", 2, talk);
  FlatWriter beyond;
  beyond.u8(1 << 2 | 3).u8(0).var8(more.asBytes()).u8(2 << 2 | 3).u8(0).var8(ack.asBytes());
  corpus.add("talk-unsent-acknowledged", 2, beyond);
  door.bytes(undamaged()).bytes(undamaged()).bytes(undamaged());
  corpus.add("door-honest", 3, door);
  FlatWriter changed;
  changed.bytes(oneByte(14, 1)).bytes(oneByte(40, 1)).bytes(oneByte(3, 1));
  corpus.add("door-changed", 3, changed);
}

void dataAndLanes(const Corpus& corpus) {
  corpus.add("data-plain", 0, dataPlain(4, "bytes"_kj.asBytes(), Padding::INTERACTIVE));
  FlatWriter data, bulk;
  data.u8(0).u8(4).var8("bytes"_kj.asBytes()).bytes(undamaged());
  corpus.add("data-record", 1, data);
  bulk.u64(3).u64(4096).u32(1).var8("bytes"_kj.asBytes()).bytes(undamaged());
  corpus.add("bulk-record", 2, bulk);

  FlatWriter open, bytes, credit, fin, hostile;
  open.u32(2).u8(2).u32(1000).var16("header"_kj.asBytes());
  bytes.u32(2).bytes("some bytes"_kj.asBytes());
  credit.u32(2).u32(100);
  fin.u32(2);
  hostile.u8(0).u8(11).u8(8).var8(open.asBytes()).u8(11).u8(4).var8(bytes.asBytes());
  hostile.u8(1).u8(2).u16(1000).u8(9).u8(5).u8(2).u8(2).u16(1).u8(11).u8(9).var8(credit.asBytes());
  hostile.u8(10)
      .u8(2)
      .u16(60000)
      .u8(11)
      .u8(10)
      .var8(fin.asBytes())
      .u8(3)
      .u8(2)
      .u8(9)
      .u8(0)
      .u8(5)
      .u8(2);
  corpus.add("lanes-hostile", 3, hostile);

  FlatWriter honest;  // a opens 1 and writes, b reads, both finish; b opens 2 and a resets it
  honest.u8(0).u8(2).var8("header"_kj.asBytes()).u8(2).u8(1).u16(50000).u8(20).u8(0);
  honest.u8(5).u8(1).u16(60000).u8(21).u8(6).u8(1).u8(20).u8(7).u8(1).u8(21).u8(10).u8(1);
  honest.u8(1).u8(3).var8(nullptr).u8(21).u8(8).u8(2).u8(20).u8(11).u8(1).u8(21);
  corpus.add("lanes-honest", 4, honest);

  FlatWriter live, frame, frameCredit, hostileLive, honestLive;
  live.u32(2).u8(1).u32(1000).var16(nullptr);
  frame.u32(2).u64(3).u32(5'000).u32(80'000).bytes("level"_kj.asBytes());
  frameCredit.u32(2).u64(1).u64(0);
  hostileLive.u8(0).u8(11).u8(8).var8(live.asBytes()).u8(11).u8(20).var8(frame.asBytes());
  hostileLive.u8(7).u8(2).u8(6).u8(2).var8("ours"_kj.asBytes()).u16(100).u8(9).u8(30);
  hostileLive.u8(11).u8(21).var8(frameCredit.asBytes());
  corpus.add("lanes-live-hostile", 3, hostileLive);
  honestLive.u8(0).u8(1).var8(
      nullptr);  // a opens a live stream, and b is late with what a reads in time
  for (int i = 0; i < 20; ++i) honestLive.u8(12).u8(1).var8("level"_kj.asBytes()).u16(100);
  honestLive.u8(20).u8(15).u8(1).u8(18).u8(60).u8(15).u8(1).u8(13).u8(1).var8(nullptr).u16(50);
  honestLive.u8(21).u8(14).u8(1).u8(20);
  corpus.add("lanes-live-honest", 4, honestLive);

  FlatWriter stream;
  stream.u8(2).bytes(writeMessage(3, "one"_kj.asBytes())).bytes(writeMessage(6, nullptr));
  stream.u32(MESSAGE_BODY_BYTES_MAX + 1).u8(1);
  corpus.add("messages", 5, stream);

  FlatWriter resume;  // one stream of each side, and a peer that lacks half of what was sent
  resume.u8(0).u8(4).u8(0).u8(2).var8("header"_kj.asBytes()).u8(1).u8(1).u16(20).u8(9);
  resume.u8(10).u8(8).var8(open.asBytes());
  transport::Resume goesOn{{}, 3, 1, {1, {{1, 50, 50, 256 << 10, false}, {2, 0, 0, 1000, false}}}};
  corpus.add("resume", 6, resume.bytes(encode(goesOn)));
}

Buffer flat(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  return kj::heapArray<kj::byte>(words.asBytes());
}

// The bytes of a device that says its facts, introduces itself and leases a stage.
Buffer rpcSession() {
  kj::EventLoop loop;
  kj::WaitScope scope(loop);
  auto pipe = kj::newTwoWayPipe();
  auto reading = pipe.ends[1]->readAllBytes();
  {
    transport::LinkRpc link(kj::mv(pipe.ends[0]), true, nullptr);
    auto peer = link.peer().castAs<devices::rpc::Peer>();
    auto facts = peer.factsRequest();
    writeFacts(facts.initFacts());
    auto introduce = peer.introduceRequest();
    auto place = introduce.initPlaces(1)[0];
    place.setDevice(zeros(DeviceId::SIZE));
    place.initAddresses(1).set(0, "10.0.0.1:7000");
    auto host = peer.stagesRequest().send().getHost();
    auto start = host.startRequest();
    writeOrder(start.initOrder());
    auto said = facts.send().ignoreResult().eagerlyEvaluate([](kj::Exception&&) {});
    auto told = introduce.send().ignoreResult().eagerlyEvaluate([](kj::Exception&&) {});
    auto started = start.send();
    auto renewed = started.getStage().renewRequest().send().ignoreResult().eagerlyEvaluate(
        [](kj::Exception&&) {});
    scope.poll();
  }
  return reading.wait(scope);
}

void messages(const Corpus& corpus) {
  capnp::MallocMessageBuilder facts, order, places;
  writeFacts(facts.initRoot<devices::rpc::Peer::FactsParams>().initFacts());
  corpus.add(
      "facts-params", 0, choice({numberOfCall<devices::rpc::Peer::FactsParams>()}, flat(facts)));
  writeOrder(order.initRoot<router::rpc::StageHost::StartParams>().initOrder());
  corpus.add("start-params", 0,
      choice({numberOfCall<router::rpc::StageHost::StartParams>()}, flat(order)));
  auto place = places.initRoot<devices::rpc::Peer::IntroduceParams>().initPlaces(1)[0];
  place.setDevice(zeros(DeviceId::SIZE));
  corpus.add("introduce-params", 0,
      choice({numberOfCall<devices::rpc::Peer::IntroduceParams>()}, flat(places)));
  capnp::MallocMessageBuilder run, alone;
  auto job = run.initRoot<local::Daemon::RunParams>().initOrder();
  job.setWorkload("dictate");
  job.initInputs(1)[0].setPort("mic");
  corpus.add("run-params", 0, choice({numberOfCall<local::Daemon::RunParams>()}, flat(run)));
  // A call of each interface of the data floor.
  capnp::MallocMessageBuilder set, put, added, listed;
  auto change = set.initRoot<local::Document::SetParams>();
  change.setPath("/a");
  change.setJson("[1]");
  corpus.add(
      "document-set-params", 0, choice({numberOfCall<local::Document::SetParams>()}, flat(set)));
  put.initRoot<local::Blobs::PutParams>().setName("photo");
  corpus.add("blobs-put-params", 0, choice({numberOfCall<local::Blobs::PutParams>()}, flat(put)));
  auto folder = added.initRoot<local::Folders::AddParams>();
  folder.setPath("/home/a");
  folder.setName("a");
  corpus.add(
      "folders-add-params", 0, choice({numberOfCall<local::Folders::AddParams>()}, flat(added)));
  listed.initRoot<local::Folders::ListResults>().initFolders(1)[0].initTroubles(1)[0].setPath("b");
  corpus.add("folders-list-results", 0,
      choice({numberOfCall<local::Folders::ListResults>()}, flat(listed)));
  writeFacts(alone.initRoot<router::rpc::DeviceFacts>());
  corpus.add("facts", 1, flat(alone));
  corpus.add("rpc", 2, rpcSession());
  router::Lineage lineage = {{.stage = 1, .outSeq = 3, .inUpto = {4, 5}, .state = {1, 2}}};
  router::Frame frame{.seq = 4, .ptsUs = 20, .lineage = lineage};
  frame.payload = kj::heapArray<const kj::byte>("words"_kj.asBytes());
  corpus.add("edge-frame", 3, router::encode(frame));
  corpus.add("edge-resume", 3, router::encode(router::Resume{3, lineage}));
  corpus.add("edge-commit", 3, router::encodeCommit(7));
  auto resume = router::encode(router::Resume{});
  FlatWriter stage;  // resumes and commits; two frames with a lineage, and the end
  stage.u8(2).var16(resume).var16(router::encodeCommit(0)).u8(3);
  for (uint64_t seq: {1, 2, 3}) {
    router::Frame next{.seq = seq, .flags = seq == 3 ? router::Frame::END : uint8_t{0}};
    next.lineage = {{.stage = 0, .outSeq = seq, .inUpto = {}}};
    stage.var16(router::encode(next));
  }
  corpus.add("running-stage", 4, stage);
  corpus.add("edge-header", 3, router::encode(router::EdgeHeader{.edge = 1, .producer = 2}));
}

void membership(const Corpus& corpus) {
  auto& circle = Circle::get();
  corpus.add("op-genesis", 0, view(circle.ops[0].envelope));
  corpus.add("op-raw", 0, view(circle.ops[Circle::BASE_OPS].envelope));
  for (uint8_t i = 0; i < circle.ops.size(); ++i) {
    auto& op = circle.ops[i].op;
    auto kind = std::to_string(static_cast<int>(op.kind)) + "-" + std::to_string(i);
    corpus.add(("changed-op-" + kind).c_str(), 1, choice({i}, oneByte(140, 0)));
    if (op.payload.size() < 1'000) {
      auto number = static_cast<uint8_t>(op.kind);
      corpus.add(("payload-" + kind).c_str(), 2, choice({number}, view(op.payload)));
    }
    corpus.add(("changed-payload-" + kind).c_str(), 3, choice({i}, undamaged()));
    FlatWriter history;  // by each admin at once, then by the other one
    history.u8(0).u8(i).u8(0).u8(0).u8(1).u8(i).u8(1).u8(0).u8(1).u8(i).u8(0).u8(0);
    corpus.add(("history-" + kind).c_str(), 6, history);
  }
  corpus.add("bundle", 4, undamaged());
  corpus.add("bundle-changed", 4, oneByte(2, 1));
  corpus.add("join", 5, undamaged());
  corpus.add("join-changed", 5, oneByte(96, 2));
  // Two admins that remove each other, and a third who is removed by both.
  FlatWriter duel;
  for (uint8_t side: {0, 1}) duel.u8(side).u8(13).u8(side).u8(16).u8(1 - side);
  for (uint8_t side: {0, 1}) duel.u8(side).u8(13).u8(side).u8(16).u8(2);
  corpus.add("history-duel", 6, duel);
  FlatWriter chat;
  chat.u8(1).u8(0).var16(choice({0, 0, 0, 0, 0}, nullptr).asBytes());
  chat.u8(3).u8(5).bytes(undamaged()).u8(1).var16(writeMessage(6, nullptr)).u8(2);
  corpus.add("exchange", 7, chat);
  FlatWriter stranger;
  stranger.u8(128 + 4).u8(0).var16(choice({0, 0, 0, 0, 0}, nullptr).asBytes());
  stranger.u8(3).u8(2).bytes(undamaged()).u8(1).var16(writeMessage(6, nullptr));
  corpus.add("exchange-stranger", 7, stranger);
  corpus.add("whole-log", 8, choice({0}, undamaged()));
  FlatWriter field;
  field.bytes(undamaged()).bytes(undamaged());
  corpus.add("sealed-field", 9, field);
}

void pairing(const Corpus& corpus) {
  auto& pairs = Pairs::get();
  auto proof = Pairs::qrProof();
  QrHint place{.port = 7000};
  place.address.addAll(Bytes(zeros(4)));
  auto payload = qrPayload(proof.commitment, proof.secret, kj::arrayPtr(&place, 1));
  corpus.add("qr-text", 0, qrText(payload).asBytes());
  corpus.add("qr-payload", 1, payload);
  corpus.add("display", 2, display(pairs.admin.id).asBytes());
  corpus.add("base32", 2, "MZXW6YTBOI"_kj.asBytes());
  corpus.add("code", 3, "Pond dirt-hold\tsea crumble  ivory"_kj.asBytes());
  SeededEntropy entropy(55);
  corpus.add("recovery", 3, recoveryWords(RecoverySeed::draw(entropy)).reveal());
  corpus.add("share", 4, undamaged());
  corpus.add("share-changed", 4, oneByte(20, 1));
  PairHello hello{PairMethod::CODE, {}};
  corpus.add("hello", 5, hello.body());
  PairHint hint{pairs.admin.id, kj::str("10.0.0.1:7000")};
  corpus.add("hints", 6, writeHints(kj::arrayPtr(&hint, 1)));
  corpus.add("offer", 7, undamaged());
  corpus.add("offer-role", 7, oneByte(32, 1));
  for (uint8_t method: {0, 1, 2}) {
    auto name = "records-" + std::to_string(method);
    corpus.add((name + "-honest").c_str(), 8, choice({method, 15}, undamaged()));
    for (uint8_t which: {1, 3, 5}) {
      corpus.add((name + "-damaged-" + std::to_string(which)).c_str(), 8,
          choice({method, which}, oneByte(9, 1)));
    }
  }
  FlatWriter admin, joiner;  // t2, a piece of the log, hints; t1, then the consent
  admin.var8(nullptr)
      .bytes(undamaged())
      .u8(0x82)
      .bytes(undamaged())
      .u8(4)
      .var16("log"_kj.asBytes());
  admin.u8(5).var16(writeHints(kj::arrayPtr(&hint, 1)));
  corpus.add("hostile-admin", 9, admin);
  joiner.bytes(undamaged()).u8(1).var16(zeros(32)).u8(0x83).bytes(undamaged());
  corpus.add("hostile-joiner", 10, joiner);
}

}  // namespace
}  // namespace hearth::fuzz

int main(int argc, char** argv) {
  KJ_REQUIRE(argc == 2, "usage: fuzz-seeds DIRECTORY");
  using namespace hearth::fuzz;
  recordsAndHandshakes({argv[1], "F1"});
  datagrams({argv[1], "F1-datagrams"});
  dataAndLanes({argv[1], "F2"});
  messages({argv[1], "F3"});
  membership({argv[1], "F4"});
  pairing({argv[1], "F7"});
  blobHeader({argv[1], "F8"});
  blobs({argv[1], "blobs"});
  documents({argv[1], "documents"});
  find({argv[1], "find"});
  folder({argv[1], "folder"});
  ignore({argv[1], "ignore"});
  json({argv[1], "json"});
  reconcile({argv[1], "reconcile"});
  proposals({argv[1], "proposals"});
  operationLog({argv[1], "operation-log"});
  vaults({argv[1], "vault"});
}
