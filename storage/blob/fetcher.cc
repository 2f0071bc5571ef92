#include "storage/blob/fetcher.h"

#include <algorithm>
#include <utility>

namespace hearth::storage {

using crypto::Bytes;

// Wanting

Result<void> BlobFetcher::want(const BlobRef& ref, uint32_t need, Range range) {
  auto content = ref.contentId();
  auto known = ranks.find(content);
  if (known == ranks.end() && blobs.size() >= WANTED_MAX)
    return no(Errc::LIMIT_EXCEEDED, "too many blobs are wanted at once");
  if (known != ranks.end()) {
    if (known->second.first == need && blobs.at(known->second).range == range) return {};
    forget(content);  // what is here by now is found here
  }
  Rank rank{need, wants++};
  auto& blob = blobs[rank];
  blob.content = content;
  blob.range = range;
  ranks[content] = rank;
  look(rank, blob, {expectedTop(ref), 0});
  settle(rank, blob);
  return {};
}

void BlobFetcher::forget(const ContentId& content) {
  auto known = ranks.find(content);
  if (known == ranks.end()) return;
  auto rank = known->second;
  // Of thousands that end with their last part none is asked for any more.
  bool isAsked = blobs.at(rank).asked > 0;
  for (auto& [number, peer]: peers) {
    if (!isAsked) break;
    for (auto asked = peer.asked.begin(); asked != peer.asked.end();) {
      auto here = asked++;
      if (here->second.blob != rank) continue;
      peer.askedBytes -= here->second.weight();
      peer.asked.erase(here);
    }
  }
  ready.erase(rank);
  blobs.erase(rank);
  ranks.erase(known);
}

void BlobFetcher::look(const Rank& rank, Blob& blob, const Part& part) {
  auto& [expected, offset] = part;
  if (offset >= blob.range.end || offset + expected.part.length <= blob.range.begin) return;
  blob.waited.insert(offset);
  looks.emplace(++looksMade, std::pair{rank, part});
  effects.look.push_back({looksMade, blob.content, expected.level, offset, expected.part});
}

void BlobFetcher::lookBelow(const Rank& rank, Blob& blob, const Part& part, const BlobNode& node) {
  auto offset = part.offset;
  for (size_t i = 0; i < node.children.size(); ++i) {
    look(rank, blob, {expectedChild(node, i, part.expected.last), offset});
    offset += node.children[i].length;
  }
}

// A node that is here with other bytes than it should have is as good as none.
void BlobFetcher::looked(uint64_t number, kj::Maybe<Bytes> here) {
  auto found = looks.find(number);
  if (found == looks.end()) return;
  auto [rank, part] = found->second;
  looks.erase(found);
  auto known = blobs.find(rank);
  if (known == blobs.end()) return;
  auto& blob = known->second;
  blob.waited.erase(blob.waited.find(part.offset));
  bool isHere = false;
  KJ_IF_MAYBE(bytes, here) {
    isHere = part.expected.level == 0;
    if (!isHere) {
      auto node = verifyNode(part.expected, *bytes);
      isHere = node.has_value();
      if (isHere) lookBelow(rank, blob, part, *node);
    }
  }
  if (!isHere) add(blob, part);
  settle(rank, blob);
}

void BlobFetcher::add(Blob& blob, const Part& part) {
  auto place = std::ranges::lower_bound(blob.todo, part.offset, {}, &Part::offset);
  blob.todo.insert(place, part);
}

// The blob has something to do, waits for something, or has come to its end.
void BlobFetcher::settle(const Rank& rank, Blob& blob) {
  if (!blob.todo.empty()) {
    ready.insert(rank);
    reopen(rank);
    return;
  }
  ready.erase(rank);
  if (blob.waited.empty()) end(rank, {});
}

void BlobFetcher::end(const Rank& rank, Result<void> how) {
  auto content = blobs.at(rank).content;
  effects.ended.push_back({content, how});
  forget(content);
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
  } else if (auto has = std::get_if<HasParts>(&*message)) {
    for (auto& content: has->contents) peerHas(number, content);
  }
}

// A ticket that is not known was given back when the peer stalled, or belongs to a blob that is not wanted any more.
void BlobFetcher::arrived(PeerNumber number, Peer& peer, const GiveParts::Part& answer, Time now) {
  auto asked = peer.asked.find(answer.ticket);
  if (asked == peer.asked.end()) return;
  auto [rank, part, since] = asked->second;
  auto& blob = blobs.at(rank);
  auto& expected = part.expected;
  Result<BlobNode> node = BlobNode();
  if (expected.level > 0) {
    node = verifyNode(expected, answer.bytes);
  } else if (auto chunk = verifyChunk(expected, answer.bytes); !chunk) {
    node = no(chunk.error());
  }
  if (!node && node.error().code == Errc::INTEGRITY_FAILED) return lied(number, peer, node.error());
  if (!node) return end(rank, no(node.error()));
  measure(peer, answer.bytes.size(), now);
  peer.askedBytes -= asked->second.weight();
  peer.asked.erase(asked);
  --blob.asked;
  blob.waited.erase(blob.waited.find(part.offset));
  effects.here.push_back({blob.content, expected.level, part.offset, expected.part,
      kj::heapArray<kj::byte>(answer.bytes)});
  if (expected.level > 0) lookBelow(rank, blob, part, *node);
  settle(rank, blob);
}

// Of one blob many parts may be lacked at a time.
void BlobFetcher::lacks(PeerNumber number, Peer& peer, uint32_t ticket, Time now) {
  auto asked = peer.asked.find(ticket);
  if (asked == peer.asked.end()) return;
  peer.heardAt = now;
  auto rank = asked->second.blob;
  auto& lacking = blobs.at(rank).lackedBy[number];
  if (lacking.until <= now) {
    lacking.pause = kj::min(lacking.pause * 2, LACKS_MOST);
    lacking.until = now + lacking.pause;
    lackEnds.emplace(lacking.until, std::pair{rank, number});
  }
  giveBack(peer, asked);
}

void BlobFetcher::lied(PeerNumber number, Peer& peer, Error error) {
  peer.liar = true;
  giveBackAll(peer);
  effects.lied.push_back({number, error});
}

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
