#include "simulator/story/people.h"

#include "crypto/identity/display.h"
#include "simulator/engines/speech.h"

#include <kj/debug.h>
#include <kj/encoding.h>

namespace hearth::sim {

// The app that receives a dictation. It outlives its daemon as a window that stays open.
class People::App final: public devices::JobClient {
 public:
  App(World& world, std::shared_ptr<Dictation> spoken)
      : world(world),
        spoken(kj::mv(spoken)),
        dictation(*this->spoken) {}
  ~App() noexcept(false) {
    if (!dictation.ended) dictation.appGone = true;
  }

  kj::Promise<void> piece(Piece piece) override {
    for (auto& word: wordsOf(piece.text.text.cStr())) take(word);
    world.fold(piece.text.text);
    return kj::READY_NOW;
  }
  void event(const devices::JobRecord::Event& event) override {
    dictation.events.push_back(event.kind);
    if (event.kind == "placed")
      dictation.placed.push_back({world.time.now(), event.stage, event.device, event.attempt});
    world.history.add(dictation.sink, "job",
        kj::str(dictation.number, " ", event.kind.c_str(), " ", event.stage.c_str(), " ",
            event.device.c_str(), " ", event.message.c_str())
            .cStr());
  }
  bool wantsLevels() const override { return true; }
  void level(devices::Level level) override {
    ++dictation.levels;
    dictation.levelsLate += level.skipped;
  }
  void ended(const devices::JobRecord& record) override {
    dictation.ended = true;
    dictation.endedAt = world.time.now();
    dictation.state = record.state;
    dictation.message = record.message;
    dictation.job = record.id;
    world.fold(kj::str(record.state.c_str(), record.message.c_str()));
    world.history.add(dictation.sink, "job",
        kj::str(dictation.number, " is over: ", record.state.c_str(), " ", record.message.c_str(),
            ", ", dictation.heard.size(), " of ", dictation.said.size(), " words")
            .cStr());
  }

 private:
  World& world;
  std::shared_ptr<Dictation> spoken;  // jobs end with their daemon, which may outlive the people
  Dictation& dictation;

  void take(const std::string& word) {
    auto next = dictation.heard.size();
    if (dictation.wrongAt == nullptr &&
        (next >= dictation.said.size() || dictation.said[next] != word)) {
      dictation.wrongAt = world.time.now();
      dictation.wrongWord = word;
    }
    dictation.heard.push_back(word);
  }
};

void People::note(const Device& device, std::string text) {
  world.history.add(device.index(), "step", kj::mv(text));
}

kj::Promise<void> People::found(Device& device) {
  note(device, "hearth init");
  return device.init();
}

// The answer of a device's daemon, unless that ends first. A peer that hangs up is no reason for one
// that goes on to answer with an exception: that is the story's failure.
template <typename T>
kj::Promise<Result<T>> People::ask(Device& device, kj::Promise<Result<T>> answer) {
  auto asked = device.starts;
  return device.whileItRuns(kj::mv(answer))
      .catch_([this, &device, asked](kj::Exception&& e) -> Result<T> {
        note(device, kj::str("no answer: ", e.getDescription()).cStr());
        bool goesOn = device.runs() && device.starts == asked;
        if (goesOn && e.getType() == kj::Exception::Type::DISCONNECTED)
          kj::throwFatalException(kj::mv(e));
        return no(Errc::STALE, "the daemon gave no answer");
      });
}

// Where `to` can be called from `from` now.
kj::Maybe<std::string> People::addressBetween(Device& from, Device& to) {
  for (auto network: world.terrain.attachments(to.index())) {
    auto ip = Terrain::addressIn(network, to.index());
    if (world.terrain.passes(from.index(), ip, Terrain::Packet::CALL)) return to.address(network);
  }
  return nullptr;
}

// hearth join --code.
People::Joining People::beginJoining(Device& fresh) {
  auto shown = kj::newPromiseAndFulfiller<kj::String>();
  auto outcome = fresh
                     .join([fulfiller = kj::mv(shown.fulfiller)](
                               kj::String code) mutable { fulfiller->fulfill(kj::mv(code)); })
                     .fork();
  return {kj::mv(outcome), shown.promise.catch_([](kj::Exception&&) { return kj::String(); })};
}

kj::Promise<bool> People::pair(Device& fresh, Device& admin, crypto::Role role, bool rightCode) {
  note(fresh, "hearth join --code, to be paired by " + admin.called());
  if (!fresh.isOn() || fresh.inCircle()) co_return false;
  auto joining = beginJoining(fresh);
  auto codeText = co_await joining.code;
  if (codeText.size() == 0) co_return false;
  auto hurry = chance.between(2 * kj::SECONDS, 8 * kj::SECONDS);
  co_await world.time.after(hurry);
  bool paired = false;
  KJ_IF_MAYBE(address, addressBetween(admin, fresh)) {
    auto code = crypto::PairingCode::parse(codeText.asBytes());
    if (!rightCode) {
      SeededEntropy guess(Chance(chance.next()));
      code = crypto::PairingCode::draw(guess);
      ++wrongCodeCount;
    }
    paired = co_await pairFrom(admin, fresh, kj::mv(*code), *address, role);
  }
  auto joined = co_await joining.outcome.addBranch();
  if (joined) ++pairingCount;
  co_return joined ? paired : false;
}

// Says yes to whatever device the code has proved.
class Trusting final: public devices::PairingPerson {
 public:
  kj::Promise<bool> compare(const crypto::Sas&) override { KJ_UNREACHABLE; }
  kj::Promise<bool> confirm(const devices::DeviceView&) override { return true; }
  void waits(const devices::PendingView&) override {}
};

// A person who reads "try again in some seconds" does.
constexpr int TRIES_WHEN_BUSY = 3;
constexpr kj::Duration TRY_AGAIN_AFTER = 3 * kj::SECONDS;

// hearth pair CODE --at ADDRESS.
kj::Promise<bool> People::pairFrom(Device& admin, Device& fresh, crypto::PairingCode code,
    std::string address, crypto::Role role) {
  Trusting trusting;
  for (int tries = 0; tries < TRIES_WHEN_BUSY; ++tries) {
    auto node = admin.node();
    if (node == nullptr) break;
    auto typed = crypto::PairingCode::parse(code.reveal()).value();
    auto answer =
        co_await ask(admin, KJ_ASSERT_NONNULL(node).pair(kj::mv(typed), {address}, role, trusting));
    note(admin,
        answer ? "paired " + fresh.called()
               : std::string("could not pair: ") + answer.error().because.cStr());
    if (answer) told.push_back({world.time.now(), admin.index(), false, answer->id});
    if (answer || answer.error().code != Errc::BUSY) co_return answer.has_value();
    co_await world.time.after(TRY_AGAIN_AFTER);
  }
  co_return false;
}

kj::Promise<bool> People::remove(Device& admin, Device& target, crypto::RemoveReason reason) {
  note(admin, "hearth remove " + target.called());
  auto id = KJ_REQUIRE_NONNULL(target.id());
  KJ_IF_MAYBE(node, admin.node()) {
    auto removed = co_await ask(
        admin, node->errand([node, id, reason]() { return node->desk().remove(id, reason); }));
    bool waits = removed && *removed != nullptr;
    note(admin,
        waits         ? "asks to remove " + target.called()
            : removed ? "removed " + target.called()
                      : std::string("could not remove: ") + removed.error().because.cStr());
    if (removed && !waits) {
      told.push_back({world.time.now(), admin.index(), true, id});
      world.add(lookForLink(admin, target, told.size() - 1));
    }
    co_return removed.has_value();
  }
  co_return false;
}

kj::Promise<kj::Maybe<bool>> People::makeAdmin(Device& admin, Device& target) {
  note(admin, "hearth device role " + target.called() + " admin");
  auto id = KJ_REQUIRE_NONNULL(target.id());
  KJ_IF_MAYBE(node, admin.node()) {
    auto set = co_await ask(admin,
        node->errand([node, id]() { return node->desk().setRole(id, crypto::Role::ADMIN); }));
    if (set) {
      bool waits = *set != nullptr;
      note(admin, waits ? "another admin has to agree" : target.called() + " is an admin");
      co_return !waits;
    }
    note(admin, std::string("could not: ") + set.error().because.cStr());
  }
  co_return nullptr;
}

kj::Promise<uint32_t> People::approveAll(Device& admin) {
  note(admin, "hearth approve");
  uint32_t done = 0;
  std::vector<std::string> ids;
  KJ_IF_MAYBE(node, admin.node()) {
    for (auto& view: node->desk().pending()) {
      if (!view.own) ids.push_back(view.id);
    }
  }
  for (auto& id: ids) {
    KJ_IF_MAYBE(node, admin.node()) {
      auto agreed = co_await ask(
          admin, node->errand([node, &id]() { return node->desk().decide(id, true); }));
      note(admin,
          agreed ? (*agreed ? "agreed, and done" : "agreed: it is done when both are there")
                 : std::string("could not: ") + agreed.error().because.cStr());
      if (agreed && *agreed) ++done;
    }
  }
  co_return done;
}

// Whoever removes a device hangs up on it, and does not wait for it to agree.
kj::Promise<void> People::lookForLink(Device& admin, Device& target, size_t number) {
  constexpr auto GONE_AFTER = 5 * kj::SECONDS;
  co_await world.time.after(GONE_AFTER);
  KJ_IF_MAYBE(node, admin.node()) {
    for (auto& view: node->devices()) {
      if (view.id == told[number].target) told[number].stillLinked = view.reachable;
    }
  }
  if (told[number].stillLinked) note(admin, "still has a link to " + target.called());
}

// What somebody is who has no part in the circle, and calls a new device as an admin would.
class Intruder final: public devices::PairingHost {
 public:
  Intruder(Chance chance, crypto::PairingCode code): entropy(chance), code(kj::mv(code)) {}

  kj::Promise<bool> compare(const crypto::Sas&) override { return true; }
  kj::Promise<Result<devices::Welcome>> consider(const crypto::PairingAdmin::Candidate&) override {
    return Result<devices::Welcome>(devices::Welcome());
  }
  bool waitsForOthers() const override { return false; }
  kj::Promise<void> guessed() override { return kj::READY_NOW; }

  kj::Promise<void> call(kj::Timer& timer, kj::Own<kj::AsyncIoStream> stream) {
    auto genesis = crypto::sealEnvelope(crypto::SigType::OP, nullptr, keys.id, keys.ed);
    crypto::PairingAdmin::Setup setup{.keys = keys,
        .bundle = {crypto::Platform::OTHER, 0, 1, keys.publics},
        .genesis = kj::mv(genesis),
        .role = crypto::Role::MEMBER,
        .means = kj::mv(code)};
    co_await devices::pairAsAdmin(timer, kj::mv(stream), kj::mv(setup), entropy, guard, *this);
  }

 private:
  SeededEntropy entropy;
  crypto::PairingCode code;
  crypto::DeviceKeys keys = crypto::DeviceKeys::fromRootSeed(crypto::RootSeed::draw(entropy));
  crypto::EphemeralGuard guard{[]() {}};
};

kj::Promise<void> People::guess(Device& beside, std::string address, crypto::PairingCode code) {
  Intruder intruder(Chance(chance.next()), kj::mv(code));
  try {
    auto target = co_await beside.network().parseAddress(address.c_str());
    co_await intruder.call(beside.time.timer(), co_await target->connect());
  } catch (const kj::Exception& e) {
    if (e.getType() != kj::Exception::Type::DISCONNECTED) throw;
  }
}

kj::Promise<void> People::guessCodes(Device& fresh, Device& beside, uint32_t guesses) {
  note(fresh, "hearth join --code, and somebody guesses");
  if (!fresh.isOn() || fresh.inCircle()) co_return;
  auto number = guessed.size();
  guessed.push_back({.at = fresh.index()});
  auto joining = beginJoining(fresh);
  auto watching = joining.outcome.addBranch().then([this, number](Result<void> joined) {
    guessed[number].locked = !joined && joined.error().code == Errc::PAIRING_LOCKED;
  });
  co_await joining.code;
  for (uint32_t i = 0; i < guesses; ++i) {
    SeededEntropy luck(Chance(chance.next()));
    auto code = crypto::PairingCode::draw(luck);
    ++wrongCodeCount;
    co_await world.time.after(3 * kj::SECONDS);
    auto listening = fresh.runs() && !guessed[number].locked;
    KJ_IF_MAYBE(address, addressBetween(beside, fresh)) {
      co_await guess(beside, *address, kj::mv(code));
      if (listening) ++guessed[number].taken;
    }
  }
  co_await watching;
}

Dictation& People::dictate(Device& sink, Device& source, uint32_t words, uint32_t sentenceWords) {
  spoken.push_back(std::make_shared<Dictation>());
  auto& dictation = *spoken.back();
  dictation.number = static_cast<uint32_t>(spoken.size());
  dictation.sink = sink.index();
  dictation.source = source.index();
  dictation.begunAt = dictation.endedAt = world.time.now();
  auto recording = Speech::say(nextWord, words, sentenceWords);
  dictation.speech = static_cast<int64_t>(recording.durationUs()) * kj::MICROSECONDS;
  for (uint32_t i = 0; i < words; ++i) {
    dictation.said.push_back(
        Speech::word(static_cast<int16_t>(1 + (nextWord + i) % Speech::WORDS_MAX)));
  }
  nextWord += words;
  note(sink,
      kj::str("hearth dictate --from ", source.called().c_str(), ", ", words, " words, number ",
          dictation.number)
          .cStr());
  dictation.refused = true;
  KJ_IF_MAYBE(node, sink.node()) {
    dictation.sinkWasStale = node->circle().isStale();
    dictation.sinkKnewItIsOut = !node->circle().isActive(node->circle().selfId());
    auto workload = router::parseWorkload("dictate");
    devices::JobOrder order{
        .workload = kj::mv(*workload), .source = KJ_ASSERT_NONNULL(source.id())};
    if (&sink == &source) {
      order.recordings["mic"] = kj::mv(recording);
    } else {
      KJ_IF_MAYBE(hearing, source.node()) hearing->hear(kj::mv(recording));
    }
    auto job = node->work().run(kj::mv(order), kj::heap<App>(world, spoken.back()));
    dictation.refused = !job.has_value();
  }
  return dictation;
}

}  // namespace hearth::sim
