#include "devices/data/sync-session.h"

#include <kj/debug.h>

namespace hearth::devices {

SyncSession::SyncSession(
    Surroundings around, const DeviceId& peer, bool opener, kj::Own<kj::AsyncIoStream> stream)
    : around(around),
      peer(peer),
      opener(opener),
      stream(kj::mv(stream)),
      own(around.entropy.draw<SyncNonce>()),
      tasks(*this) {}

kj::Promise<Result<void>> SyncSession::run() {
  say(sync::Hello{own, around.log.collections()});
  return listen().exclusiveJoin(speak()).exclusiveJoin(kj::mv(end.promise));
}

void SyncSession::say(const sync::Message& message) {
  out.push_back(sync::encode(message));
  outBytes += out.back().size();
  if (outBytes > OUT_BYTES_MAX)
    end.fulfiller->fulfill(no(Errc::LIMIT_EXCEEDED, "a peer asks and does not read"));
  toSay.ring();
}

// Messages first; entries that the peer lacks when there is nothing else to say.
kj::Promise<Result<void>> SyncSession::speak() {
  for (;;) {
    if (!out.empty()) {
      auto messages = kj::mv(out);
      out.clear();
      outBytes = 0;
      std::vector<kj::ArrayPtr<const kj::byte>> pieces(messages.begin(), messages.end());
      co_await stream->write(kj::arrayPtr(pieces.data(), pieces.size()));
    } else if (hasToDeliver()) {
      co_await deliverSome();
    } else {
      co_await toSay.wait();
    }
  }
}

bool SyncSession::hasToDeliver() const {
  return !asked.empty() || std::ranges::any_of(comparisons, [](auto& entry) {
    return entry.second.isOver && !entry.second.lacking.empty();
  });
}

// What the peer lacks, oldest first: an author's entries follow one another.
kj::Promise<void> SyncSession::deliverSome() {
  std::set<Name>* lacking = nullptr;
  CollectionId collection;
  for (auto& [id, comparison]: comparisons) {
    if (!comparison.isOver || comparison.lacking.empty()) continue;
    lacking = &comparison.lacking;
    collection = id;
    break;
  }
  std::vector<Name> names;
  if (lacking != nullptr) {
    for (auto& name: *lacking) {
      names.push_back(name);
      if (names.size() == TAKING_MAX) break;
    }
  } else {
    collection = asked.begin()->first;
    names.push_back(asked.begin()->second);
  }
  auto envelopes = co_await around.store.read([collection, names](storage::Database& db) {
    return storage::entries::envelopes(
        db, collection, kj::arrayPtr(names.data(), names.size()), BATCH_BYTES);
  });
  // Those that were not there are passed over with those that were.
  auto done = envelopes.empty() ? names.size() : envelopes.size();
  for (size_t i = 0; i < done && i < names.size(); ++i) {
    if (lacking != nullptr) comparisons[collection].lacking.erase(names[i]);
    asked.erase({collection, names[i]});
  }
  for (auto& envelope: envelopes) say(sync::Deliver{kj::mv(envelope)});
}

kj::Promise<Result<void>> SyncSession::listen() {
  for (;;) {
    while (taking >= TAKING_MAX || takingBytes >= TAKING_BYTES_MAX) co_await roomToTake.wait();
    auto read = co_await sync::read(*stream);
    if (!read) co_return no(read.error());
    KJ_IF_MAYBE(message, *read) {
      bool isHello = std::holds_alternative<sync::Hello>(*message);
      if (isHello != (salt == nullptr))
        co_return no(Errc::BAD_FORMAT, "HELLO comes first, and once");
      auto done = std::visit([this](auto& content) { return received(content); }, *message);
      if (!done) co_return no(done.error());
    } else {
      co_return Result<void>();
    }
  }
}

Result<void> SyncSession::received(sync::Hello& hello) {
  salt = opener ? sync::saltOf(own, hello.nonce) : sync::saltOf(hello.nonce, own);
  if (!opener) return {};
  auto collections = around.log.collections();
  collections.insert(collections.end(), hello.collections.begin(), hello.collections.end());
  for (auto& collection: collections)
    if (!comparisons.contains(collection)) begin(collection);
  return {};
}

void SyncSession::begin(const CollectionId& collection) {
  auto& comparison = comparisons[collection];
  comparison.isOver = false;
  auto& machine = comparison.machine.emplace(around.log.items(collection), KJ_ASSERT_NONNULL(salt));
  say(sync::Compare{collection, machine.begin()});
}

Result<void> SyncSession::received(sync::Compare& compare) {
  if (!comparisons.contains(compare.collection) &&
      comparisons.size() >= sync::Hello::COLLECTIONS_MAX)
    return no(Errc::LIMIT_EXCEEDED, "more collections than a circle has");
  auto& comparison = comparisons[compare.collection];
  if (comparison.machine == nullptr || comparison.isOver)
    comparison.machine.emplace(around.log.items(compare.collection), KJ_ASSERT_NONNULL(salt));
  comparison.isOver = false;
  auto step = KJ_ASSERT_NONNULL(comparison.machine).received(compare.message);
  if (!step) return no(step.error());
  comparison.lacking.insert(step->send.begin(), step->send.end());
  if (step->reply.size() > 0) {
    say(sync::Compare{compare.collection, kj::mv(step->reply)});
  } else {
    say(sync::Compared{compare.collection});
    comparison.isOver = true;
  }
  return {};
}

Result<void> SyncSession::received(sync::Compared& compared) {
  auto found = comparisons.find(compared.collection);
  if (found == comparisons.end()) return no(Errc::BAD_FORMAT, "a comparison that nobody began");
  found->second.isOver = true;
  toSay.ring();
  around.trace.event("sync.compared",
      {{"peer", peer}, {"lacking", static_cast<int64_t>(found->second.lacking.size())}});
  return {};
}

Result<void> SyncSession::received(sync::Deliver& deliver) {
  tasks.add(take(kj::mv(deliver.envelope)));
  return {};
}

kj::Promise<void> SyncSession::take(crypto::Buffer envelope) {
  auto bytes = envelope.size();
  ++taking;
  takingBytes += bytes;
  KJ_DEFER({
    --taking;
    takingBytes -= bytes;
    roomToTake.ring();
  });
  CollectionId collection;
  if (auto entry = storage::Entry::read(kj::heapArray<kj::byte>(envelope)))
    collection = entry->head.collection;
  auto taken = co_await around.log.take(kj::mv(envelope), peer);
  if (taken) co_return;
  switch (taken.error().code) {
    case Errc::STALE:
      co_return co_await compareAgain(collection);
    case Errc::LIMIT_EXCEEDED:
      co_return;
    case Errc::EQUIVOCATION:
      KJ_LOG(WARNING, "a device has written two entries in one place; what came second is refused",
          peer);
      co_return;
    default:
      end.fulfiller->fulfill(no(taken.error()));
  }
}

kj::Promise<void> SyncSession::compareAgain(CollectionId collection) {
  auto found = comparisons.find(collection);
  if (found == comparisons.end() || found->second.isAskedAgain) co_return;
  found->second.isAskedAgain = true;
  co_await around.timer.afterDelay(COMPARE_AGAIN_AFTER);
  found->second.isAskedAgain = false;
  begin(collection);
}

void SyncSession::stored(const storage::Log::Stored& entry) {
  if (salt == nullptr) return;  // the comparison will find it
  Name name{entry.head.time, entry.hash};
  bool wasOffered = offered.erase({entry.head.collection, name}) > 0;
  if (entry.from == peer || wasOffered) return;
  auto [comparison, isNew] = comparisons.try_emplace(entry.head.collection);
  if (isNew) comparison->second.isOver = true;
  if (entry.head.author != around.self)
    return say(sync::Have{{entry.head.collection, name}, entry.head.author});
  comparison->second.lacking.insert(name);
  toSay.ring();
}

Result<void> SyncSession::received(sync::Have& have) {
  auto& [collection, item] = have.name;
  if (around.log.items(collection).contains(item)) return {};
  if (offered.size() >= OFFERED_MAX) {
    tasks.add(compareAgain(collection));
    return {};
  }
  if (!offered.emplace(collection, item).second) return {};
  if (around.links.isUp(have.author) && have.author != peer) {
    tasks.add(askUnlessItComes(have.name));
  } else {
    say(sync::Want{have.name});
  }
  return {};
}

kj::Promise<void> SyncSession::askUnlessItComes(sync::Name name) {
  co_await around.timer.afterDelay(FROM_AUTHOR_WITHIN);
  if (offered.contains({name.collection, name.item})) say(sync::Want{name});
}

Result<void> SyncSession::received(sync::Want& want) {
  if (asked.size() >= OFFERED_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a peer asks for too much at a time");
  asked.emplace(want.name.collection, want.name.item);
  toSay.ring();
  return {};
}

bool SyncSession::isInStep() const {
  if (salt == nullptr || taking > 0 || !out.empty() || !offered.empty()) return false;
  return std::ranges::all_of(comparisons, [](auto& entry) {
    return entry.second.isOver && entry.second.lacking.empty() && !entry.second.isAskedAgain;
  });
}

void SyncSession::taskFailed(kj::Exception&& e) {
  // The disk does not take what the peer has: it is asked again when there is a new stream.
  end.fulfiller->reject(kj::mv(e));
}

}  // namespace hearth::devices
