#include "devices/data/blob-exchange.h"

#include <kj/debug.h>

#include <algorithm>
#include <utility>

namespace hearth::devices {

using storage::AskedPart;

BlobExchange::BlobExchange(Surroundings aroundIn)
    : around(aroundIn),
      streams(
          {around.timer, around.links, around.self, STREAM_KIND_BLOBS, "blobs"_kj},
          [this](const DeviceId& peer, bool, kj::Own<kj::AsyncIoStream> stream) {
            peerHere(peer);
            return kj::heap<BlobSession>(
                around.timer, static_cast<BlobSession::Host&>(*this), peer, kj::mv(stream));
          },
          [this](const DeviceId& peer) { peerGone(peer); }),
      driving(drive().eagerlyEvaluate([](kj::Exception&& e) { KJ_LOG(ERROR, "blobs", e); })) {
  around.gate.setUser(*this);
}

BlobExchange::~BlobExchange() noexcept(false) {}

// Peers

void BlobExchange::peerHere(const DeviceId& peer) {
  if (around.readers.readsBlobs(peer) && !lied.contains(peer)) beginToAsk(peer);
}

void BlobExchange::beginToAsk(const DeviceId& peer) {
  auto number = nextNumber++;
  numbers[peer] = number;
  peers[number] = peer;
  fetcher.peerHere(number, around.timer.now());
  poke();
}

void BlobExchange::peerGone(const DeviceId& peer) {
  auto found = numbers.find(peer);
  if (found == numbers.end()) return;
  fetcher.peerGone(found->second);
  peers.erase(found->second);
  numbers.erase(found);
  poke();
}

void BlobExchange::peerHas(const DeviceId& peer, const ContentId& content) {
  auto found = numbers.find(peer);
  if (found == numbers.end()) return;
  fetcher.peerHas(found->second, content);
  poke();
}

void BlobExchange::isHere(const crypto::CollectionId& collection, const ContentId& content) {
  streams.forEach([&](const DeviceId& peer, BlobSession& session) {
    if (around.readers.readsBlobs(peer) && around.readers.mayRead(peer, collection))
      session.has(content);
  });
}

void BlobExchange::reserveAnswers(crypto::Buffer message) {
  auto found = numbers.find(DeviceId());
  if (found == numbers.end()) return;
  fetcher.received(found->second, message, around.timer.now());
  poke();
}

void BlobExchange::ask(const DeviceId& peer, crypto::Buffer message) {
  if (peer.isZero()) return KJ_ASSERT_NONNULL(reserve).ask(kj::mv(message));
  KJ_IF_MAYBE(session, streams.find(peer)) session->ask(kj::mv(message));
}

std::vector<BlobRef> BlobExchange::stuck() const {
  std::vector<BlobRef> refs;
  for (auto& content: fetcher.stuck()) {
    auto found = active.find(content);
    if (found != active.end()) refs.push_back(found->second.ref);
  }
  return refs;
}

// Answers to peers

kj::Promise<kj::Vector<kj::Maybe<crypto::Buffer>>> BlobExchange::lookUp(
    const DeviceId& peerIn, std::vector<AskedPart> asked, size_t mostBytes) {
  auto peer = peerIn;
  kj::Vector<kj::Maybe<crypto::Buffer>> answers(asked.size());
  auto count = asked.size();
  auto nothing = [&]() {
    for (size_t i = 0; i < count; ++i) answers.add(nullptr);
    return kj::mv(answers);
  };
  // Whoever asks is told that it is lacking, and again when it is not: nothing waits in vain meanwhile.
  co_await around.gate.looked();
  if (!around.readers.readsBlobs(peer) || around.gate.isResting()) co_return nothing();
  auto found = co_await ownParts(kj::mv(asked), mostBytes);
  count = found.size();
  if (around.gate.isResting()) co_return nothing();
  for (auto& part: found) {
    kj::Maybe<crypto::Buffer> answer;
    KJ_IF_MAYBE(there, part) {
      if (around.readers.mayRead(peer, there->collection)) answer = kj::mv(there->bytes);
    }
    answers.add(kj::mv(answer));
  }
  co_return kj::mv(answers);
}

// Each place is asked for what those before it lack.
kj::Promise<BlobPlace::Answers> BlobExchange::ownParts(
    std::vector<AskedPart> asked, size_t mostBytes) {
  BlobPlace::Answers answers(asked.size());
  for (size_t i = 0; i < asked.size(); ++i) answers.add(nullptr);
  for (auto place: places) {
    std::vector<AskedPart> lacking;
    std::vector<size_t> indexes;
    for (size_t i = 0; i < answers.size(); ++i) {
      if (answers[i] != nullptr) continue;
      lacking.push_back(asked[i]);
      indexes.push_back(i);
    }
    if (lacking.empty()) break;
    BlobPlace::Answers found;
    try {
      found = co_await place->parts(kj::mv(lacking), mostBytes);
    } catch (const kj::Exception& e) {
      KJ_LOG(WARNING, "blobs that a peer asks for cannot be read", e.getDescription());
      continue;
    }
    KJ_REQUIRE(0 < found.size() && found.size() <= indexes.size());
    for (size_t i = 0; i < found.size(); ++i)
      if (found[i] != nullptr) answers[indexes[i]] = kj::mv(found[i]);
    // What is behind is asked for anew.
    if (found.size() < indexes.size()) answers.truncate(indexes[found.size()]);
  }
  co_return kj::mv(answers);
}

// Answers of peers

kj::Promise<void> BlobExchange::answered(const DeviceId& peer, crypto::Buffer message) {
  auto found = numbers.find(peer);
  if (found == numbers.end()) co_return;
  fetcher.received(found->second, message, around.timer.now());
  poke();
  if (unkeptBytes < UNKEPT_BYTES_MAX) co_return;
  auto paf = kj::newPromiseAndFulfiller<void>();
  waitingForRoom.push_back(kj::mv(paf.fulfiller));
  co_await kj::mv(paf.promise);
}

// Fetches

kj::Promise<Result<void>> BlobExchange::fetch(BlobRef ref, Wish wish, BlobTarget& target) {
  auto content = ref.contentId();
  auto number = ++fetches;
  auto paf = kj::newPromiseAndFulfiller<Result<void>>();
  Fetch fetch{number, ref, wish, &target, kj::mv(paf.fulfiller)};
  auto other = active.find(content);
  if (other == active.end()) {
    begin(kj::mv(fetch));
  } else {
    auto& need = other->second.wish.need;
    if (wish.need < need && other->second.ended == nullptr) {
      need = wish.need;
      auto& range = other->second.wish;
      (void)fetcher.want(ref, need, {range.begin, range.end});
      poke();
    }
    waiting[content].push_back(kj::mv(fetch));
  }
  return paf.promise.attach(kj::defer([this, content, number]() { cancel(content, number); }));
}

void BlobExchange::begin(Fetch fetch) {
  auto content = fetch.ref.contentId();
  auto wanted = fetcher.want(fetch.ref, fetch.wish.need, {fetch.wish.begin, fetch.wish.end});
  if (!wanted) return fetch.fulfiller->fulfill(no(wanted.error()));
  ++targets[fetch.target].fetches;
  active.emplace(content, kj::mv(fetch));
  KJ_IF_MAYBE(brings, reserve) brings->wanted();
  poke();
}

void BlobExchange::cancel(const ContentId& content, uint64_t number) {
  if (isActive(content, number)) return drop(content);
  auto others = waiting.find(content);
  if (others == waiting.end()) return;
  std::erase_if(others->second, [&](auto& fetch) { return fetch.number == number; });
  if (others->second.empty()) waiting.erase(others);
}

// The fetch is over, in whichever way; whoever waited for it is next.
void BlobExchange::drop(const ContentId& content) {
  auto found = active.find(content);
  fetcher.forget(content);
  auto target = targets.find(found->second.target);
  active.erase(found);
  if (--target->second.fetches == 0) {
    for (auto& part: target->second.toKeep) unkeptBytes -= part.arrived.bytes.size();
    unkeptBytes -= target->second.keepingBytes;
    targets.erase(target);
  }
  // One that cannot begin has ended, and keeps nobody waiting.
  for (auto others = waiting.find(content); others != waiting.end() && !active.contains(content);
      others = waiting.find(content)) {
    auto next = kj::mv(others->second.front());
    others->second.pop_front();
    if (others->second.empty()) waiting.erase(others);
    begin(kj::mv(next));
  }
  poke();
}

bool BlobExchange::isStuck(const ContentId& content) const {
  KJ_IF_MAYBE(brings, reserve) {
    if (brings->isBringing(content)) return false;
  }
  return active.contains(content) && std::ranges::count(fetcher.stuck(), content) > 0;
}

// Driving the machine

void BlobExchange::poke() {
  isPoked = true;
  poked.ring();
}

// What happens in one turn of the loop is carried out together.
kj::Promise<void> BlobExchange::drive() {
  for (;;) {
    if (!isPoked) co_await poked.wait();
    isPoked = false;
    driveOnce();
    co_await kj::evalLater([]() {});
  }
}

void BlobExchange::driveOnce() {
  auto now = around.timer.now();
  KJ_IF_MAYBE(due, fetcher.next()) {
    if (*due <= now) fetcher.tick(now);
  }
  carryOut(fetcher.take(now));
  for (auto& content: std::exchange(settled, {})) settle(content);
  serveTargets();
  if (unkeptBytes < UNKEPT_BYTES_MAX && !waitingForRoom.empty()) {
    fetcher.didNotListen(now);
    for (auto& waiter: std::exchange(waitingForRoom, {})) waiter->fulfill();
  }
  ticking = nullptr;
  KJ_IF_MAYBE(due, fetcher.next()) {
    ticking = around.timer.atTime(kj::max(*due, now + 1 * kj::MILLISECONDS))
                  .then([this]() { poke(); })
                  .eagerlyEvaluate(nullptr);
  }
}

void BlobExchange::carryOut(Machine::Effects effects) {
  for (auto& look: effects.look) {
    auto found = active.find(look.content);
    if (found != active.end()) targets.at(found->second.target).toLook.push_back(look);
  }
  sortOut(kj::mv(effects.here));
  for (auto& liar: effects.lied) nameLiar(liar);
  for (auto& end: effects.ended) {
    auto found = active.find(end.content);
    if (found == active.end()) continue;
    found->second.ended = end.how;
    settled.push_back(end.content);
  }
  for (auto& sent: effects.send) {
    auto peer = peers.find(sent.peer);
    if (peer != peers.end()) ask(peer->second, kj::mv(sent.message));
  }
}

// To the targets that they are for.
void BlobExchange::sortOut(std::vector<Machine::Here> here) {
  for (auto& part: here) {
    auto found = active.find(part.content);
    if (found == active.end()) continue;
    ++found->second.unkept;
    unkeptBytes += part.bytes.size();
    WantedPart wanted{part.content, part.level, part.offset, part.part};
    targets.at(found->second.target)
        .toKeep.push_back({found->second.number, {wanted, kj::mv(part.bytes)}});
  }
}

void BlobExchange::nameLiar(const Machine::Lied& liar) {
  auto found = peers.find(liar.peer);
  if (found == peers.end()) return;
  KJ_LOG(WARNING, "a device sends other bytes than a blob has: it is not asked again",
      found->second, liar.error.because);
  around.trace.event("blob.lied", {{"peer", found->second}, {"why", liar.error.because}});
  lied.insert_or_assign(found->second, liar.error);
}

void BlobExchange::settle(const ContentId& content) {
  auto found = active.find(content);
  if (found == active.end()) return;
  auto& fetch = found->second;
  KJ_IF_MAYBE(failed, fetch.failed) {
    fetch.fulfiller->reject(kj::mv(*failed));
    return drop(content);
  }
  KJ_IF_MAYBE(how, fetch.ended) {
    if (fetch.unkept > 0 && how->has_value()) return;
    fetch.fulfiller->fulfill(kj::mv(*how));
    drop(content);
  }
}

// Targets

void BlobExchange::serveTargets() {
  for (auto& [target, state]: targets) {
    if (!state.isLooking && !state.toLook.empty()) {
      state.isLooking = true;
      state.looking = look(*target).eagerlyEvaluate(nullptr);
    }
    if (!state.isKeeping && !state.toKeep.empty()) {
      state.isKeeping = true;
      state.keeping = keep(*target).eagerlyEvaluate(nullptr);
    }
  }
}

kj::Promise<void> BlobExchange::look(BlobTarget& target) {
  auto& state = targets.at(&target);
  auto looks = std::exchange(state.toLook, {});
  std::vector<WantedPart> parts;
  std::vector<ContentId> contents;
  for (auto& look: looks) {
    parts.push_back({look.content, look.level, look.offset, look.part});
    contents.push_back(look.content);
  }
  kj::Maybe<kj::Exception> failed;
  try {
    auto answers = co_await target.look(kj::mv(parts));
    KJ_REQUIRE(answers.size() == looks.size());
    for (size_t i = 0; i < looks.size(); ++i)
      fetcher.looked(
          looks[i].number, answers[i].map([](auto& bytes) { return bytes.asPtr().asConst(); }));
  } catch (const kj::Exception& e) {
    failed = kj::cp(e);
  }
  state.isLooking = false;
  fail(contents, kj::mv(failed));
  poke();
}

// But for parts of what is not wanted any more.
kj::Promise<void> BlobExchange::keep(BlobTarget& target) {
  auto& state = targets.at(&target);
  std::vector<BlobTarget::Arrived> parts;
  std::vector<std::pair<ContentId, uint64_t>> fetchesOf;
  for (auto& coming: std::exchange(state.toKeep, {})) {
    auto& content = coming.arrived.part.content;
    state.keepingBytes += coming.arrived.bytes.size();
    if (!isActive(content, coming.fetch)) continue;
    fetchesOf.emplace_back(content, coming.fetch);
    parts.push_back(kj::mv(coming.arrived));
  }
  kj::Maybe<kj::Exception> failed;
  try {
    if (!parts.empty()) co_await target.keep(kj::mv(parts));
  } catch (const kj::Exception& e) {
    failed = kj::cp(e);
  }
  unkeptBytes -= std::exchange(state.keepingBytes, 0);
  state.isKeeping = false;
  std::vector<ContentId> contents;
  for (auto& [content, number]: fetchesOf) {
    if (!isActive(content, number)) continue;
    contents.push_back(content);
    if (--active.at(content).unkept == 0) settled.push_back(content);
  }
  fail(contents, kj::mv(failed));
  poke();
}

bool BlobExchange::isActive(const ContentId& content, uint64_t number) const {
  auto found = active.find(content);
  return found != active.end() && found->second.number == number;
}

void BlobExchange::fail(const std::vector<ContentId>& contents, kj::Maybe<kj::Exception> why) {
  KJ_IF_MAYBE(e, why) {
    for (auto& content: contents) {
      auto found = active.find(content);
      if (found == active.end()) continue;
      found->second.failed = kj::cp(*e);
      settled.push_back(content);
    }
  }
}

}  // namespace hearth::devices
