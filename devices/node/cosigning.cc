#include "devices/node/cosigning.h"

#include "crypto/membership/authority.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <algorithm>

namespace hearth::devices {

using crypto::ProposalId;

namespace {

constexpr Error NEVER = {Errc::POLICY_DENIED,
    "it was refused, taken back, or has no use any more: nothing is changed"_kj};

Proposals proposalsFrom(const DeviceId& self, crypto::Bytes stored, kj::TimePoint now) {
  if (stored.size() == 0) return Proposals(self);
  auto read = Proposals::decode(self, stored, now);
  if (read) return kj::mv(*read);
  KJ_LOG(WARNING, "what waited for another admin is damaged and forgotten", read.error().because);
  return Proposals(self);
}

}  // namespace

Cosigning::Cosigning(Surroundings around, crypto::Bytes stored)
    : around(around),
      proposals(proposalsFrom(around.keeper.selfId(), stored, around.timer.now())),
      tasks(*this) {}

bool Cosigning::isAdmin(const DeviceId& device) const {
  auto admins = otherAdmins(around.keeper.state(), around.keeper.selfId());
  return std::ranges::find(admins, device) != admins.end();
}

rpc::Peer::Client Cosigning::peerOf(const DeviceId& device) {
  return around.links.rpc(device).castAs<rpc::Peer>();
}

kj::Promise<Result<kj::Maybe<ProposalId>>> Cosigning::say(crypto::Payload payload) {
  auto& log = around.keeper.log();
  auto needed = crypto::weightNeeded(log.state(), payload);
  if (needed >= crypto::WEIGHT_RECOVERY)
    co_return no(Errc::NOT_AUTHORISED,
        "in this circle that takes the recovery words: stop hearthd, and see hearth recover --here");
  if (needed == 1) {
    auto said = co_await around.keeper.say(kj::mv(payload));
    if (!said) co_return no(said.error());
    co_return kj::Maybe<ProposalId>(nullptr);
  }
  auto nonce = around.entropy.draw<crypto::ProposalNonce>();
  auto id = proposals.ask(log, kj::mv(payload), nonce, around.timer.now());
  if (!id) co_return no(id.error());
  around.trace.event(
      "cosigning.asked", {{"waiting", static_cast<int64_t>(proposals.ofSelf().size())}});
  co_await save();
  tellAll();
  co_return kj::Maybe<ProposalId>(*id);
}

kj::Promise<Result<void>> Cosigning::settled(ProposalId id) {
  auto found = proposals.ofSelf().find(id);
  if (found == proposals.ofSelf().end()) return Result<void>(no(NEVER));
  auto& waiter = waiters[id];
  waiter.payload = found->second.proposal.payload;
  auto pair = kj::newPromiseAndFulfiller<Result<void>>();
  waiter.fulfillers.add(kj::mv(pair.fulfiller));
  return kj::mv(pair.promise);
}

Result<ProposalId> Cosigning::find(const std::string& wanted) const {
  auto waiting = openOfOthers();
  for (auto& [id, asked]: proposals.ofSelf()) waiting.push_back(id);
  return meant(waiting, wanted);
}

std::vector<ProposalId> Cosigning::openOfOthers() const {
  std::vector<ProposalId> open;
  for (auto& [id, asked]: proposals.ofOthers()) {
    bool isOpen = asked.answer != Proposals::Answer::REFUSES &&
        asked.proposal.checkIn(around.keeper.log(), around.keeper.selfId()).has_value();
    if (isOpen) open.push_back(id);
  }
  return open;
}

kj::Promise<Result<bool>> Cosigning::decide(std::string wanted, bool agrees) {
  auto id = find(wanted);
  if (!id) co_return no(id.error());
  if (proposals.ofSelf().contains(*id)) {
    if (agrees)
      co_return no(Errc::NOT_AUTHORISED,
          "this device asks for it itself: run hearth approve on another admin device");
    proposals.takeBack(*id);
    over({*id});
    co_await save();
    tellAll();
    co_return true;
  }
  if (auto answered = proposals.answer(around.keeper.log(), *id, agrees); !answered)
    co_return no(answered.error());
  // A crash after this must not undo what the user has said.
  co_await save();
  co_return co_await tellAnswer(*id);
}

// Whether the circle has followed. The asking device may be away: it is told when it comes.
kj::Promise<bool> Cosigning::tellAnswer(ProposalId id) {
  auto found = proposals.ofOthers().find(id);
  if (found == proposals.ofOthers().end()) co_return false;
  auto asker = found->second.proposal.author;
  if (found->second.answer == Proposals::Answer::NONE || !around.links.isUp(asker)) co_return false;
  auto request = peerOf(asker).answerRequest();
  request.setProposal(id.asBytes());
  request.setAgrees(found->second.answer == Proposals::Answer::AGREES);
  auto heard = request.send()
                   .then([](auto response) { return response.getDone(); },
                       [](kj::Exception&& e) {
                         KJ_LOG(INFO, "an answer is not there yet", e.getDescription());
                         return false;
                       })
                   .fork();
  tasks.add(heard.addBranch().ignoreResult());
  co_return co_await heard.addBranch().exclusiveJoin(
      around.timer.afterDelay(HEARD_WITHIN).then([]() { return false; }));
}

void Cosigning::tell(const DeviceId& admin) {
  auto open = proposals.open();
  auto request = peerOf(admin).proposalsRequest();
  auto out = request.initOpen(static_cast<kj::uint>(open.size()));
  for (kj::uint i = 0; i < open.size(); ++i) out.set(i, open[i]);
  tasks.add(request.send().ignoreResult());
}

void Cosigning::tellAll() {
  for (auto& peer: around.links.peersUp()) {
    if (isAdmin(peer)) tell(peer);
  }
}

void Cosigning::peerUp(const DeviceId& peer) {
  if (proposals.empty() || !isAdmin(peer)) return;
  if (!proposals.ofSelf().empty()) tell(peer);
  for (auto& [id, asked]: proposals.ofSelf()) {
    auto answer = asked.answers.find(peer);
    if (answer != asked.answers.end() && answer->second)
      tasks.add(complete(id, peer).ignoreResult());
  }
  for (auto& [id, asked]: proposals.ofOthers()) {
    if (asked.proposal.author == peer) tasks.add(tellAnswer(id).ignoreResult());
  }
}

void Cosigning::circleChanged() {
  if (proposals.empty()) return;
  auto before = proposals.ofOthers().size();
  auto done = proposals.settle(around.keeper.log(), around.timer.now());
  over(done);
  if (!done.empty()) tellAll();
  if (!done.empty() || proposals.ofOthers().size() != before) keepSoon();
}

// Of a policy: that one, and not another which was said beside it.
bool Cosigning::hasCome(const crypto::Payload& payload) const {
  if (!isDone(around.keeper.state(), payload)) return false;
  auto* set = std::get_if<crypto::PolicySetPayload>(&payload);
  if (set == nullptr) return true;
  auto plain = crypto::clearTextOf(*set);
  return plain && around.keeper.policy().encode() == *plain;
}

void Cosigning::over(const std::vector<ProposalId>& ids) {
  for (auto& id: ids) {
    auto found = waiters.find(id);
    if (found == waiters.end()) continue;
    bool done = hasCome(found->second.payload);
    auto waiter = kj::mv(found->second);
    waiters.erase(found);
    for (auto& fulfiller: waiter.fulfillers)
      fulfiller->fulfill(done ? Result<void>() : Result<void>(no(NEVER)));
  }
}

void Cosigning::asked(const DeviceId& peer, const std::vector<crypto::Bytes>& open) {
  if (!isAdmin(peer)) return;
  if (proposals.asked(peer, open, around.timer.now())) keepSoon();
}

kj::Promise<bool> Cosigning::answered(DeviceId peer, ProposalId id, bool agrees) {
  if (!isAdmin(peer)) co_return false;
  auto changed = proposals.answered(peer, id, agrees);
  if (!changed) co_return false;
  if (*changed) keepSoon();
  if (agrees) co_return co_await complete(id, peer);
  circleChanged();
  co_return false;
}

kj::Promise<crypto::Signature> Cosigning::cosign(
    DeviceId peer, ProposalId id, crypto::Buffer body) {
  auto op = crypto::Op::parse(body);
  if (!op) KJ_FAIL_REQUIRE("not an op", op.error().because);
  auto may = proposals.mayCosign(around.keeper.log(), around.keeper.epochKeys(), peer, id, *op);
  if (!may) KJ_FAIL_REQUIRE("this device does not sign that", may.error().because);
  // How often is remembered over a crash.
  co_await save();
  co_return around.keeper.cosign(body);
}

// One at a time for each question: two admins may have agreed at once.
kj::Promise<bool> Cosigning::complete(ProposalId id, DeviceId admin) {
  if (!completing.insert(id).second) co_return false;
  KJ_DEFER(completing.erase(id));
  for (int tries = 0; tries < TRIES_MAX; ++tries) {
    if (tries > 0) co_await around.timer.afterDelay(TRY_AGAIN_AFTER);
    if (!proposals.ofSelf().contains(id) || !around.links.isUp(admin)) co_return false;
    auto done = co_await tryToComplete(id, admin);
    if (done) {
      around.trace.event("cosigning.done", {{"tries", tries + 1}});
      co_return true;
    }
    KJ_LOG(INFO, "an op is not signed by two yet", done.error().because);
  }
  co_return false;
}

kj::Promise<Result<void>> Cosigning::tryToComplete(ProposalId id, const DeviceId& admin) {
  auto payload = proposals.ofSelf().at(id).proposal.payload;
  auto draft = around.keeper.draft(payload, {admin});
  if (!draft) co_return no(draft.error());
  auto body = draft->body();
  auto request = peerOf(admin).cosignRequest();
  request.setProposal(id.asBytes());
  request.setBody(body);
  auto signature =
      co_await around.timer.timeoutAfter(SIGN_WITHIN, request.send())
          .then([](auto response) { return crypto::Signature::from(response.getSignature()); },
              [](kj::Exception&& e) -> Result<crypto::Signature> {
                KJ_LOG(INFO, "another admin has not signed", e.getDescription());
                return no(Errc::STALE, "another admin has not signed yet");
              });
  if (!signature) co_return no(signature.error());
  // What was taken back meanwhile has been called off to the user.
  if (!proposals.ofSelf().contains(id)) co_return no(NEVER);
  co_return co_await around.keeper.sayCosigned(kj::mv(*draft), *signature);
}

kj::Promise<void> Cosigning::save() {
  return StoredCircle::writeProposals(around.store, proposals.encode(around.timer.now()));
}

void Cosigning::keepSoon() {
  if (keepsSoon) return;
  keepsSoon = true;
  tasks.add(keep());
}

kj::Promise<void> Cosigning::keep() {
  KJ_IF_MAYBE(before, keptAt) co_await around.timer.atTime(*before + KEPT_EVERY);
  keptAt = around.timer.now();
  keepsSoon = false;
  around.trace.event("cosigning.kept", {});
  co_await save().catch_([](kj::Exception&& e) {
    KJ_LOG(WARNING, "what waits for another admin could not be stored", e.getDescription());
  });
}

void Cosigning::taskFailed(kj::Exception&& e) {
  if (e.getType() != kj::Exception::Type::DISCONNECTED)
    KJ_LOG(WARNING, "asking another admin failed", e.getDescription());
}

}  // namespace hearth::devices
