#include "devices/data/blob-session.h"

#include "core/base/flat.h"
#include "devices/data/framing.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

bool isQuestion(crypto::Bytes message) { return message[0] == 1; }  // ASK

}  // namespace

kj::Promise<Result<void>> BlobSession::run() {
  return listen().exclusiveJoin(speak()).exclusiveJoin(lookUp());
}

void BlobSession::ask(crypto::Buffer message) {
  questions.push_back(kj::mv(message));
  toSay.ring();
}

void BlobSession::has(const ContentId& content) {
  server.has(content);
  toSay.ring();
}

void BlobSession::giveNothing() {
  server.giveNothing();
  toSay.ring();
}

void BlobSession::hasAll() {
  server.hasAll();
  toSay.ring();
}

kj::Promise<Result<void>> BlobSession::listen() {
  for (;;) {
    Result<void> refused;
    auto read = co_await this->read(refused);
    if (!refused) co_return no(refused.error());
    KJ_IF_MAYBE(message, read) {
      if (!isQuestion(*message)) {
        co_await host.answered(peer, kj::mv(*message));
        continue;
      }
      auto ask = storage::parseBlobMessage(*message);
      if (!ask) co_return no(ask.error());
      auto taken = server.received(std::get<storage::AskParts>(*ask), timer.now());
      if (!taken) co_return no(taken.error());
      toLookUp.ring();
      toSay.ring();  // it may be told to wait
    } else {
      co_return Result<void>();
    }
  }
}

kj::Promise<kj::Maybe<crypto::Buffer>> BlobSession::read(Result<void>& refused) {
  auto message = co_await readFramed(*stream, storage::BLOB_MESSAGE_BYTES_MAX);
  if (!message) {
    refused = no(message.error());
    co_return nullptr;
  }
  co_return kj::mv(*message);
}

// Questions first: they are short, and whoever waits for them sends nothing meanwhile.
kj::Promise<Result<void>> BlobSession::speak() {
  for (;;) {
    if (!questions.empty()) {
      auto question = kj::mv(questions.front());
      questions.pop_front();
      co_await write(question);
      continue;
    }
    bool isBulk = server.hasParts();
    if (isBulk) {
      // Questions do not wait for it.
      KJ_IF_MAYBE(opens, host.holdsBack(peer)) {
        co_await toSay.wait().exclusiveJoin(kj::mv(*opens));
        continue;
      }
    }
    auto answer = server.next();
    KJ_IF_MAYBE(message, answer) {
      if (isBulk) host.gave(peer, message->size());
      toLookUp.ring();
      co_await write(*message);
    } else {
      co_await toSay.wait();
    }
  }
}

kj::Promise<void> BlobSession::write(const crypto::Buffer& message) {
  FlatWriter length;
  length.u32(static_cast<uint32_t>(message.size()));
  kj::ArrayPtr<const kj::byte> pieces[] = {length.asBytes(), message};
  co_await stream->write(pieces);
}

kj::Promise<Result<void>> BlobSession::lookUp() {
  for (;;) {
    auto asked = server.toLookUp();
    if (asked.empty()) {
      co_await toLookUp.wait();
      continue;
    }
    auto answers = co_await host.lookUp(peer, kj::mv(asked), storage::BlobServer::READ_BYTES_MAX);
    server.lookedUp(kj::mv(answers), timer.now());
    toSay.ring();
  }
}

}  // namespace hearth::devices
