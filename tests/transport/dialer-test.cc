// Ways to a peer: as text, and who wins when several are tried.
#include "crypto/identity/display.h"
#include "transport/link/dialer.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <map>

namespace hearth::transport {
namespace {

using std::string;
constexpr auto TCP = Path::Kind::TCP;
constexpr auto UDP = Path::Kind::UDP;
constexpr auto MEMBER = Path::Kind::MEMBER;
constexpr auto RELAY = Path::Kind::RELAY;

DeviceId someone() {
  DeviceId id;
  id.bytes[0] = 7;
  return id;
}

Path to(const string& text) { return Path::parse(text).value(); }

TEST_CASE("an address says of what kind it is, and reads back as it was written") {
  auto via = "via:" + string(crypto::display(someone()).cStr());
  const std::pair<string, Path::Kind> KINDS[] = {{"192.0.2.7:4711", TCP}, {"[2001:db8::7]:80", TCP},
      {"box.example:1", TCP}, {"udp:192.0.2.7:4711", UDP}, {"tls:192.0.2.7:443", Path::Kind::TLS},
      {via, MEMBER}, {"relay:r.example:9", RELAY}};
  for (auto& [text, kind]: KINDS) {
    INFO(text);
    REQUIRE(to(text).kind == kind);
    REQUIRE(to(text).text() == text);
  }
  REQUIRE(to(via).member() == someone());
  REQUIRE(Path::through(someone()).text() == via);
}

TEST_CASE("what names no way is refused") {
  for (string text: {"", "box", ":1", "box:", "udp:", "udp:box", "via:", "via:ABC", "relay:box",
           "box :1", "box\n:1", "b\xc3\xb6x:1"}) {
    INFO(text);
    REQUIRE(Path::parse(text).error().code == (text.empty() ? Errc::BAD_LENGTH : Errc::BAD_FORMAT));
  }
  auto longest = string(Path::TEXT_BYTES_MAX - 2, 'a') + ":1";
  REQUIRE(Path::parse(longest));
  REQUIRE(Path::parse("a" + longest).error().code == Errc::BAD_LENGTH);
}

// What happens to whoever connects to an address, and after how long.
struct Fate {
  kj::Duration after;
  bool connects;
};

struct Call {
  string address;
  kj::Duration at;
};

struct Field final: public Connector {
  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  kj::TimerImpl timer{kj::origin<kj::TimePoint>()};
  Dialer dialer{timer};
  std::map<string, Fate> fates;
  std::vector<Call> calls;
  size_t cancelled = 0;

  Field() {
    for (auto kind: {TCP, UDP, MEMBER, RELAY}) dialer.plug(kind, *this);
  }

  kj::Promise<kj::Own<kj::AsyncIoStream>> connect(const DeviceId& peer, const Path& path) override {
    KJ_REQUIRE(peer == someone());
    calls.push_back({path.text(), sinceStart()});
    auto fate = fates.at(path.text());
    bool done = false;
    KJ_DEFER(if (!done)++ cancelled);
    co_await timer.afterDelay(fate.after);
    done = true;
    auto pipe = kj::newTwoWayPipe();
    if (fate.connects) co_return kj::mv(pipe.ends[0]);
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "nobody there"));
  }

  kj::Duration sinceStart() { return timer.now() - kj::origin<kj::TimePoint>(); }

  kj::Maybe<string> winner(std::vector<Path> paths) {
    auto dialling = dialer.dial(someone(), kj::mv(paths));
    constexpr auto STEP = 10 * kj::MILLISECONDS;
    while (!dialling.poll(scope)) timer.advanceTo(timer.now() + STEP);
    KJ_IF_MAYBE(found, dialling.wait(scope)) return found->path.text();
    return nullptr;
  }
};

constexpr Fate SILENT = {1 * kj::HOURS, false};
constexpr Fate REFUSED = {0 * kj::MILLISECONDS, false};
constexpr Fate PROMPT = {20 * kj::MILLISECONDS, true};

TEST_CASE(
    "the next address is called when the one before is silent, and its late answer still counts") {
  Field field;
  field.fates = {{"a:1", {300 * kj::MILLISECONDS, true}}, {"b:1", SILENT}, {"c:1", PROMPT}};
  REQUIRE(field.winner({to("a:1"), to("b:1"), to("c:1")}) == string("a:1"));
  REQUIRE(field.calls.size() == 2);
  REQUIRE(field.calls[1].at == NEXT_ATTEMPT_AFTER);
  REQUIRE(field.cancelled == 1);
}

TEST_CASE("an address that refuses is no reason to wait for the next") {
  Field field;
  field.fates = {{"a:1", REFUSED}, {"b:1", REFUSED}, {"c:1", PROMPT}};
  REQUIRE(field.winner({to("a:1"), to("b:1"), to("c:1")}) == string("c:1"));
  REQUIRE(field.calls.back().at < NEXT_ATTEMPT_AFTER);
}

TEST_CASE("a refusal that comes late does not hurry the attempt after the next") {
  Field field;
  field.fates = {{"a:1", {300 * kj::MILLISECONDS, false}}, {"b:1", SILENT}, {"c:1", PROMPT}};
  REQUIRE(field.winner({to("a:1"), to("b:1"), to("c:1")}) == string("c:1"));
  REQUIRE(field.calls.back().at == 2 * NEXT_ATTEMPT_AFTER);
}

TEST_CASE("TCP is called before UDP, and what goes through others has to wait longer") {
  Field field;
  auto via = Path::through(someone());
  field.fates = {{"a:1", SILENT}, {"udp:a:1", SILENT}, {via.text(), SILENT}, {"relay:r:1", PROMPT}};
  REQUIRE(field.winner({to("relay:r:1"), via, to("udp:a:1"), to("a:1")}) == string("relay:r:1"));
  REQUIRE(field.calls.size() == 4);
  REQUIRE(field.calls[0].address == "a:1");
  REQUIRE(field.calls[1].address == "udp:a:1");
  REQUIRE(field.calls[2].address == via.text());
  REQUIRE(field.calls[2].at == NEXT_ATTEMPT_AFTER + Dialer::DETOUR_AFTER);
  REQUIRE(field.calls[3].at == NEXT_ATTEMPT_AFTER + 2 * Dialer::DETOUR_AFTER);
}

TEST_CASE("when nobody answers, that is said within the time limit of the last attempt") {
  Field field;
  field.fates = {{"a:1", SILENT}, {"b:1", REFUSED}};
  REQUIRE(field.winner({to("a:1"), to("b:1")}) == nullptr);
  REQUIRE(field.sinceStart() >= Dialer::CONNECT_WITHIN);
  REQUIRE(field.sinceStart() <= Dialer::CONNECT_WITHIN + NEXT_ATTEMPT_AFTER);
}

TEST_CASE("an attempt that nobody answers in time ends as one that finds nobody") {
  Field field;
  std::vector<Attempt> attempts;
  attempts.push_back({[]() -> kj::Promise<kj::Own<kj::AsyncIoStream>> { return kj::NEVER_DONE; }});
  auto racing = race(field.timer, kj::mv(attempts), Dialer::CONNECT_WITHIN);
  REQUIRE_FALSE(racing.poll(field.scope));
  field.timer.advanceTo(field.timer.now() + Dialer::CONNECT_WITHIN);
  auto type = kj::Exception::Type::FAILED;
  racing.then([](Winner) {}, [&](kj::Exception&& e) { type = e.getType(); }).wait(field.scope);
  REQUIRE(type == kj::Exception::Type::DISCONNECTED);
}

TEST_CASE("without a path nobody is called") {
  Field field;
  REQUIRE(field.winner({}) == nullptr);
  REQUIRE(field.calls.empty());
}

TEST_CASE("a kind of path that cannot be gone is left out") {
  Field field;
  Dialer bare(field.timer);
  REQUIRE(bare.dial(someone(), {to("a:1")}).wait(field.scope) == nullptr);
  REQUIRE(field.calls.empty());
}

TEST_CASE("no more paths are tried than the limit") {
  Field field;
  std::vector<Path> paths;
  for (size_t i = 0; i <= Dialer::PATHS_MAX; ++i) {
    paths.push_back(to("a:" + std::to_string(i)));
    field.fates[paths.back().text()] = REFUSED;
  }
  REQUIRE(field.winner(paths) == nullptr);
  REQUIRE(field.calls.size() == Dialer::PATHS_MAX);
}

TEST_CASE("only what goes straight is better than a detour, and nothing than what goes straight") {
  auto via = Path::through(someone());
  std::vector<Path> paths = {to("a:1"), to("udp:a:1"), via, to("relay:r:1")};
  REQUIRE(Dialer::better(paths, via) == std::vector{to("a:1"), to("udp:a:1")});
  REQUIRE(Dialer::better(paths, to("relay:r:1")).size() == 2);
  REQUIRE(Dialer::better(paths, to("udp:a:1")).empty());
}

}  // namespace
}  // namespace hearth::transport
