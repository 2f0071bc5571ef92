#include "transport/link/rekeyer.h"

#include <kj/debug.h>

namespace hearth::transport {

Rekeyer::Rekeyer(crypto::LinkSession& session, bool renews, HandshakeTools tools, Host& host)
    : tools(tools),
      host(host),
      peer(session.peer),
      renews(renews),
      ring(session, tools.timer.now()),
      rekeying(tools.circle.self().id < peer),
      watching(guarded(watch())) {}

kj::Promise<void> Rekeyer::guarded(kj::Promise<void> task) {
  return task.eagerlyEvaluate([this](kj::Exception&& e) {
    KJ_LOG(WARNING, "new keys could not be made", e);
    host.expired({Errc::KEYS_EXPIRED, "new keys could not be made; see the daemon's log"});
  });
}

kj::Maybe<crypto::KeyRing::Sealing> Rekeyer::sealing() {
  auto found = ring.sealing(tools.timer.now());
  if (found == nullptr) want();
  return found;
}

void Rekeyer::sealed() {
  if (renews && ring.isDue(tools.timer.now())) want();
}

kj::Maybe<crypto::KeyRing::Opening> Rekeyer::opening(uint32_t receiverIndex) {
  return ring.opening(receiverIndex, tools.timer.now());
}

void Rekeyer::opened(uint32_t receiverIndex) {
  if (!ring.opened(receiverIndex, tools.timer.now())) return;
  rekeying.settled();
  plan();
  host.renewed();
}

void Rekeyer::want() {
  if (renews) {
    act(rekeying.wants(tools.timer.now(), tools.entropy.draw<kj::byte>()));
  } else if (ring.sealing(tools.timer.now()) == nullptr) {
    act(Rekeying::Step::GIVE_UP);
  }
}

void Rekeyer::act(Rekeying::Step step) {
  switch (step) {
    case Rekeying::Step::NONE:
      return;
    case Rekeying::Step::CALL:
      call = nullptr;
      calling = guarded(begin());
      return plan();
    case Rekeying::Step::GIVE_UP:
      // Not from within whoever asked for keys: that is the link's writer.
      calling = guarded(kj::evalLater(
          [this]() { host.expired({Errc::KEYS_EXPIRED, "the peer makes no new keys"}); }));
      return;
  }
}

// Who may not be called any more is not; the tries then come to their end.
kj::Promise<void> Rekeyer::begin() {
  KJ_IF_MAYBE(member, tools.circle.find(peer)) {
    if (member->standing != Circle::Standing::ACTIVE) co_return;
  }
  auto machine = co_await beginCall(tools, peer, host.freshIndex(), false);
  if (!machine || !rekeying.isCalling()) co_return;
  auto record = machine->initRecord();
  call = kj::mv(*machine);
  host.sendHandshake(kj::mv(record), true);
}

void Rekeyer::answered(crypto::Bytes body) {
  KJ_IF_MAYBE(machine, call) {
    auto resp = crypto::readHsResp(body);
    if (!resp || resp->receiverIndex != machine->index()) return;  // of a call that is over
    auto session = machine->finish(body);
    call = nullptr;
    if (!session || session->status != crypto::LinkStatus::OK) return;
    ring.add(*session, tools.timer.now());
    rekeying.settled();
    plan();
    host.renewed();
  }
}

void Rekeyer::called(crypto::Buffer body) {
  if (renews && rekeying.hears(tools.timer.now())) answering = guarded(answer(kj::mv(body)));
}

kj::Promise<void> Rekeyer::answer(crypto::Buffer body) {
  auto opened = openCall(tools, body);
  if (!opened) {
    KJ_LOG(INFO, "a call for new keys was refused", opened.error().because);
    co_return;
  }
  // Only a peer that could have a link now gets new keys for the one it has.
  if (opened->isResync() || opened->status != crypto::LinkStatus::OK || opened->caller() != peer)
    co_return;
  co_await opened->accept(tools.circle);
  if (rekeying.isCalling() && tools.circle.self().id < peer) co_return;  // begun meanwhile
  auto answer = opened->answer(host.freshIndex());
  if (!answer) co_return;
  call = nullptr;
  rekeying.answers(tools.timer.now());
  ring.add(answer->session, tools.timer.now());
  plan();
  host.sendHandshake(kj::mv(answer->record), false);
}

kj::Maybe<kj::TimePoint> Rekeyer::wakeAt() const {
  auto wiping = ring.wakeAt();
  KJ_IF_MAYBE(retry, rekeying.wakeAt()) return kj::min(*retry, wiping.orDefault(*retry));
  return wiping;
}

void Rekeyer::plan() {
  KJ_IF_MAYBE(fulfiller, planned) (*fulfiller)->fulfill();
  planned = nullptr;
}

kj::Promise<void> Rekeyer::watch() {
  for (;;) {
    auto paf = kj::newPromiseAndFulfiller<void>();
    planned = kj::mv(paf.fulfiller);
    KJ_IF_MAYBE(at, wakeAt()) {
      co_await tools.timer.atTime(*at).exclusiveJoin(kj::mv(paf.promise));
    } else {
      co_await paf.promise;
    }
    auto now = tools.timer.now();
    ring.tick(now);
    auto at = rekeying.wakeAt();
    if (at != nullptr && now >= KJ_ASSERT_NONNULL(at))
      act(rekeying.tick(now, tools.entropy.draw<kj::byte>()));
  }
}

}  // namespace hearth::transport
