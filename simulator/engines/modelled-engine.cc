#include "simulator/engines/modelled-engine.h"

#include "simulator/engines/speech.h"

#include <kj/debug.h>

#include <cstring>
#include <deque>
#include <elf.h>

namespace hearth::sim {

using engine::EngineFrame;
using engine::EngineJob;

namespace {

kj::Duration seconds(double s) { return static_cast<int64_t>(s * 1e9) * kj::NANOSECONDS; }

}  // namespace

class ModelledEngine final: public engine::Engine {
 public:
  static constexpr size_t OUTPUTS_MAX = 64;  // unread; then it comes to a stand

  ModelledEngine(ModelledEngineHost& host, uint64_t memory, kj::Duration wall)
      : host(host),
        memory(memory),
        silenceMax(wall) {
    host.memoryUsed += memory;
  }
  ~ModelledEngine() noexcept(false) { host.memoryUsed -= memory; }

  kj::Promise<Result<void>> open(EngineJob job) override {
    KJ_IF_MAYBE(e, ended) return Result<void>(no(e->error));
    KJ_REQUIRE(task == nullptr, "one job at a time");
    auto model = host.models.find(job.task);
    if (model == host.models.end() || job.nextInSeq.size() != 1)
      return Result<void>(no(Errc::BAD_FORMAT, "the plugin has no such task"));
    auto made = ModelTask::make(job.task, job.nextInSeq[0], job.state);
    if (made == nullptr) return Result<void>(no(Errc::BAD_FORMAT, "the plugin has no such task"));
    task = kj::mv(KJ_ASSERT_NONNULL(made));
    costs = model->second;
    nextIn = job.nextInSeq[0];
    nextOut = job.nextOutSeq;
    fixedPaid = false;
    working = work().eagerlyEvaluate(
        [](kj::Exception&& e) { KJ_LOG(ERROR, "a modelled engine failed", e); });
    return Result<void>();
  }

  kj::Promise<Result<void>> write(EngineFrame frame) override {
    while (mayGoOn() && unconsumed >= ENGINE_UNCONSUMED_MAX) co_await room.wait();
    if (!mayGoOn()) co_return no(whyNot());
    KJ_REQUIRE(frame.seq == nextIn, "frames come in order and without gaps", frame.seq, nextIn);
    ++nextIn;
    ++unconsumed;
    inputs.push_back(kj::mv(frame));
    input.ring();
    co_return Result<void>();
  }

  kj::Promise<Result<Output>> read() override {
    while (mayGoOn() && outputs.empty()) co_await output.wait();
    if (outputs.empty()) co_return no(whyNot());
    auto first = kj::mv(outputs.front());
    outputs.pop_front();
    space.ring();
    co_return kj::mv(first);
  }

  // One that hangs does not answer before its deadline.
  kj::Promise<Result<void>> close() override {
    if (hangs && ended == nullptr) co_await over.wait();
    working = nullptr;
    inputs.clear();
    outputs.clear();
    unconsumed = 0;
    task = nullptr;
    room.ring();
    output.ring();
    KJ_IF_MAYBE(e, ended) co_return no(e->error);
    co_return Result<void>();
  }

  kj::Maybe<const Ending&> ending() const override {
    KJ_IF_MAYBE(e, ended) return *e;
    return nullptr;
  }
  kj::Duration cpuTime() const override { return used; }

 private:
  ModelledEngineHost& host;
  uint64_t memory;
  kj::Duration silenceMax;
  kj::Maybe<kj::Own<ModelTask>> task;
  TaskModel costs;
  uint64_t nextIn = 1, nextOut = 1;
  bool fixedPaid = false;
  std::deque<EngineFrame> inputs;
  std::deque<Output> outputs;
  uint32_t unconsumed = 0;
  kj::Duration used = 0 * kj::SECONDS;
  kj::Maybe<Ending> ended;
  bool hangs = false;
  Bell room, input, output, space, over;
  kj::Promise<void> working = nullptr;

  bool mayGoOn() const { return ended == nullptr && task != nullptr; }
  Error whyNot() const {
    KJ_IF_MAYBE(e, ended) return e->error;
    return {Errc::STALE, "the job is closed"};
  }

  kj::Promise<void> work() {
    for (;;) {
      while (outputs.size() >= OUTPUTS_MAX) co_await space.wait();
      while (inputs.empty()) co_await input.wait();
      auto frame = kj::mv(inputs.front());
      inputs.pop_front();
      auto& faults = host.faults;
      if (faults.framesToCrash > 0 && --faults.framesToCrash == 0) {
        ++faults.crashed;
        co_return end(Errc::INTEGRITY_FAILED, "the plugin crashed");
      }
      if (faults.framesToHang > 0 && --faults.framesToHang == 0) {
        ++faults.hung;
        hangs = true;
        co_await host.timer.afterDelay(silenceMax);
        co_return end(Errc::QUOTA_EXCEEDED, "the plugin said nothing for too long");
      }
      auto step = KJ_ASSERT_NONNULL(task)->take(frame);
      co_await spend(step.units);
      if (faults.framesToLie > 0 && step.units > 0 && --faults.framesToLie == 0) {
        ++faults.lied;
        co_return end(Errc::BAD_FORMAT, "the plugin broke the protocol");
      }
      for (auto& made: step.outputs) {
        made.frame.seq = nextOut++;
        outputs.push_back(kj::mv(made));
      }
      --unconsumed;
      room.ring();
      output.ring();
    }
  }

  kj::Promise<void> spend(double units) {
    auto cpu = costs.perUnitS * units + (fixedPaid ? 0 : costs.fixedS);
    fixedPaid = true;
    auto cost = host.chance.around(seconds(cpu), costs.spread);
    used += cost;
    return host.timer.afterDelay(host.processor.compute(cost));
  }

  void end(Errc code, kj::StringPtr why) {
    ended = Ending{Error{code, why}, kj::str(why)};
    outputs.clear();
    room.ring();
    output.ring();
    over.ring();
  }
};

ModelledEngineHost::ModelledEngineHost(kj::Timer& timer, Chance chance, Processor& processor,
    const std::map<std::string, TaskModel>& models, EngineFaults& faults)
    : timer(timer),
      chance(chance),
      processor(processor),
      models(models),
      faults(faults) {}

kj::Promise<Result<kj::Own<engine::Engine>>> ModelledEngineHost::start(
    const engine::Bundle& bundle, const engine::EngineGrants&) {
  auto& quotas = bundle.manifest().quotas;
  auto memory = uint64_t{quotas.memoryMib} << 20;
  auto silence = quotas.wallS * kj::SECONDS;
  auto load = models.at(bundle.description().tasks.front().name).load;
  co_await timer.afterDelay(chance.around(load, 0.2));
  if (faults.startsThatFail > 0) {
    --faults.startsThatFail;
    ++faults.failed;
    co_return no(Errc::SANDBOX_UNAVAILABLE, "the sandbox could not be made");
  }
  if (memoryUsed + memory > processor.memoryBytes())
    co_return no(Errc::QUOTA_EXCEEDED, "the device has not that much memory");
  co_return kj::heap<ModelledEngine>(*this, memory, silence);
}

namespace {

struct PluginSpec {
  kj::StringPtr task, in, out, unit;
  uint32_t memoryMib, wallS;
  bool isAudio;
};

constexpr PluginSpec PLUGINS[] = {
    {"audio.vad"_kj, "audio/pcm"_kj, "audio/pcm"_kj, "seconds of audio"_kj, 64, 10, true},
    {"audio.transcribe"_kj, "audio/pcm"_kj, "text"_kj, "seconds of speech"_kj, 256, 60, true},
    {"text.format"_kj, "text"_kj, "text"_kj, "characters"_kj, 16, 10, false},
};

kj::String tomlOf(const PluginSpec& spec, double units) {
  return kj::str("name = \"", spec.task, "\"\nversion = \"1.0.0\"\n",
      "[quotas]\nmemory_mib = ", spec.memoryMib, "\nwall_s = ", spec.wallS, "\n",
      "[[task]]\nname = \"", spec.task, "\"\ninputs = [{ name = \"in\", type = \"", spec.in,
      "\" }]\noutputs = [{ name = \"out\", type = \"", spec.out, "\" }]\n",
      "[task.calibration]\ninput = \"calibration\"\nunits = ", units, "\nunit = \"", spec.unit,
      "\"\n", spec.isAudio ? "frame_bytes = 640\nframe_us = 20000\nsegment_end = true\n" : "",
      "[[file]]\nrole = \"program\"\npath = \"program\"\n",
      "[[file]]\nrole = \"data\"\npath = \"calibration\"\n");
}

kj::Array<kj::byte> emptyProgram() {
  Elf64_Ehdr header = {};
  memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
#if defined(__x86_64__)
  header.e_machine = EM_X86_64;
#elif defined(__aarch64__)
  header.e_machine = EM_AARCH64;
#endif
  header.e_phentsize = sizeof(Elf64_Phdr);
  return kj::heapArray(kj::arrayPtr(reinterpret_cast<const kj::byte*>(&header), sizeof(header)));
}

}  // namespace

kj::Own<const kj::Directory> pluginDirectory(const std::map<std::string, TaskModel>& models) {
  auto directory = kj::newInMemoryDirectory(kj::nullClock());
  constexpr auto MODE = kj::WriteMode::CREATE | kj::WriteMode::CREATE_PARENT;
  for (auto& spec: PLUGINS) {
    if (!models.contains(spec.task.cStr())) continue;
    auto put = [&](kj::StringPtr name, kj::ArrayPtr<const kj::byte> bytes) {
      directory->openFile(kj::Path{kj::str(spec.task), kj::str(name)}, MODE)->writeAll(bytes);
    };
    put("program", emptyProgram());
    if (spec.isAudio) {
      auto heard = Speech::say(0, 10, 5);
      put("calibration", heard.samples.asBytes());
      put("plugin.toml", tomlOf(spec, static_cast<double>(heard.durationUs()) / 1e6).asBytes());
    } else {
      auto text = "w0 w1 w2 w3 w4\nw5 w6 w7 w8 w9\n"_kj;
      put("calibration", text.asBytes());
      put("plugin.toml", tomlOf(spec, static_cast<double>(text.size())).asBytes());
    }
  }
  return directory;
}

}  // namespace hearth::sim
