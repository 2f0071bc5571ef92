#include "devices/clipboard/clip-session.h"

#include <utility>

namespace hearth::devices {

using clip::Message;

void ClipSession::changed() {
  owesState = true;
  toSay.ring();
}

void ClipSession::want(const storage::ClipName& name) {
  wanted.push_back(name);
  toSay.ring();
}

kj::Promise<kj::Maybe<Message>> ClipSession::next() {
  if (std::exchange(owesState, false)) co_return kj::Maybe<Message>(owner.state());
  if (!wanted.empty()) {
    clip::Want want{wanted.front()};
    wanted.pop_front();
    co_return kj::Maybe<Message>(want);
  }
  while (!asked.empty()) {
    auto name = asked.front();
    asked.pop_front();
    auto item = co_await owner.item(name);
    KJ_IF_MAYBE(found, item) co_return kj::Maybe<Message>(kj::mv(*found));
  }
  co_return nullptr;
}

kj::Promise<Result<void>> ClipSession::speak() {
  for (;;) {
    auto message = co_await next();
    KJ_IF_MAYBE(said, message) {
      auto bytes = clip::encode(*said);
      co_await stream->write(bytes.begin(), bytes.size());
    } else if (!owesState && wanted.empty() && asked.empty()) {
      co_await toSay.wait();
    }
  }
}

kj::Promise<Result<void>> ClipSession::listen() {
  for (;;) {
    auto read = co_await clip::read(*stream);
    if (!read) co_return no(read.error());
    KJ_IF_MAYBE(message, *read) {
      if (auto state = std::get_if<clip::State>(message)) owner.heard(peer, kj::mv(*state));
      if (auto want = std::get_if<clip::Want>(message)) {
        if (asked.size() == WANTS_MAX)
          co_return no(Errc::LIMIT_EXCEEDED, "a peer wants more than a clipboard has");
        asked.push_back(want->name);
        toSay.ring();
      }
      if (auto item = std::get_if<clip::Item>(message)) {
        auto done = co_await owner.received(peer, kj::mv(*item));
        if (!done) co_return no(done.error());
      }
    } else {
      co_return Result<void>();
    }
  }
}

}  // namespace hearth::devices
