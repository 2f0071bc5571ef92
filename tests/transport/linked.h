#pragma once
// A live link over a pipe, with real handshakes and time as the test says; each end tells what it wrote.

#include "tests/transport/circle-device.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {

// One end of a carrier; tells what its owner has written, and keeps it from the peer while it `holds`.
class Tapped final: public kj::AsyncIoStream {
 public:
  bool holds = false;

  Tapped(kj::Own<kj::AsyncIoStream> inner, kj::Vector<kj::byte>& written)
      : inner(kj::mv(inner)),
        written(written) {}

  kj::Promise<size_t> tryRead(void* buffer, size_t minBytes, size_t maxBytes) override {
    return inner->tryRead(buffer, minBytes, maxBytes);
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    written.addAll(kj::arrayPtr(static_cast<const kj::byte*>(buffer), size));
    if (holds) return kj::READY_NOW;
    return inner->write(buffer, size);
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    for (auto piece: pieces) written.addAll(piece);
    if (holds) return kj::READY_NOW;
    return inner->write(pieces);
  }
  kj::Promise<void> whenWriteDisconnected() override { return inner->whenWriteDisconnected(); }
  void shutdownWrite() override { inner->shutdownWrite(); }
  void abortRead() override { inner->abortRead(); }

 private:
  kj::Own<kj::AsyncIoStream> inner;
  kj::Vector<kj::byte>& written;
};

struct LinkEnd final: private Link::Owner {
  Device device;
  kj::Vector<kj::byte> written;
  Tapped* wire = nullptr;
  kj::Own<Session> session;
  kj::Own<Link> link;
  std::vector<kj::Own<kj::AsyncIoStream>> incomingStreams;
  kj::Maybe<Error> ended;
  uint32_t nextIndex = 1;

  bool chooses;

  LinkEnd(kj::byte seed, bool chooses): device(seed), chooses(chooses) {}

  HandshakeTools tools(kj::Timer& timer) { return {timer, device.entropy, device.guard, device}; }
  kj::Own<Carrier> carrierOver(kj::Own<kj::AsyncIoStream> stream) {
    auto tapped = kj::heap<Tapped>(kj::mv(stream), written);
    wire = tapped.get();
    return kj::heap<Carrier>(kj::mv(tapped));
  }
  void start(kj::Own<Carrier> carrier, Handshake handshake, kj::Timer& timer) {
    session = kj::refcounted<Session>(chooses, timer);
    link = kj::heap<Link>(
        kj::mv(carrier), kj::mv(handshake), tools(timer), static_cast<Link::Owner&>(*this));
  }
  void carry() {
    link->prepare(kj::addRef(*session));
    link->say({.number = 1});
    link->carry();
  }
  uint32_t handshakes() { return link->facts().handshakes; }

  // The records that this end has written since the last call, whole.
  std::vector<crypto::Buffer> records() {
    std::vector<crypto::Buffer> found;
    auto rest = written.asPtr();
    while (rest.size() > 0) {
      auto header = crypto::readRecordHeader(rest.slice(0, crypto::RECORD_HEADER_BYTES)).value();
      auto size = crypto::RECORD_HEADER_BYTES + header.bodyBytes;
      found.push_back(kj::heapArray<kj::byte>(rest.slice(0, size)));
      rest = rest.slice(size, rest.size());
    }
    written.clear();
    return found;
  }
  static size_t count(const std::vector<crypto::Buffer>& records, crypto::RecordType type) {
    return std::ranges::count_if(
        records, [&](auto& record) { return record[0] == static_cast<kj::byte>(type); });
  }

 private:
  void confirmed(Link&) override {}
  Result<void> resumed(Link&, Resume) override { return {}; }
  void restricted(Link&) override {}
  void doubted(Link&) override {}
  void incoming(Link&, kj::Array<const kj::byte>, kj::Own<kj::AsyncIoStream> stream) override {
    incomingStreams.push_back(kj::mv(stream));
  }
  void closed(Link&, Error why, Link::Ending) override {
    ended = why;
    session->end();
  }
  uint32_t freshIndex() override { return nextIndex++; }
};

// A phone that has called a laptop, and a stream from it.
struct Linked {
  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  kj::TimerImpl timer{kj::origin<kj::TimePoint>() + 1 * kj::HOURS};
  LinkEnd phone{1, true}, laptop{2, false};
  kj::Own<kj::AsyncIoStream> stream;

  static constexpr kj::byte HEADER[] = {2};

  explicit Linked(bool phoneHasAes = false, bool laptopHasAes = false) {
    phone.device.hasAes = phoneHasAes;
    laptop.device.hasAes = laptopHasAes;
    phone.device.know(laptop.device);
    laptop.device.know(phone.device);
    auto pipe = kj::newTwoWayPipe();
    auto calling = phone.carrierOver(kj::mv(pipe.ends[0]));
    auto called = laptop.carrierOver(kj::mv(pipe.ends[1]));
    Gate gate(laptop.device.entropy, timer.now());
    auto place = KJ_ASSERT_NONNULL(gate.enter({}, timer.now(), []() {}));
    auto answer = respond(laptop.tools(timer), gate, *place, *called, laptop.nextIndex++);
    auto call =
        initiate(phone.tools(timer), *calling, laptop.device.keys.id, phone.nextIndex++, false);
    auto made = call.wait(scope).value();
    auto answered = answer.wait(scope).value();
    phone.start(kj::mv(calling), kj::mv(made), timer);
    laptop.start(kj::mv(called), kj::mv(answered), timer);
    settle();
    REQUIRE(phone.link->isUp());
    REQUIRE(laptop.link->isUp());
    phone.carry();
    laptop.carry();
    stream = phone.session->open(Lane::BULK, HEADER).value();
    say("a");
    REQUIRE(hear() == "a");
    calm();
  }
  void settle() { scope.poll(); }
  void pass(kj::Duration time) {
    timer.advanceTo(timer.now() + time);
    settle();
  }
  // Until nobody waits for an answer, and what was said on the way there is forgotten.
  void calm() {
    pass(Liveness::RELAXED.pingAfter);
    forget();
  }
  void say(kj::StringPtr text) {
    stream->write(text.begin(), text.size()).wait(scope);
    settle();
  }
  // The record that said it.
  crypto::Buffer sayAndKeep(kj::StringPtr text) {
    say(text);
    auto records = phone.records();
    calm();
    return kj::mv(records.front());
  }
  std::string hear() {
    REQUIRE(laptop.incomingStreams.size() == 1);
    char text[1];
    auto reading = laptop.incomingStreams[0]->tryRead(text, 1, 1);
    REQUIRE(reading.poll(scope));
    return std::string(text, reading.wait(scope));
  }
  void forget() {
    phone.records();
    laptop.records();
  }
  bool stands() { return phone.ended == nullptr && laptop.ended == nullptr; }
};

}  // namespace hearth::transport
