// A session outlives its carriers: two devices, whose wires are cut at any byte.
#include "tests/transport/cut-wires.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

constexpr kj::byte HEADER[] = {2};

using Strings = std::vector<std::string>;

struct Talk: public CutPair {
  Talk() {
    a.call(b);
    b.call(a);
    REQUIRE(bothUp());
    pass(1 * kj::SECONDS);
  }
  kj::Own<kj::AsyncIoStream> open(Side& from, Lane lane) {
    return from.device.links->open(from.other().id(), lane, HEADER).value();
  }
  kj::Promise<std::string> ask(Side& from, std::string what) {
    auto request = from.device.links->rpc(from.other().id())
                       .castAs<capnp::Persistent<capnp::Text, capnp::Text>>()
                       .saveRequest();
    request.setSealFor(what.c_str());
    auto answer = co_await request.send();
    co_return answer.getSturdyRef().cStr();
  }
};

// A conversation of several streams both ways, of all lanes, with calls in between.
struct Conversation: public Talk {
  std::mt19937 random;
  struct Line {
    kj::Own<kj::AsyncIoStream> from, to;
    kj::Array<kj::byte> data, got;
    bool arrived = false;
  };
  std::vector<kj::Own<Line>> lines;
  Strings answers;
  kj::Maybe<kj::String> broken;
  kj::TaskSet tasks;
  struct Errors final: public kj::TaskSet::ErrorHandler {
    kj::Maybe<kj::String>& broken;
    explicit Errors(kj::Maybe<kj::String>& broken): broken(broken) {}
    void taskFailed(kj::Exception&& e) override { broken = kj::str(e.getDescription()); }
  } errors{broken};

  explicit Conversation(uint32_t seed): random(seed), tasks(errors) {}

  size_t draw(size_t most) { return random() % (most + 1); }

  kj::Promise<void> write(Line& line, std::mt19937 luck) {
    for (size_t at = 0; at < line.data.size();) {
      auto size = kj::min(line.data.size() - at, 1 + luck() % 20'000);
      co_await line.from->write(line.data.begin() + at, size);
      at += size;
    }
    line.from->shutdownWrite();
  }
  kj::Promise<void> read(Line& line) {
    line.got = co_await line.to->readAllBytes();
    line.arrived = true;
  }
  void speak(Side& from) {
    auto& to = from.other().device;
    auto line = kj::heap<Line>();
    auto lane = static_cast<Lane>(draw(3));
    REQUIRE(bothUp());
    line->from = open(from, lane);
    line->data = kj::heapArray<kj::byte>(1 + draw(120'000));
    for (auto& byte: line->data) byte = static_cast<kj::byte>(random());
    auto before = to.streams.size();
    tasks.add(write(*line, std::mt19937(static_cast<uint32_t>(random()))));
    REQUIRE(eventually([&]() { return to.streams.size() == before + 1; }));
    line->to = kj::mv(to.streams.back());
    tasks.add(read(*line));
    lines.push_back(kj::mv(line));
  }
  void askSomething(Side& from, int n) {
    REQUIRE(bothUp());
    tasks.add(ask(from, std::to_string(n)).then([this](std::string answer) {
      answers.push_back(answer);
    }));
  }
  bool allArrived() {
    return std::ranges::all_of(lines, [](auto& line) { return line->arrived; });
  }
};

TEST_CASE(
    "wherever carriers are cut, every byte comes once and in order, and every call is answered once") {
  constexpr uint32_t SEEDS = 320;
  size_t cuts = 0, byKind[Wire::CUTS] = {}, resumed = 0, answered = 0;
  for (uint32_t seed = 1; seed <= SEEDS; ++seed) {
    INFO("seed " << seed);
    Conversation talk(seed);
    auto unplanned = 1 + talk.draw(5);
    auto spoil = [&](Wire& wire) {
      if (unplanned == 0) return;
      --unplanned;
      wire.how = static_cast<Wire::Cut>(talk.draw(Wire::CUTS - 1));
      // From within the handshake to far behind it.
      wire.bytesUntilCut = talk.draw(1) == 0 ? talk.draw(6'000) : talk.draw(300'000);
    };
    talk.plan = spoil;
    for (auto& wire: talk.wires) {
      if (!wire.cut) spoil(wire);
    }
    int calls = 0;
    auto both = {&talk.a, &talk.b};
    for (auto side: both) {
      for (size_t i = 0; i <= talk.draw(2); ++i) talk.speak(*side);
      for (size_t i = 0; i <= talk.draw(3); ++i) talk.askSomething(*side, calls++);
    }
    REQUIRE(talk.eventually([&]() {
      return talk.broken != nullptr ||
          (talk.allArrived() && talk.answers.size() == static_cast<size_t>(calls));
    }));
    KJ_IF_MAYBE(why, talk.broken) FAIL(why->cStr());
    for (auto& line: talk.lines) KJ_ASSERT(line->got == line->data, seed);
    for (auto side: both) {
      for (auto& [what, times]: side->served) KJ_ASSERT(times == 1, what, times);
    }
    for (auto& wire: talk.wires) {
      if (!wire.cut) continue;
      ++cuts;
      ++byKind[static_cast<size_t>(wire.how)];
    }
    resumed += talk.carriers(talk.a) - 1;
    answered += talk.answers.size();
  }
  // The faults came.
  for (auto count: byKind) REQUIRE(count > SEEDS / 4);
  REQUIRE(cuts > SEEDS);
  REQUIRE(resumed > SEEDS / 2);
  REQUIRE(answered > 2 * SEEDS);
}

TEST_CASE("a cut that is mended at once is nothing that anybody is told of, while somebody waits") {
  Talk talk;
  auto stream = talk.open(talk.a, Lane::INTERACTIVE);
  talk.pass(100 * kj::MILLISECONDS);
  auto before = talk.wires.size();
  talk.cutAll(Wire::Cut::ENDS);
  talk.pass(100 * kj::MILLISECONDS);
  REQUIRE(talk.wires.size() > before);
  REQUIRE(talk.carriers(talk.a) > 1);
  stream->write("a", 1).wait(talk.scope);
  REQUIRE(talk.eventually([&]() { return talk.b.device.streams.size() == 1; }));
  kj::byte byte[1];
  talk.b.device.streams[0]->read(byte, 1).wait(talk.scope);
  REQUIRE(talk.a.device.log == Strings({"up"}));
  REQUIRE(talk.b.device.log == Strings({"up"}));
}

TEST_CASE(
    "a link that somebody waits for and that falls silent is replaced before it is given up") {
  Talk talk;
  auto stream = talk.open(talk.a, Lane::INTERACTIVE);
  talk.pass(1 * kj::SECONDS);
  auto before = talk.carriers(talk.a);
  talk.cutAll(Wire::Cut::SILENT);
  talk.pass(Liveness::ATTENTIVE.lostAfter - 50 * kj::MILLISECONDS);
  REQUIRE(talk.carriers(talk.a) > before);
  REQUIRE(talk.carriers(talk.b) > before);
  talk.pass(1 * kj::SECONDS);
  REQUIRE(talk.a.device.log == Strings({"up"}));
  REQUIRE(talk.b.device.log == Strings({"up"}));
}

TEST_CASE("a silent link that nobody waits for is not called anew before it is given up") {
  Talk talk;
  talk.pass(1 * kj::SECONDS);
  auto before = talk.wires.size();
  auto stream = talk.open(talk.a, Lane::BULK);
  talk.cutAll(Wire::Cut::SILENT);
  talk.pass(Liveness::RELAXED.lostAfter - 100 * kj::MILLISECONDS);
  REQUIRE(talk.wires.size() == before);
}

TEST_CASE("whoever's links end again and again, at whichever byte, calls ever more seldom") {
  constexpr size_t CALLS_MAX = 40;  // of both, in ten seconds
  for (size_t bytes = 0; bytes <= 4'000; bytes += 250) {
    INFO("after " << bytes);
    Talk talk;
    talk.plan = [&](Wire& wire) { wire.bytesUntilCut = bytes; };
    auto before = talk.wires.size();
    talk.cutAll(Wire::Cut::ENDS);
    talk.pass(10 * kj::SECONDS);
    REQUIRE(talk.wires.size() > before + 4);  // the fault came
    REQUIRE(talk.wires.size() - before <= CALLS_MAX);
  }
}

TEST_CASE(
    "a peer that is gone is told of within 500 ms when somebody waits, though its streams wait on") {
  for (int how = 0; how < Wire::CUTS; ++how) {
    Talk talk;
    auto stream = talk.open(talk.a, Lane::INTERACTIVE);
    talk.pass(1 * kj::SECONDS);
    talk.noWay = true;
    talk.cutAll(static_cast<Wire::Cut>(how));
    auto cutAt = talk.timer.now();
    REQUIRE(talk.eventually([&]() { return talk.a.device.log.size() == 2; }));
    REQUIRE(talk.timer.now() - cutAt <= 500 * kj::MILLISECONDS);
    REQUIRE(talk.a.device.log.back().starts_with("down"));
    REQUIRE_FALSE(talk.a.device.links->open(talk.b.id(), Lane::BULK, HEADER));
    // The other side is back before the streams are given up.
    talk.pass(3 * kj::SECONDS);
    talk.noWay = false;
    REQUIRE(talk.bothUp());
    stream->write("a", 1).wait(talk.scope);
    kj::byte byte[1];
    talk.b.device.streams.at(0)->read(byte, 1).wait(talk.scope);
    REQUIRE(talk.a.device.log.back() == "up");
  }
}

TEST_CASE(
    "both sides call at once for a session whose link is cut, however long one had called in vain") {
  CutPair two;
  two.noWay = true;
  two.a.call(two.b);
  two.pass(2 * kj::MINUTES);
  two.noWay = false;
  two.b.call(two.a);
  REQUIRE(two.bothUp());
  two.unreachable = &two.a;
  two.cutAll(Wire::Cut::ENDS);
  REQUIRE(two.eventually([&]() { return two.carriers(two.a) == 2; }, 1 * kj::SECONDS));
}

TEST_CASE("whoever has hung up calls nobody, also where it was about to call anew") {
  Talk talk;
  talk.unreachable = &talk.a;
  talk.a.device.links->moved();
  talk.a.device.links->hangUp();
  talk.pass(1 * kj::SECONDS);
  REQUIRE_FALSE(talk.b.device.links->isUp(talk.a.id()));
}

TEST_CASE("where nobody waits, a carrier that ends is told of at once") {
  Talk talk;
  talk.noWay = true;
  talk.cutAll(Wire::Cut::ENDS);
  talk.scope.poll();
  REQUIRE(talk.a.device.log.size() == 2);
}

TEST_CASE("streams end when no other link has come in time, and what is asked for ends with them") {
  Talk talk;
  auto stream = talk.open(talk.a, Lane::BULK);
  auto answer = talk.ask(talk.a, "before");
  REQUIRE(answer.wait(talk.scope) == "before");
  talk.noWay = true;
  auto unanswered = talk.ask(talk.a, "lost");
  talk.cutAll(Wire::Cut::SILENT);
  auto gone = stream->whenWriteDisconnected();
  talk.pass(Links::RESUME_WITHIN);
  REQUIRE_FALSE(gone.poll(talk.scope));  // silence is noticed 2 s after something was said
  talk.pass(3 * kj::SECONDS);
  REQUIRE(gone.poll(talk.scope));
  REQUIRE(unanswered.poll(talk.scope));
  talk.noWay = false;
  REQUIRE(talk.bothUp());
  REQUIRE(talk.ask(talk.a, "after").wait(talk.scope) == "after");
}

TEST_CASE("a peer that has begun anew has none of the old streams, and neither has this side") {
  for (bool forgetsChooser: {false, true}) {
    Talk talk;
    auto& forgets = (talk.a.id() < talk.b.id()) == forgetsChooser ? talk.a : talk.b;
    auto& keeps = forgets.other();
    auto stream = talk.open(keeps, Lane::BULK);
    auto gone = stream->whenWriteDisconnected();
    talk.pass(100 * kj::MILLISECONDS);
    REQUIRE(forgets.device.streams.size() == 1);
    talk.cutAll(Wire::Cut::ENDS);
    forgets.device.streams.clear();
    forgets.device.links = nullptr;
    forgets.start();
    forgets.call(keeps);
    REQUIRE(talk.eventually([&]() { return gone.poll(talk.scope); }, 1 * kj::SECONDS));
    REQUIRE(talk.bothUp());
    REQUIRE(forgets.device.streams.empty());
    REQUIRE(talk.ask(keeps, "again").wait(talk.scope) == "again");
  }
}

TEST_CASE("goodbye ends the streams at once, on both sides") {
  Talk talk;
  auto stream = talk.open(talk.a, Lane::INTERACTIVE);
  talk.pass(100 * kj::MILLISECONDS);
  auto here = stream->whenWriteDisconnected();
  auto there = talk.b.device.streams.at(0)->whenWriteDisconnected();
  talk.noWay = true;
  talk.a.device.links->drop(talk.b.id(), Errc::REMOVED);
  talk.scope.poll();
  REQUIRE(here.poll(talk.scope));
  REQUIRE(there.poll(talk.scope));
  REQUIRE(talk.a.device.log.size() == 2);
  REQUIRE(talk.b.device.log.size() == 2);
}

}  // namespace
}  // namespace hearth::transport
