#include "devices/vault/vault-server.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace vault = storage::vault;

kj::Promise<Result<void>> VaultServer::run() {
  return listen().exclusiveJoin(wire.speak()).exclusiveJoin(kj::mv(end.promise));
}

kj::Promise<Result<void>> VaultServer::listen() {
  for (;;) {
    co_await wire.room();
    auto read = co_await wire.read();
    if (!read) co_return no(read.error());
    KJ_IF_MAYBE(message, *read) {
      auto question = vault::parseQuestion(*message);
      if (!question) co_return no(question.error());
      if (auto done = co_await answer(kj::mv(*question)); !done) co_return no(done.error());
    } else {
      co_return Result<void>();
    }
  }
}

kj::Promise<Result<void>> VaultServer::answer(vault::Question question) {
  return std::visit([this](auto& content) { return asked(kj::mv(content)); }, question);
}

kj::Promise<Result<void>> VaultServer::asked(vault::Which which) {
  auto whose = co_await holdings.whose(which.collection, peer, kj::mv(which.names));
  say(vault::These{which.ticket, kj::mv(whose)});
  co_return Result<void>();
}

kj::Promise<Result<void>> VaultServer::asked(vault::Put put) {
  if (coming.contains(put.ticket))
    co_return no(Errc::BAD_FORMAT, "two files are put with one ticket");
  if (coming.size() >= COMING_MAX)
    co_return no(Errc::LIMIT_EXCEEDED, "a member puts too much at a time");
  auto begun = co_await holdings.begin(own(put.collection), put.name, put.bytes);
  if (!begun) {
    say(vault::Not{put.ticket, begun.error().code});
    co_return Result<void>();
  }
  coming.emplace(put.ticket, kj::mv(*begun));
  co_return co_await add(put.ticket, kj::mv(put.first));
}

// What was refused may still be on its way.
kj::Promise<Result<void>> VaultServer::asked(vault::More more) {
  if (!coming.contains(more.ticket)) co_return Result<void>();
  co_return co_await add(more.ticket, kj::mv(more.bytes));
}

kj::Promise<Result<void>> VaultServer::add(Ticket ticket, crypto::Buffer bytes) {
  auto found = coming.find(ticket);
  auto& file = *found->second;
  if (bytes.size() > file.missing())
    co_return no(Errc::BAD_FORMAT, "a file has more bytes than were said");
  co_await pass(BulkGate::Way::DOWN, bytes.size());
  co_await file.add(kj::mv(bytes));
  if (file.missing() > 0) co_return Result<void>();
  auto whole = kj::mv(found->second);
  coming.erase(found);
  while (keeping >= KEEPING_MAX) co_await kept.wait();
  tasks.add(keep(ticket, kj::mv(whole)));
  co_return Result<void>();
}

// Nothing more is read from this stream until then: its member waits, and no other stream does.
kj::Promise<void> VaultServer::pass(BulkGate::Way way, uint64_t bytes) {
  co_await gate.untilOpen(way, peer);
  gate.passed(way, peer, bytes);
}

kj::Promise<void> VaultServer::keep(Ticket ticket, kj::Own<VaultHoldings::Coming> whole) {
  ++keeping;
  KJ_DEFER({
    --keeping;
    kept.ring();
  });
  co_await whole->keep();
  say(vault::Done{ticket});
}

kj::Promise<Result<void>> VaultServer::asked(vault::Drop drop) {
  co_await holdings.drop(own(drop.collection), kj::mv(drop.names));
  say(vault::Done{drop.ticket});
  co_return Result<void>();
}

kj::Promise<Result<void>> VaultServer::asked(vault::Read read) {
  auto found = co_await holdings.read(read.shelf, read.name, read.offset, read.most);
  KJ_IF_MAYBE(bytes, found) {
    co_await pass(BulkGate::Way::UP, bytes->size());
    say(vault::Piece{read.ticket, kj::mv(*bytes)});
  } else {
    say(vault::Not{read.ticket, Errc::STALE});
  }
  co_return Result<void>();
}

kj::Promise<Result<void>> VaultServer::asked(vault::Root root) {
  auto rooted = co_await holdings.root(root.shelf);
  say(vault::Is{root.ticket, rooted.items, rooted.root});
  co_return Result<void>();
}

kj::Promise<Result<void>> VaultServer::asked(vault::List list) {
  auto items = co_await holdings.list(list.shelf, list.after, storage::VAULT_LISTED_MAX);
  say(vault::Listed{list.ticket, kj::mv(items)});
  co_return Result<void>();
}

kj::Promise<Result<void>> VaultServer::asked(vault::GiveUp put) {
  if (coming.erase(put.ticket) > 0) say(vault::Not{put.ticket, Errc::STALE});
  co_return Result<void>();
}

// The disk does not take it: the stream ends, and is opened again.
void VaultServer::taskFailed(kj::Exception&& e) { end.fulfiller->reject(kj::mv(e)); }

}  // namespace hearth::devices
