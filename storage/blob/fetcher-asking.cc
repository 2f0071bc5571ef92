// Which peer is asked for what, and for how much.

#include "storage/blob/fetcher.h"

#include <algorithm>
#include <utility>

namespace hearth::storage {

namespace {

constexpr kj::Duration COUNTED_OVER = 50 * kj::MILLISECONDS;

double seconds(kj::Duration duration) {
  return static_cast<double>(duration / kj::NANOSECONDS) / 1e9;
}

}  // namespace

// How long a node is is not known before; most are less.
uint64_t BlobFetcher::Asked::weight() const {
  auto& expected = part.expected;
  return expected.level == 0 ? expected.part.length : BlobNode::ENCODED_BYTES_MAX / 4;
}

// Peers

void BlobFetcher::peerHere(PeerNumber number, Time now) {
  if (peers.size() >= PEERS_MAX || peers.contains(number)) return;
  auto& peer = peers[number];
  peer.countedAt = peer.heardAt = now;
}

void BlobFetcher::peerGone(PeerNumber number) {
  auto found = peers.find(number);
  if (found == peers.end()) return;
  giveBackAll(found->second);
  peers.erase(found);
  for (auto& [rank, blob]: blobs) blob.lackedBy.erase(number);
}

void BlobFetcher::peerHas(PeerNumber number, const ContentId& content) {
  auto known = ranks.find(content);
  auto found = peers.find(number);
  if (known == ranks.end() || found == peers.end()) return;
  blobs.at(known->second).lackedBy.erase(number);
  found->second.from = std::min(found->second.from, known->second);
}

void BlobFetcher::giveBack(Peer& peer, std::map<uint32_t, Asked>::iterator asked) {
  auto [rank, part, since] = asked->second;
  peer.askedBytes -= asked->second.weight();
  peer.asked.erase(asked);
  auto& blob = blobs.at(rank);
  --blob.asked;
  blob.waited.erase(blob.waited.find(part.offset));
  add(blob, part);
  settle(rank, blob);
}

void BlobFetcher::giveBackAll(Peer& peer) {
  while (!peer.asked.empty()) giveBack(peer, peer.asked.begin());
}

// Peers look again at a blob that has something to do.
void BlobFetcher::reopen(const Rank& rank) {
  for (auto& [number, peer]: peers) peer.from = std::min(peer.from, rank);
}

bool BlobFetcher::isLackedBy(const Blob& blob, PeerNumber peer, Time now) {
  auto found = blob.lackedBy.find(peer);
  return found != blob.lackedBy.end() && now < found->second.until;
}

// Nodes are small, and say what there is.
bool BlobFetcher::isTooFarAhead(const Blob& blob) {
  if (blob.waited.empty()) return false;
  auto& next = blob.todo.front();
  return next.expected.level == 0 && next.offset > *blob.waited.begin() + AHEAD_MAX;
}

// Rates

void BlobFetcher::measure(Peer& peer, size_t bytes, Time now) {
  peer.heardAt = now;
  peer.pause = PAUSE_LEAST;
  peer.arrivedBytes += bytes;
  auto passed = now - peer.countedAt;
  if (passed < COUNTED_OVER) return;
  auto rate = static_cast<double>(peer.arrivedBytes) / seconds(passed);
  peer.bytesPerSecond = peer.bytesPerSecond == 0 ? rate : 0.7 * peer.bytesPerSecond + 0.3 * rate;
  peer.arrivedBytes = 0;
  peer.countedAt = now;
}

// Until now it had nothing to say. A pause between two questions is no pause: it is what is measured.
void BlobFetcher::beginToAsk(Peer& peer, Time now) {
  if (now - peer.heardAt >= COUNTED_OVER) {
    peer.countedAt = now;
    peer.arrivedBytes = 0;
  }
  peer.heardAt = now;
}

// Twice what it delivered: whoever is never asked for more than it does never shows that it could.
uint64_t BlobFetcher::window(const Peer& peer) {
  auto worth = static_cast<uint64_t>(2 * peer.bytesPerSecond * seconds(WORTH));
  return std::clamp(worth, WINDOW_LEAST, WINDOW_MOST);
}

// Asking

void BlobFetcher::askAll(Time now) {
  for (auto& [number, peer]: peers) {
    if (peer.liar || now < peer.notBefore || ready.empty()) continue;
    peer.notBefore = kj::origin<Time>();
    auto ask = askOf(number, peer, now);
    if (!ask.parts.empty()) effects.send.push_back({number, encode(ask)});
  }
}

AskParts BlobFetcher::askOf(PeerNumber number, Peer& peer, Time now) {
  AskParts ask;
  Allowance::Left left;
  KJ_IF_MAYBE(limited, allowance) left = limited->left(number, now);
  peer.heldUntil = left.again;
  uint64_t askedNow = 0;
  auto most = window(peer);
  bool leavesSome = false;  // to be looked at again
  for (auto at = ready.lower_bound(peer.from); at != ready.end();) {
    if (peer.askedBytes >= most || peer.asked.size() >= ASKED_MAX || askedNow >= left.bytes) break;
    auto rank = *at;
    auto& blob = blobs.at(rank);
    if (!leavesSome) peer.from = rank;
    bool isAhead = isTooFarAhead(blob);
    if (isAhead || isLackedBy(blob, number, now)) {
      leavesSome = leavesSome || isAhead;
      ++at;
      continue;
    }
    if (peer.asked.empty()) beginToAsk(peer, now);
    auto part = blob.todo.front();
    blob.todo.pop_front();
    blob.waited.insert(part.offset);
    ++blob.asked;
    ask.parts.push_back({blob.content, ++tickets, part.expected.level, part.offset});
    auto weight = peer.asked.emplace(tickets, Asked{rank, part, now}).first->second.weight();
    peer.askedBytes += weight;
    askedNow += weight;
    if (blob.todo.empty()) at = ready.erase(at);
  }
  if (askedNow == 0) return ask;
  KJ_IF_MAYBE(limited, allowance) {
    limited->asked(number, askedNow, now);
    peer.heldUntil = limited->left(number, now).again;
  }
  return ask;
}

BlobFetcher::Effects BlobFetcher::take(Time now) {
  askAll(now);
  return std::exchange(effects, {});
}

// Time

// Tickets grow: the first is the oldest.
BlobFetcher::Time BlobFetcher::stalls(const Peer& peer) {
  auto rate = std::max(peer.bytesPerSecond, double{RATE_LEAST});
  auto delivery = static_cast<int64_t>(static_cast<double>(peer.askedBytes) / rate * 1e9);
  return std::min(peer.heardAt + STALL + delivery * kj::NANOSECONDS,
      peer.asked.begin()->second.since + PATIENCE);
}

void BlobFetcher::tick(Time now) {
  for (auto& [number, peer]: peers) {
    if (peer.asked.empty() || now < stalls(peer)) continue;
    peer.notBefore = now + peer.pause;
    peer.pause = kj::min(peer.pause * 2, PAUSE_MOST);
    giveBackAll(peer);
  }
  while (!lackEnds.empty() && lackEnds.begin()->first <= now) {
    auto [rank, number] = lackEnds.begin()->second;
    lackEnds.erase(lackEnds.begin());
    auto found = peers.find(number);
    if (found != peers.end()) found->second.from = std::min(found->second.from, rank);
  }
}

void BlobFetcher::didNotListen(Time now) {
  for (auto& [number, peer]: peers) {
    peer.heardAt = peer.countedAt = now;
    peer.arrivedBytes = 0;
    for (auto& [ticket, asked]: peer.asked) asked.since = now;
  }
}

kj::Maybe<BlobFetcher::Time> BlobFetcher::next() const {
  kj::Maybe<Time> first;
  auto consider = [&](Time time) {
    KJ_IF_MAYBE(known, first) {
      if (*known <= time) return;
    }
    first = time;
  };
  for (auto& [number, peer]: peers) {
    if (!peer.asked.empty()) consider(stalls(peer));
    if (!ready.empty() && !peer.liar && peer.notBefore > kj::origin<Time>())
      consider(peer.notBefore);
    if (ready.empty() || peer.liar) continue;
    KJ_IF_MAYBE(time, peer.heldUntil) consider(*time);
  }
  if (!lackEnds.empty()) consider(lackEnds.begin()->first);
  return first;
}

}  // namespace hearth::storage
