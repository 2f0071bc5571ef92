#include "simulator/fleet/false-admin.h"

#include "devices/devices.capnp.h"

#include <kj/debug.h>

namespace hearth::sim {

namespace rpc = devices::rpc;
using crypto::Buffer;
using crypto::Proposal;
using devices::Proposals;

class FalseAdmin::Server final: public rpc::Peer::Server {
 public:
  Server(FalseAdmin& admin, const DeviceId& peer): admin(admin), peer(peer) {}

  kj::Promise<void> facts(FactsContext) override { return kj::READY_NOW; }
  kj::Promise<void> introduce(IntroduceContext) override { return kj::READY_NOW; }
  kj::Promise<void> meet(MeetContext) override { return kj::READY_NOW; }
  kj::Promise<void> proposals(ProposalsContext context) override {
    admin.agreeToAll(peer, context.getParams().getOpen());
    return kj::READY_NOW;
  }
  kj::Promise<void> cosign(CosignContext context) override {
    auto signature = admin.falseSignature(context.getParams().getBody());
    context.getResults().setSignature(signature);
    return kj::READY_NOW;
  }

 private:
  FalseAdmin& admin;
  DeviceId peer;
};

FalseAdmin::FalseAdmin(Surroundings around, devices::StoredCircle stored,
    std::vector<storage::PeerRow> remembered, kj::Own<kj::ConnectionReceiver> receiver)
    : around(around),
      guard([]() { KJ_FAIL_ASSERT("an ephemeral key came twice"); }),
      keeper(kj::mv(stored), around.identity, around.store, around.timer, around.clock,
          around.entropy, around.home, around.aside, nullptr, *this),
      links(transport::HandshakeTools{around.timer, around.entropy, guard, keeper}, around.network,
          *this),
      tasks(*this) {
  links.serve(kj::mv(receiver));
  for (auto& row: remembered) {
    if (row.device != keeper.selfId() && !row.addresses.empty())
      links.setAddresses(row.device, row.addresses);
  }
}

FalseAdmin::~FalseAdmin() noexcept(false) {
  tasks.clear();
  links.hangUp();
}

capnp::Capability::Client FalseAdmin::bootstrapFor(const DeviceId& peer) {
  return kj::heap<Server>(*this, peer);
}

void FalseAdmin::peerUp(const DeviceId& peer) {
  bool isAdmin = keeper.state()
                     .find(peer)
                     .map([](auto& member) { return member.role == crypto::Role::ADMIN; })
                     .orDefault(false);
  if (isAdmin) tasks.add(lieTo(peer));
}

kj::Promise<void> FalseAdmin::lieTo(DeviceId peer) {
  while (links.isUp(peer)) {
    ask(peer);
    answerUnasked(peer);
    tasks.add(askForSignature(peer));
    co_await around.timer.afterDelay(LIES_EVERY);
  }
}

kj::Maybe<Proposal> FalseAdmin::question() {
  for (auto& [id, member]: keeper.state().devices) {
    if (!member.isActive() || member.role != crypto::Role::MEMBER) continue;
    return Proposal{keeper.log().circle(), keeper.selfId(),
        around.entropy.draw<crypto::ProposalNonce>(),
        crypto::SetRolePayload{id, crypto::Role::ADMIN}};
  }
  return nullptr;
}

// Always new ones, the first of them none: as many as are listened to, and now and then one too many.
void FalseAdmin::ask(const DeviceId& peer) {
  bool tooMany = counted.unasked % TOO_MANY_EVERY == 0;
  auto count = static_cast<kj::uint>(Proposals::OF_ADMIN_MAX + tooMany);
  auto request = links.rpc(peer).castAs<rpc::Peer>().proposalsRequest();
  auto out = request.initOpen(count);
  for (kj::uint i = 0; i < count; ++i) {
    KJ_IF_MAYBE(asked, question()) {
      auto bytes = asked->encode();
      if (i == 0) bytes[around.entropy.draw<crypto::ProposalNonce>().bytes[0] % bytes.size()] ^= 1;
      out.set(i, bytes);
    }
  }
  counted.questions += count;
  tasks.add(request.send().ignoreResult());
}

void FalseAdmin::answerUnasked(const DeviceId& peer) {
  auto request = links.rpc(peer).castAs<rpc::Peer>().answerRequest();
  request.setProposal(around.entropy.draw<crypto::ProposalId>().asBytes());
  request.setAgrees(counted.unasked % 2 == 0);
  ++counted.unasked;
  tasks.add(request.send().ignoreResult());
}

// For what it has asked this moment, which the peer's user cannot have read.
kj::Promise<void> FalseAdmin::askForSignature(DeviceId peer) {
  auto asked = question();
  if (asked == nullptr) co_return;
  auto& proposal = KJ_ASSERT_NONNULL(asked);
  auto draft = keeper.draft(proposal.payload, {peer});
  if (!draft) co_return;
  auto client = links.rpc(peer).castAs<rpc::Peer>();
  auto told = client.proposalsRequest();
  told.initOpen(1).set(0, proposal.encode());
  auto wanted = client.cosignRequest();
  wanted.setProposal(proposal.id().asBytes());
  wanted.setBody(draft->body());
  tasks.add(told.send().ignoreResult());
  auto response = co_await wanted.send();
  auto signature = crypto::Signature::from(response.getSignature());
  if (!signature) co_return;
  ++counted.signatures;
  (void)co_await keeper.sayCosigned(kj::mv(*draft), *signature);
}

void FalseAdmin::agreeToAll(const DeviceId& peer, capnp::List<capnp::Data>::Reader open) {
  for (auto bytes: open) {
    auto asked = Proposal::decode(bytes);
    if (!asked) continue;
    auto request = links.rpc(peer).castAs<rpc::Peer>().answerRequest();
    request.setProposal(asked->id().asBytes());
    request.setAgrees(true);
    ++counted.agreements;
    tasks.add(request.send().ignoreResult());
  }
}

// Over another op; of chance; of another length; none.
Buffer FalseAdmin::falseSignature(crypto::Bytes body) {
  auto other = kj::heapArray<kj::byte>(body);
  if (other.size() > 0) other.back() ^= 1;
  auto signature = crypto::sign(around.identity.keys.ed, crypto::SigType::OP, other);
  auto chance = around.entropy.draw<crypto::Signature>();
  auto which = counted.falseSignatures++ % 4;
  if (which == 0) return kj::heapArray<kj::byte>(signature.asBytes());
  if (which == 1) return kj::heapArray<kj::byte>(chance.asBytes());
  if (which == 2) return kj::heapArray<kj::byte>(signature.asBytes().slice(1, signature.SIZE));
  return nullptr;
}

}  // namespace hearth::sim
