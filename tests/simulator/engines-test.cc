#include "simulator/engines/modelled-engine.h"
#include "simulator/engines/speech.h"
#include "tests/simulator/watch.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace hearth::sim {
namespace {

using engine::EngineFrame;
using engine::EngineJob;
using Output = engine::Engine::Output;

constexpr auto S = kj::SECONDS;
constexpr auto MS = kj::MILLISECONDS;

EngineFrame copyOf(const EngineFrame& frame) {
  return {frame.port, frame.flags, frame.seq, frame.ptsUs,
      kj::heapArray<const kj::byte>(frame.payload)};
}

// Frames of 20 ms, numbered from 1, the last with END.
std::vector<EngineFrame> framesOf(const devices::Recording& recording) {
  constexpr size_t FRAME_BYTES = Speech::FRAME_SAMPLES * sizeof(int16_t);
  auto bytes = recording.samples.asBytes();
  std::vector<EngineFrame> frames;
  for (size_t at = 0; at < bytes.size(); at += FRAME_BYTES) {
    frames.push_back({.seq = frames.size() + 1,
        .payload = kj::heapArray<const kj::byte>(bytes.slice(at, at + FRAME_BYTES))});
  }
  frames.back().flags = ENGINE_FLAG_END;
  return frames;
}

std::vector<EngineFrame> textsOf(std::initializer_list<kj::StringPtr> texts) {
  std::vector<EngineFrame> frames;
  for (auto text: texts) {
    frames.push_back(
        {.seq = frames.size() + 1, .payload = kj::heapArray<const kj::byte>(text.asBytes())});
  }
  frames.back().flags = ENGINE_FLAG_END;
  return frames;
}

kj::Own<ModelTask> begin(const char* task, uint64_t next = 1, std::vector<kj::byte> state = {}) {
  auto made = ModelTask::make(task, next, state);
  return kj::mv(KJ_ASSERT_NONNULL(made));
}

std::vector<Output> outputsOf(
    ModelTask& task, const std::vector<EngineFrame>& frames, size_t from) {
  std::vector<Output> outputs;
  for (auto i = from; i < frames.size(); ++i) {
    for (auto& made: task.take(frames[i]).outputs) outputs.push_back(kj::mv(made));
  }
  return outputs;
}

std::vector<Output> outputsOf(const char* task, const std::vector<EngineFrame>& frames) {
  return outputsOf(*begin(task), frames, 0);
}

// What a task makes of another's outputs.
std::vector<EngineFrame> framesOf(std::vector<Output> outputs) {
  std::vector<EngineFrame> frames;
  for (auto& output: outputs) {
    frames.push_back(kj::mv(output.frame));
    frames.back().seq = frames.size();
  }
  return frames;
}

std::string textOf(const std::vector<Output>& outputs) {
  std::string text;
  for (auto& output: outputs) {
    auto chars = output.frame.payload.asChars();
    text.append(chars.begin(), chars.size());
  }
  return text;
}

std::string flagsOf(const std::vector<Output>& outputs) {
  std::string flags;
  for (auto& output: outputs) flags += static_cast<char>('0' + output.frame.flags);
  return flags;
}

TEST_CASE("speech goes through detection, transcription and formatting word by word") {
  auto heard = outputsOf("audio.vad", framesOf(Speech::say(3, 7, 3)));
  auto read = outputsOf("audio.transcribe", framesOf(kj::mv(heard)));
  auto text = textOf(outputsOf("text.format", framesOf(kj::mv(read))));
  REQUIRE(wordsOf(text) == std::vector<std::string>{"w3", "w4", "w5", "w6", "w7", "w8", "w9"});
}

TEST_CASE("words that lack samples or have them twice are marked") {
  auto frames = framesOf(Speech::say(0, 3, 3));
  frames.erase(frames.begin() + Speech::PAUSE_FRAMES);
  frames.insert(frames.begin() + Speech::PAUSE_FRAMES + Speech::WORD_FRAMES + 3,
      copyOf(frames[Speech::PAUSE_FRAMES + Speech::WORD_FRAMES + 3]));
  auto read = outputsOf("audio.transcribe", framesOf(outputsOf("audio.vad", frames)));
  REQUIRE(wordsOf(textOf(read)) == std::vector<std::string>{"w0?", "w1?", "w2"});
}

TEST_CASE("silence makes progress without words") {
  auto frames = framesOf(Speech::say(0, 1, 1));
  std::vector<EngineFrame> silence;
  for (size_t i = 0; i < 200; ++i) {
    silence.push_back(copyOf(frames.front()));
    silence.back().seq = i + 1;
  }
  auto outputs = outputsOf("audio.vad", silence);
  REQUIRE(outputs.size() == 4);
  REQUIRE(textOf(outputs).empty());
  REQUIRE(KJ_ASSERT_NONNULL(outputs.back().cut).inUpto == std::vector<uint64_t>{200});
}

TEST_CASE("the last output of a job is its end, with a cut behind the last frame") {
  auto [task, frames] = GENERATE(table<const char*, int>({{"audio.vad", 0}, {"text.format", 1}}));
  auto in = frames == 0 ? framesOf(Speech::say(0, 5, 2)) : textsOf({"a", "b", ""});
  auto outputs = outputsOf(task, in);
  REQUIRE((outputs.back().frame.flags & ENGINE_FLAG_END) != 0);
  REQUIRE(KJ_ASSERT_NONNULL(outputs.back().cut).inUpto == std::vector<uint64_t>{in.size()});
}

// From every cut on, a task that begins there goes on exactly as the one that made it.
void requireExactCuts(const char* task, const std::vector<EngineFrame>& frames) {
  auto whole = outputsOf(task, frames);
  size_t cuts = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    if (whole[i].cut == nullptr) continue;
    auto& cut = KJ_ASSERT_NONNULL(whole[i].cut);
    ++cuts;
    auto again = begin(task, cut.inUpto[0] + 1, cut.state);
    auto rest = outputsOf(*again, frames, cut.inUpto[0]);
    std::vector<Output> expected;
    for (auto j = i + 1; j < whole.size(); ++j)
      expected.push_back({copyOf(whole[j].frame), nullptr});
    REQUIRE(textOf(rest) == textOf(expected));
    REQUIRE(flagsOf(rest) == flagsOf(expected));
  }
  REQUIRE(cuts > 2);
}

TEST_CASE("a task that begins again at any cut gives what the first would have given") {
  auto speech = framesOf(Speech::say(0, 60, 7));
  requireExactCuts("audio.vad", speech);
  auto chunks = framesOf(outputsOf("audio.vad", speech));
  requireExactCuts("audio.transcribe", chunks);
  requireExactCuts("text.format", framesOf(outputsOf("audio.transcribe", chunks)));
}

TEST_CASE("a task that goes on from another's cut spoils its text") {
  auto frames = textsOf({"a", "b", "c", "d"});
  auto outputs = outputsOf("text.format", frames);
  auto wrong = begin("text.format", 4, KJ_ASSERT_NONNULL(outputs[0].cut).state);
  REQUIRE(textOf(outputsOf(*wrong, frames, 3)).find('?') != std::string::npos);
}

TEST_CASE("a task that nobody has modelled is none") {
  REQUIRE(ModelTask::make("audio.sing", 1, {}) == nullptr);
}

// A processor of so much memory, `factor` times slower than modelled.
struct Chip final: public Processor {
  double factor = 1;
  uint64_t memory = uint64_t{1} << 30;
  kj::Duration spent = 0 * S;
  kj::Duration compute(kj::Duration cpu) override {
    spent += cpu;
    return static_cast<int64_t>(static_cast<double>(cpu / kj::NANOSECONDS) * factor) *
        kj::NANOSECONDS;
  }
  uint64_t memoryBytes() const override { return memory; }
};

// One device's engines for texts: 100 ms for the first frame, 10 ms for each character.
struct Workshop: Moment {
  Chip chip;
  EngineFaults faults;
  std::map<std::string, TaskModel> models{
      {"text.format", {.fixedS = 0.1, .perUnitS = 0.01, .spread = 0, .load = 1 * S}}};
  struct WorldTimer final: public kj::Timer {
    WorldTime& world;
    explicit WorldTimer(WorldTime& world): world(world) {}
    kj::TimePoint now() const override { return world.now(); }
    kj::Promise<void> atTime(kj::TimePoint time) override { return world.at(time); }
    kj::Promise<void> afterDelay(kj::Duration delay) override { return world.after(delay); }
  } timer{time};
  kj::Own<engine::Bundle> bundle =
      engine::Bundle::openDirectory(pluginDirectory(models)->openSubdir(kj::Path("text.format")))
          .value();
  ModelledEngineHost host{timer, Chance(1), chip, models, faults};

  using Starting = kj::Own<Watched<Result<kj::Own<engine::Engine>>>>;
  Starting start() { return watch(host.start(*bundle, {})); }
  kj::Own<engine::Engine> started() {
    auto starting = start();
    run(2 * S);
    auto& result = KJ_ASSERT_NONNULL(starting->value);
    return kj::mv(*result);
  }
  kj::Own<engine::Engine> opened() {
    auto engine = started();
    auto opening = watch(engine->open({.task = "text.format"}));
    run(0 * S);
    KJ_ASSERT((**opening).has_value());
    return engine;
  }
  auto write(engine::Engine& engine, uint64_t seq, kj::StringPtr text = "0123456789") {
    return watch(
        engine.write({.seq = seq, .payload = kj::heapArray<const kj::byte>(text.asBytes())}));
  }
};

Errc errorOf(const auto& watched) { return (**watched).error().code; }

TEST_CASE("an engine is ready after its load") {
  Workshop shop;
  auto starting = shop.start();
  shop.run(799 * MS);
  REQUIRE(starting->isOpen());
  shop.run(401 * MS);
  REQUIRE((**starting).has_value());
}

TEST_CASE("work takes its modelled time, the first of a job more, and is counted") {
  Workshop shop;
  auto engine = shop.opened();
  auto begun = shop.time.elapsed();
  auto one = shop.write(*engine, 1), two = shop.write(*engine, 2);
  auto first = shop.watch(engine->read());
  shop.run(1 * S);
  auto second = shop.watch(engine->read());
  shop.run(0 * S);
  REQUIRE(first->at - begun == 200 * MS);
  REQUIRE((**second).value().frame.seq == 2);
  REQUIRE(engine->cpuTime() == 300 * MS);
  REQUIRE(shop.chip.spent == 300 * MS);
}

TEST_CASE("a slow processor takes longer for the same CPU time") {
  Workshop shop;
  auto engine = shop.opened();
  shop.chip.factor = 4;
  auto begun = shop.time.elapsed();
  auto written = shop.write(*engine, 1);
  auto read = shop.watch(engine->read());
  shop.run(5 * S);
  REQUIRE(read->at - begun == 800 * MS);
  REQUIRE(engine->cpuTime() == 200 * MS);
}

TEST_CASE("an engine holds so many frames, and its writer waits") {
  Workshop shop;
  auto engine = shop.opened();
  std::vector<kj::Own<Watched<Result<void>>>> writes;
  for (uint64_t seq = 1; seq <= ENGINE_UNCONSUMED_MAX; ++seq)
    writes.push_back(shop.write(*engine, seq));
  auto over = shop.write(*engine, ENGINE_UNCONSUMED_MAX + 1);
  shop.run(199 * MS);
  REQUIRE(writes.back()->value != nullptr);
  REQUIRE(over->isOpen());
  shop.run(2 * MS);
  REQUIRE(over->value != nullptr);
}

kj::Promise<void> feed(engine::Engine& engine, uint64_t& fed) {
  for (;;) {
    (co_await engine.write({.seq = fed + 1})).value();
    ++fed;
  }
}

TEST_CASE("an engine that nobody reads from comes to a stand, and goes on when read") {
  Workshop shop;
  auto engine = shop.opened();
  uint64_t fed = 0;
  auto feeding = shop.watch(feed(*engine, fed));
  shop.run(1 * kj::HOURS);
  auto stood = fed;
  REQUIRE(stood < 200);
  for (int i = 0; i < 100; ++i) {
    auto read = shop.watch(engine->read());
    shop.run(1 * S);
    REQUIRE((**read).has_value());
  }
  REQUIRE(fed > stood);
}

TEST_CASE("a job that is closed ends its reads and writes as stale, and another one begins") {
  Workshop shop;
  auto engine = shop.opened();
  auto read = shop.watch(engine->read());
  shop.run(0 * S);
  auto closed = shop.watch(engine->close());
  shop.run(0 * S);
  REQUIRE((**closed).has_value());
  REQUIRE(errorOf(read) == Errc::STALE);
  auto opened =
      shop.watch(engine->open({.task = "text.format", .nextOutSeq = 7, .nextInSeq = {5}}));
  auto written = shop.write(*engine, 5);
  auto next = shop.watch(engine->read());
  shop.run(1 * S);
  REQUIRE((**next).value().frame.seq == 7);
}

TEST_CASE("a task that the plugin lacks is refused, and the engine lives on") {
  Workshop shop;
  auto engine = shop.started();
  auto opened = shop.watch(engine->open({.task = "audio.vad"}));
  shop.run(0 * S);
  REQUIRE(errorOf(opened) == Errc::BAD_FORMAT);
  REQUIRE(engine->ending() == nullptr);
}

TEST_CASE("a start that fails has its fault, once") {
  Workshop shop;
  shop.faults.startsThatFail = 1;
  auto failed = shop.start();
  shop.run(2 * S);
  REQUIRE(errorOf(failed) == Errc::SANDBOX_UNAVAILABLE);
  REQUIRE(shop.faults.failed == 1);
  REQUIRE(shop.started().get() != nullptr);
}

TEST_CASE("engines share their device's memory and give it back") {
  Workshop shop;
  shop.chip.memory = uint64_t{40} << 20;
  auto first = shop.started(), second = shop.started();
  auto third = shop.start();
  shop.run(2 * S);
  REQUIRE(errorOf(third) == Errc::QUOTA_EXCEEDED);
  first = nullptr;
  REQUIRE(shop.started().get() != nullptr);
}

TEST_CASE("a crash ends the engine at its frame") {
  Workshop shop;
  auto engine = shop.opened();
  shop.faults.framesToCrash = 2;
  auto one = shop.write(*engine, 1);
  auto first = shop.watch(engine->read());
  shop.run(1 * S);
  auto two = shop.write(*engine, 2);
  auto second = shop.watch(engine->read());
  shop.run(1 * S);
  REQUIRE((**first).has_value());
  REQUIRE(errorOf(second) == Errc::INTEGRITY_FAILED);
  REQUIRE(KJ_ASSERT_NONNULL(engine->ending()).error.code == Errc::INTEGRITY_FAILED);
  REQUIRE(shop.faults.crashed == 1);
  auto three = shop.write(*engine, 3);
  shop.run(0 * S);
  REQUIRE(errorOf(three) == Errc::INTEGRITY_FAILED);
}

TEST_CASE("an engine that hangs ends at its deadline, for whoever reads or closes") {
  Workshop shop;
  auto engine = shop.opened();
  shop.faults.framesToHang = 1;
  auto begun = shop.time.elapsed();
  auto written = shop.write(*engine, 1);
  auto read = shop.watch(engine->read());
  shop.run(1 * S);
  auto closed = shop.watch(engine->close());
  shop.run(1 * kj::MINUTES);
  REQUIRE(errorOf(read) == Errc::QUOTA_EXCEEDED);
  REQUIRE(errorOf(closed) == Errc::QUOTA_EXCEEDED);
  REQUIRE(read->at - begun == 10 * S);
  REQUIRE(shop.faults.hung == 1);
}

TEST_CASE("an engine that breaks the protocol is ended for it") {
  Workshop shop;
  auto engine = shop.opened();
  shop.faults.framesToLie = 1;
  auto written = shop.write(*engine, 1);
  auto read = shop.watch(engine->read());
  shop.run(1 * S);
  REQUIRE(errorOf(read) == Errc::BAD_FORMAT);
  REQUIRE(shop.faults.lied == 1);
}

TEST_CASE("an engine may be gone while it works, and while it hangs") {
  Workshop shop;
  auto working = shop.opened(), hanging = shop.opened();
  auto written = shop.write(*working, 1);
  shop.run(100 * MS);
  shop.faults.framesToHang = 1;
  auto last = shop.write(*hanging, 1);
  shop.run(1 * S);
  working = nullptr;
  hanging = nullptr;
  shop.run(1 * kj::MINUTES);
  REQUIRE(shop.faults.hung == 1);
}

}  // namespace
}  // namespace hearth::sim
