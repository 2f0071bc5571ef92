// What people do with their devices.

#include "simulator/engines/speech.h"
#include "simulator/story/verbs.h"

#include <kj/debug.h>

namespace hearth::sim {

kj::Promise<void> Verbs::dictate(const Happening& h) {
  auto words = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 20;
  auto sentence = h.second > 0 ? static_cast<uint32_t>(h.second) : 6;
  auto& source = h.other == nullptr ? *h.device : *h.other;
  if (h.device->node() == nullptr || source.id() == nullptr) return kj::READY_NOW;
  run.people.dictate(*h.device, source, words, sentence);
  came("dictate");
  return kj::READY_NOW;
}

kj::Promise<void> Verbs::write(const Happening& h) {
  auto changes = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 10;
  auto span = h.span > 0 * kj::SECONDS ? h.span : 30 * kj::SECONDS;
  return run.writers.write(*h.device, changes, span);
}

kj::Promise<void> Verbs::copy(const Happening& h) {
  auto entries = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 10;
  auto span = h.span > 0 * kj::SECONDS ? h.span : 30 * kj::SECONDS;
  auto longest = kj::max(static_cast<int64_t>(h.second), int64_t{3}) * kj::SECONDS;
  return run.copiers.copy(*h.device, entries, span, longest);
}

kj::Promise<void> Verbs::clear(const Happening& h) { return run.copiers.clear(*h.device); }

kj::Promise<void> Verbs::shareFolder(const Happening& h) {
  bool shared = co_await run.owners.share(*h.device);
  came(shared ? "share-folder" : "no-folder");
}

kj::Promise<void> Verbs::useFiles(const Happening& h) {
  auto changes = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 10;
  auto span = h.span > 0 * kj::SECONDS ? h.span : 30 * kj::SECONDS;
  return run.owners.work(*h.device, changes, span);
}

kj::Promise<void> Verbs::turnFolder(const Happening& h) {
  using Direction = devices::Folders::Direction;
  auto direction = luck.permille(500) ? Direction::SEND : Direction::RECEIVE;
  bool turned = co_await run.owners.turn(*h.device, direction, h.span);
  if (turned) came(direction == Direction::SEND ? "folder-sends" : "folder-receives");
}

kj::Promise<void> Verbs::pair(const Happening& h) {
  auto role = run.castOf(*h.device).admin ? crypto::Role::ADMIN : crypto::Role::MEMBER;
  bool paired = co_await run.people.pair(*h.device, *h.other, role);
  came(paired ? "pair" : "pairing-failed");
}

kj::Promise<void> Verbs::pairWithWrongCode(const Happening& h) {
  bool paired = co_await run.people.pair(*h.device, *h.other, crypto::Role::MEMBER, false);
  came(paired ? "paired-with-wrong-code" : "pair-wrong-code");
}

kj::Promise<void> Verbs::guessCodes(const Happening& h) {
  auto guesses = h.amount > 0 ? static_cast<uint32_t>(h.amount) : 6;
  co_await run.people.guessCodes(*h.device, *h.other, guesses);
  if (run.people.guessings().back().locked) came("pairing-locked");
}

kj::Promise<void> Verbs::remove(const Happening& h) {
  if (h.device->id() == nullptr) co_return;
  if (co_await run.people.remove(*h.other, *h.device, crypto::RemoveReason::LOST)) came("remove");
}

kj::Promise<void> Verbs::makeAdmin(const Happening& h) {
  if (h.device->id() == nullptr) co_return;
  auto made = co_await run.people.makeAdmin(*h.other, *h.device);
  KJ_IF_MAYBE(atOnce, made) came(*atOnce ? "make-admin" : "asked-for-admin");
}

kj::Promise<void> Verbs::approve(const Happening& h) {
  if (co_await run.people.approveAll(*h.device) > 0) came("approved");
}

kj::Promise<void> Verbs::fallIntoFalseHands(const Happening& h) {
  if (!h.device->runs() || !h.device->inCircle()) co_return;
  co_await h.device->fallIntoFalseHands();
  came("false-hands");
  co_await wait(h);
  KJ_IF_MAYBE(thief, h.device->process().falseAdmin()) {
    auto& count = thief->count();
    for (auto& [what, times]:
        {std::pair("false-question", count.questions), std::pair("unasked-answer", count.unasked),
            std::pair("false-agreement", count.agreements),
            std::pair("false-signature", count.falseSignatures),
            std::pair("signed-without-a-word", count.signatures)}) {
      if (times > 0) came(what);
    }
  }
  h.device->kill();
  h.device->start();
}

}  // namespace hearth::sim
