#include "storage/blob/server.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::storage {

namespace {

// As many tickets as a message may have.
std::vector<uint32_t> taken(std::deque<uint32_t>& tickets) {
  auto end = tickets.begin() + static_cast<ptrdiff_t>(std::min(tickets.size(), ASKED_MAX));
  std::vector<uint32_t> some(tickets.begin(), end);
  tickets.erase(tickets.begin(), end);
  return some;
}

}  // namespace

Result<void> BlobServer::received(const AskParts& ask, Time now) {
  for (auto& part: ask.parts) {
    if (asked.size() + found.size() < ASKED_MAX) {
      asked.push_back({part});
    } else if (busy.size() < ASKED_MAX) {
      busy.push_back(part.ticket);
    } else {
      return no(Errc::LIMIT_EXCEEDED, "a peer that asks without waiting");
    }
  }
  forgetUnknown(now);
  if (unknown > UNKNOWN_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a peer that asks for what is not here");
  return {};
}

void BlobServer::forgetUnknown(Time now) {
  auto seconds = (now - countedAt) / kj::SECONDS;
  if (seconds == 0) return;
  countedAt = now;
  unknown -= std::min(unknown, static_cast<size_t>(seconds) * FORGOTTEN_PER_S);
}

std::vector<AskedPart> BlobServer::toLookUp() const {
  if (foundBytes >= READ_BYTES_MAX) return {};
  std::vector<AskedPart> parts;
  for (auto& one: asked) parts.push_back(one.part);
  return parts;
}

void BlobServer::lookedUp(kj::Vector<kj::Maybe<crypto::Buffer>> answers, Time now) {
  KJ_REQUIRE(answers.size() <= asked.size(), "answers to what nobody asked");
  forgetUnknown(now);
  for (auto& answer: answers) {
    auto [content, ticket, level, offset] = asked.front().part;
    bool hasCome = asked.front().hasCome;
    asked.pop_front();
    KJ_IF_MAYBE(bytes, answer) {
      KJ_REQUIRE(bytes->size() <= CHUNK_BYTES_MAX, bytes->size());
      foundBytes += bytes->size();
      found.push_back({content, ticket, kj::mv(*bytes)});
    } else if (hasCome) {
      ++unknown;
      lacks.push_back(ticket);
      if (std::ranges::find(come, content) == come.end()) come.push_back(content);
    } else {
      ++unknown;
      lack(content, ticket);
    }
  }
}

void BlobServer::lack(const ContentId& content, uint32_t ticket) {
  lacks.push_back(ticket);
  if (lacked.size() < REMEMBERED_MAX) lacked.insert(content);
}

void BlobServer::giveNothing() {
  for (auto& part: found) lack(part.content, part.ticket);
  found.clear();
  foundBytes = 0;
}

void BlobServer::hasAll() {
  come.insert(come.end(), lacked.begin(), lacked.end());
  lacked.clear();
}

void BlobServer::has(const ContentId& content) {
  if (lacked.erase(content) > 0) come.push_back(content);
  for (auto& one: asked) one.hasCome |= one.part.content == content;
}

// As many parts as fit. What is lacking and what was too much is told when there is nothing else in the way, or a
// message full of it.
kj::Maybe<crypto::Buffer> BlobServer::next() {
  if (!lacks.empty() && (found.empty() || lacks.size() >= ASKED_MAX))
    return encode(LackParts{taken(lacks)});
  if (!found.empty()) {
    GiveParts parts;
    size_t size = 1;
    for (auto& part: found) {
      size += partBytes(part.bytes.size());
      if (size > BLOB_MESSAGE_BYTES_MAX) break;
      parts.parts.push_back({part.ticket, part.bytes});
      foundBytes -= part.bytes.size();
    }
    auto message = encode(parts);
    found.erase(found.begin(), found.begin() + static_cast<ptrdiff_t>(parts.parts.size()));
    return kj::mv(message);
  }
  if (!busy.empty()) return encode(BusyParts{taken(busy)});
  // Behind what was lacking: that is older.
  if (lacks.empty() && !come.empty()) {
    auto end = come.begin() + static_cast<ptrdiff_t>(std::min(come.size(), ASKED_MAX));
    HasParts has{{come.begin(), end}};
    come.erase(come.begin(), end);
    return encode(has);
  }
  return nullptr;
}

}  // namespace hearth::storage
