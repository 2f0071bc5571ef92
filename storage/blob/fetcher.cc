#include "storage/blob/fetcher.h"

#include <kj/debug.h>

#include <algorithm>
#include <utility>

namespace hearth::storage {

namespace {

using crypto::Bytes;

constexpr kj::Duration COUNTED_OVER = 50 * kj::MILLISECONDS;

double seconds(kj::Duration duration) {
  return static_cast<double>(duration / kj::NANOSECONDS) / 1e9;
}

// What asking for a part puts in flight. How long a node is is not known before; most are less.
uint64_t weight(const Expected& expected) {
  return expected.level == 0 ? expected.part.length : BlobNode::ENCODED_BYTES_MAX / 4;
}

}  // namespace

// Wanting

Result<void> BlobFetcher::want(const BlobRef& ref, uint32_t need, Range range, Time now) {
  auto content = ref.contentId();
  auto known = ranks.find(content);
  if (known == ranks.end() && blobs.size() >= WANTED_MAX)
    return no(Errc::LIMIT_EXCEEDED, "too many blobs are wanted at once");
  if (known != ranks.end()) {
    if (known->second.first == need && blobs.at(known->second).range == range) return {};
    forget(content);  // what is here by now is held
  }
  Rank rank{need, wants++};
  auto& blob = blobs[rank];
  blob.content = content;
  blob.range = range;
  ranks[content] = rank;
  std::vector<Part> parts;
  missing(blob, {expectedTop(ref), 0}, parts);
  add(blob, parts);
  if (!settle(rank, blob)) askAll(now);
  return {};
}

void BlobFetcher::forget(const ContentId& content) {
  auto known = ranks.find(content);
  if (known == ranks.end()) return;
  auto rank = known->second;
  for (auto& [number, peer]: peers) {
    for (auto asked = peer.asked.begin(); asked != peer.asked.end();) {
      auto here = asked++;
      if (here->second.blob != rank) continue;
      peer.askedBytes -= weight(here->second.part.expected);
      peer.asked.erase(here);
    }
  }
  ready.erase(rank);
  blobs.erase(rank);
  ranks.erase(known);
}

// What is to be asked for to have a part: itself, or where it is a node that is here, what is missing below it.
void BlobFetcher::missing(const Blob& blob, const Part& part, std::vector<Part>& found) {
  auto& [expected, offset] = part;
  if (offset >= blob.range.end || offset + expected.part.length <= blob.range.begin) return;
  if (expected.level == 0) {
    if (!holdings.hasChunk(blob.content, offset, expected.part)) found.push_back(part);
    return;
  }
  KJ_IF_MAYBE(encoded, holdings.node(expected.part.hash)) {
    if (auto node = verifyNode(expected, *encoded)) return below(blob, part, *node, found);
  }
  found.push_back(part);
}

void BlobFetcher::below(
    const Blob& blob, const Part& part, const BlobNode& node, std::vector<Part>& found) {
  auto offset = part.offset;
  for (size_t i = 0; i < node.children.size(); ++i) {
    missing(blob, {expectedChild(node, i, part.expected.last), offset}, found);
    offset += node.children[i].length;
  }
}

// Parts that lie side by side.
void BlobFetcher::add(Blob& blob, const std::vector<Part>& parts) {
  if (parts.empty()) return;
  auto place = std::ranges::lower_bound(blob.todo, parts[0].offset, {}, &Part::offset);
  blob.todo.insert(place, parts.begin(), parts.end());
}

// Whether the blob has come to its end.
bool BlobFetcher::settle(const Rank& rank, Blob& blob) {
  if (!blob.todo.empty()) {
    ready.insert(rank);
    reopen(rank);
    return false;
  }
  ready.erase(rank);
  if (blob.asked > 0) return false;
  end(rank, {});
  return true;
}

void BlobFetcher::end(const Rank& rank, Result<void> how) {
  auto content = blobs.at(rank).content;
  effects.ended.push_back({content, how});
  forget(content);
}

// Peers

void BlobFetcher::peerHere(PeerNumber number, Time now) {
  if (peers.size() >= PEERS_MAX || peers.contains(number)) return;
  auto& peer = peers[number];
  peer.countedAt = peer.heardAt = now;
  askAll(now);
}

void BlobFetcher::peerGone(PeerNumber number, Time now) {
  auto found = peers.find(number);
  if (found == peers.end()) return;
  giveBackAll(found->second);
  peers.erase(found);
  for (auto& [rank, blob]: blobs) blob.lackedBy.erase(number);
  askAll(now);
}

void BlobFetcher::peerHas(PeerNumber number, const ContentId& content, Time now) {
  auto known = ranks.find(content);
  auto found = peers.find(number);
  if (known == ranks.end() || found == peers.end()) return;
  blobs.at(known->second).lackedBy.erase(number);
  found->second.from = std::min(found->second.from, known->second);
  askAll(now);
}

void BlobFetcher::giveBack(Peer& peer, std::map<uint32_t, Asked>::iterator asked) {
  auto& [rank, part, since] = asked->second;
  peer.askedBytes -= weight(part.expected);
  auto& blob = blobs.at(rank);
  --blob.asked;
  add(blob, {part});
  settle(rank, blob);
  peer.asked.erase(asked);
}

void BlobFetcher::giveBackAll(Peer& peer) {
  while (!peer.asked.empty()) giveBack(peer, peer.asked.begin());
}

// Peers look again at a blob that has something to do.
void BlobFetcher::reopen(const Rank& rank) {
  for (auto& [number, peer]: peers) peer.from = std::min(peer.from, rank);
}

// Answers

void BlobFetcher::received(PeerNumber number, Bytes bytes, Time now) {
  auto found = peers.find(number);
  if (found == peers.end() || found->second.liar) return;
  auto& peer = found->second;
  auto message = parseBlobMessage(bytes);
  if (!message) return lied(number, peer, message.error());
  if (auto parts = std::get_if<GiveParts>(&*message)) {
    for (auto& part: parts->parts) {
      if (peer.liar) break;
      arrived(number, peer, part, now);
    }
  } else if (auto lacking = std::get_if<LackParts>(&*message)) {
    for (auto ticket: lacking->tickets) lacks(number, peer, ticket, now);
  } else if (auto busy = std::get_if<BusyParts>(&*message)) {
    peer.notBefore = now + BUSY_FOR;
    for (auto ticket: busy->tickets) {
      auto asked = peer.asked.find(ticket);
      if (asked != peer.asked.end()) giveBack(peer, asked);
    }
  }
  askAll(now);
}

// A ticket that is not known was given back when the peer stalled, or belongs to a blob that is not wanted any more.
void BlobFetcher::arrived(PeerNumber number, Peer& peer, const GiveParts::Part& answer, Time now) {
  auto asked = peer.asked.find(answer.ticket);
  if (asked == peer.asked.end()) return;
  auto [rank, part, since] = asked->second;
  auto& blob = blobs.at(rank);
  auto below = verified(blob, part, answer.bytes);
  if (!below && below.error().code == Errc::INTEGRITY_FAILED)
    return lied(number, peer, below.error());
  if (!below) return end(rank, no(below.error()));
  measure(peer, answer.bytes.size(), now);
  peer.askedBytes -= weight(part.expected);
  peer.asked.erase(asked);
  --blob.asked;
  effects.here.push_back({blob.content, part.expected.level, part.offset, part.expected.part,
      kj::heapArray<kj::byte>(answer.bytes)});
  add(blob, *below);
  settle(rank, blob);
}

// Gives what a node that has arrived leaves to be asked for.
Result<std::vector<BlobFetcher::Part>> BlobFetcher::verified(
    const Blob& blob, const Part& part, Bytes bytes) {
  std::vector<Part> found;
  if (part.expected.level == 0) {
    if (auto chunk = verifyChunk(part.expected, bytes); !chunk) return no(chunk.error());
    return found;
  }
  auto node = verifyNode(part.expected, bytes);
  if (!node) return no(node.error());
  below(blob, part, *node, found);
  return found;
}

void BlobFetcher::lacks(PeerNumber number, Peer& peer, uint32_t ticket, Time now) {
  auto asked = peer.asked.find(ticket);
  if (asked == peer.asked.end()) return;
  peer.heardAt = now;
  blobs.at(asked->second.blob).lackedBy.insert_or_assign(number, now);
  giveBack(peer, asked);
}

void BlobFetcher::lied(PeerNumber number, Peer& peer, Error error) {
  peer.liar = true;
  giveBackAll(peer);
  effects.lied.push_back({number, error});
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
  auto most = window(peer);
  for (auto at = ready.lower_bound(peer.from); at != ready.end();) {
    if (peer.askedBytes >= most || peer.asked.size() >= ASKED_MAX) break;
    auto rank = *at;
    auto& blob = blobs.at(rank);
    peer.from = rank;
    auto lacked = blob.lackedBy.find(number);
    if (lacked != blob.lackedBy.end()) {
      ++at;
      continue;
    }
    if (peer.asked.empty()) peer.heardAt = peer.countedAt = now;  // until now it had nothing to say
    auto part = blob.todo.front();
    blob.todo.pop_front();
    ++blob.asked;
    ask.parts.push_back({blob.content, ++tickets, part.expected.level, part.offset});
    peer.asked.emplace(tickets, Asked{rank, part, now});
    peer.askedBytes += weight(part.expected);
    if (blob.todo.empty()) at = ready.erase(at);
  }
  return ask;
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
  for (auto& rank: ready) {
    auto& blob = blobs.at(rank);
    auto forgotten = std::erase_if(
        blob.lackedBy, [&](auto& lacking) { return now - lacking.second >= LACKS_FOR; });
    if (forgotten > 0) reopen(rank);
  }
  askAll(now);
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
  }
  for (auto& rank: ready) {
    for (auto& [number, since]: blobs.at(rank).lackedBy) consider(since + LACKS_FOR);
  }
  return first;
}

BlobFetcher::Effects BlobFetcher::take() { return std::exchange(effects, {}); }

std::vector<ContentId> BlobFetcher::stuck() const {
  std::vector<ContentId> found;
  for (auto& rank: ready) {
    auto& blob = blobs.at(rank);
    bool somebody = std::ranges::any_of(peers,
        [&](auto& entry) { return !entry.second.liar && !blob.lackedBy.contains(entry.first); });
    if (!somebody) found.push_back(blob.content);
  }
  return found;
}

}  // namespace hearth::storage
