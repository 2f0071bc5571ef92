#include "devices/node/peer-server.h"

#include "devices/node/proposals.h"
#include "router/place/facts-codec.h"
#include "transport/link/links.h"

#include <kj/debug.h>

namespace hearth::devices {

std::vector<std::string> textsOf(capnp::List<capnp::Text>::Reader list) {
  std::vector<std::string> texts;
  for (auto text: list) texts.emplace_back(text.cStr());
  return texts;
}

void write(const std::vector<std::string>& texts, capnp::List<capnp::Text>::Builder out) {
  for (kj::uint i = 0; i < texts.size(); ++i) out.set(i, texts[i].c_str());
}

kj::Promise<void> PeerServer::facts(FactsContext context) {
  auto facts = router::readFacts(context.getParams().getFacts());
  KJ_REQUIRE(facts.has_value(), "facts that are none", facts.error().because);
  KJ_REQUIRE(facts->id == peer, "a device speaks for itself alone");
  desk.heard(peer, kj::mv(*facts));
  return kj::READY_NOW;
}

kj::Promise<void> PeerServer::introduce(IntroduceContext context) {
  auto places = context.getParams().getPlaces();
  KJ_REQUIRE(places.size() <= crypto::DEVICES_MAX, "too many places");
  for (auto place: places) {
    auto device = DeviceId::from(place.getDevice());
    KJ_REQUIRE(
        device.has_value() && place.getAddresses().size() <= transport::Links::ADDRESSES_MAX);
    desk.introduced(*device, textsOf(place.getAddresses()));
  }
  return kj::READY_NOW;
}

kj::Promise<void> PeerServer::meet(MeetContext context) {
  auto theirs = textsOf(context.getParams().getPlaces());
  KJ_REQUIRE(theirs.size() <= transport::Links::ADDRESSES_MAX, "too many places");
  auto own = co_await desk.met(peer, kj::mv(theirs));
  write(own, context.getResults().initPlaces(static_cast<kj::uint>(own.size())));
}

kj::Promise<void> PeerServer::stages(StagesContext context) {
  context.getResults().setHost(desk.stages(peer));
  return kj::READY_NOW;
}

kj::Promise<void> PeerServer::proposals(ProposalsContext context) {
  auto open = context.getParams().getOpen();
  KJ_REQUIRE(open.size() <= Proposals::OF_ADMIN_MAX, "too many questions");
  std::vector<crypto::Bytes> all;
  for (auto bytes: open) all.push_back(bytes);
  desk.asked(peer, all);
  return kj::READY_NOW;
}

kj::Promise<void> PeerServer::answer(AnswerContext context) {
  auto params = context.getParams();
  auto id = crypto::ProposalId::from(params.getProposal());
  KJ_REQUIRE(id.has_value(), "an id of another length");
  auto done = co_await desk.answered(peer, *id, params.getAgrees());
  context.getResults().setDone(done);
}

kj::Promise<void> PeerServer::cosign(CosignContext context) {
  auto params = context.getParams();
  auto id = crypto::ProposalId::from(params.getProposal());
  KJ_REQUIRE(id.has_value(), "an id of another length");
  KJ_REQUIRE(params.getBody().size() <= crypto::Op::BODY_BYTES_MAX, "an op that is too long");
  auto signature = co_await desk.cosign(peer, *id, kj::heapArray<kj::byte>(params.getBody()));
  context.getResults().setSignature(signature.asBytes());
}

kj::Promise<void> PeerServer::rename(RenameContext context) {
  return desk.renamed(peer, context.getParams().getName().cStr());
}

kj::Promise<void> PeerServer::keeps(KeepsContext context) {
  auto params = context.getParams();
  auto folder = crypto::CollectionId::from(params.getFolder());
  KJ_REQUIRE(folder.has_value(), "an id of another length");
  KJ_REQUIRE(params.getFiles().size() <= FolderFreeing::BATCH, "too many files");
  std::vector<FolderProving::Asked> files;
  for (auto file: params.getFiles()) {
    auto path = storage::FolderPath::parse(file.getPath().cStr());
    auto ref = BlobRef::parse(file.getContent());
    KJ_REQUIRE(path.has_value() && ref.has_value(), "no file of a folder");
    files.push_back({kj::mv(*path), *ref});
  }
  auto kept = co_await desk.keeps(peer, *folder, kj::mv(files));
  auto out = context.getResults().initKept(static_cast<kj::uint>(kept.size()));
  for (kj::uint i = 0; i < kept.size(); ++i) out.set(i, kept[i]);
}

}  // namespace hearth::devices
