#include "devices/vault/vault-client.h"

#include <kj/debug.h>

#include <utility>

namespace hearth::devices {

namespace vault = storage::vault;

using crypto::Buffer;
using storage::BlobName;

namespace {

// An answer of another kind than the question: the VAULT is no good, and the session ends with it.
template <typename T>
T as(vault::Answer answer) {
  auto wanted = std::get_if<T>(&answer);
  if (wanted == nullptr)
    kj::throwFatalException(KJ_EXCEPTION(FAILED, "a VAULT answers something else"));
  return kj::mv(*wanted);
}

}  // namespace

void VaultClient::close() {
  closed = true;
  wire.close();
  for (auto& [ticket, fulfiller]: std::exchange(open, {}))
    fulfiller->reject(KJ_EXCEPTION(DISCONNECTED, "the stream to the VAULT has ended"));
}

kj::Promise<Result<void>> VaultClient::run() { return listen().exclusiveJoin(wire.speak()); }

kj::Promise<Result<void>> VaultClient::listen() {
  for (;;) {
    auto read = co_await wire.read();
    if (!read) co_return no(read.error());
    KJ_IF_MAYBE(message, *read) {
      auto answer = vault::parseAnswer(*message);
      if (!answer) co_return no(answer.error());
      auto ticket = std::visit([](auto& content) { return content.ticket; }, *answer);
      auto found = open.find(ticket);
      if (found == open.end()) co_return no(Errc::BAD_FORMAT, "an answer to what nobody asked");
      auto fulfiller = kj::mv(found->second);
      open.erase(found);
      fulfiller->fulfill(kj::mv(*answer));
    } else {
      co_return Result<void>();
    }
  }
}

// Whoever asked may go away: the answer comes all the same.
kj::Promise<vault::Answer> VaultClient::answerTo(Ticket ticket) {
  if (closed) return KJ_EXCEPTION(DISCONNECTED, "the stream to the VAULT has ended");
  auto paf = kj::newPromiseAndFulfiller<Answer>();
  open.emplace(ticket, kj::mv(paf.fulfiller));
  return kj::mv(paf.promise);
}

template <typename Question>
kj::Promise<vault::Answer> VaultClient::ask(Question question) {
  question.ticket = next++;
  auto answer = answerTo(question.ticket);
  wire.say(encode(vault::Question(kj::mv(question))));
  return answer;
}

kj::Promise<std::vector<vault::Whose>> VaultClient::which(
    crypto::CollectionId collection, std::vector<BlobName> names) {
  auto count = names.size();
  auto these = as<vault::These>(co_await ask(vault::Which{0, collection, kj::mv(names)}));
  if (these.whose.size() != count)
    kj::throwFatalException(KJ_EXCEPTION(FAILED, "a VAULT answers something else"));
  co_return kj::mv(these.whose);
}

kj::Promise<Result<void>> VaultClient::put(
    crypto::CollectionId collection, BlobName name, uint64_t bytes, Source source) {
  auto ticket = next++;
  auto answered = answerTo(ticket)
                      .then([](Answer answer) -> Result<void> {
                        if (auto refused = std::get_if<vault::Not>(&answer))
                          return no(refused->error, "the VAULT does not take the file");
                        as<vault::Done>(kj::mv(answer));
                        return {};
                      })
                      .fork();
  // What it refuses needs not be sent to its end.
  auto sent = co_await send(ticket, collection, name, bytes, kj::mv(source))
                  .exclusiveJoin(answered.addBranch());
  if (!sent && !isAnswered(ticket)) wire.say(encode(vault::Question(vault::GiveUp{ticket})));
  if (!sent) co_return no(sent.error());
  co_return co_await answered.addBranch();
}

kj::Promise<Result<void>> VaultClient::send(
    Ticket ticket, crypto::CollectionId collection, BlobName name, uint64_t bytes, Source source) {
  for (uint64_t sent = 0; sent < bytes;) {
    auto piece = co_await source();
    if (!piece) co_return no(piece.error());
    KJ_REQUIRE(piece->size() > 0 && piece->size() <= bytes - sent);
    co_await wire.room();
    auto size = piece->size();
    wire.say(encode(sent == 0
            ? vault::Question(vault::Put{ticket, collection, name, bytes, kj::mv(*piece)})
            : vault::Question(vault::More{ticket, kj::mv(*piece)})));
    sent += size;
  }
  co_return Result<void>();
}

kj::Promise<void> VaultClient::drop(crypto::CollectionId collection, std::vector<BlobName> names) {
  as<vault::Done>(co_await ask(vault::Drop{0, collection, kj::mv(names)}));
}

kj::Promise<kj::Maybe<Buffer>> VaultClient::read(
    storage::VaultShelfName shelf, BlobName name, uint64_t offset, uint32_t most) {
  auto answer = co_await ask(vault::Read{0, shelf, name, offset, most});
  if (std::holds_alternative<vault::Not>(answer)) co_return nullptr;
  auto piece = as<vault::Piece>(kj::mv(answer));
  if (piece.bytes.size() > most)
    kj::throwFatalException(KJ_EXCEPTION(FAILED, "a VAULT gives more than it was asked for"));
  co_return kj::mv(piece.bytes);
}

kj::Promise<VaultClient::Rooted> VaultClient::root(storage::VaultShelfName shelf) {
  auto is = as<vault::Is>(co_await ask(vault::Root{0, shelf}));
  co_return Rooted{is.items, is.root};
}

kj::Promise<std::vector<storage::VaultItem>> VaultClient::list(
    storage::VaultShelfName shelf, BlobName after) {
  auto listed = as<vault::Listed>(co_await ask(vault::List{0, shelf, after}));
  if (!listed.items.empty() && !(after < listed.items.front().name))
    kj::throwFatalException(KJ_EXCEPTION(FAILED, "a VAULT answers something else"));
  co_return kj::mv(listed.items);
}

}  // namespace hearth::devices
