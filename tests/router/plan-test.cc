#include "router/place/facts-codec.h"
#include "router/place/plan.h"

#include <capnp/message.h>
#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>

namespace hearth::router {
namespace {

DeviceFacts deviceOf(kj::byte n, const char* name, const char* deviceClass) {
  DeviceFacts facts;
  facts.id.bytes[0] = n;
  facts.name = name;
  facts.deviceClass = deviceClass;
  facts.activeW = powerOfClass(deviceClass).activeW;
  return facts;
}

PluginFacts pluginOf(const char* task, double perUnitS) {
  PluginFacts plugin{.task = task, .name = task, .version = "1.0.0"};
  plugin.measurement.bytes[0] = static_cast<kj::byte>(task[6]);
  plugin.perUnitS = perUnitS;
  return plugin;
}

// The four devices of the demonstration.
struct Home {
  Workload dictate = parseWorkload("dictate").value();
  std::vector<DeviceFacts> devices = {deviceOf(1, "watch", "watch"), deviceOf(2, "phone", "phone"),
      deviceOf(3, "laptop", "laptop"), deviceOf(4, "gpubox", "gpubox")};
  LinkTable links;
  PlanInput input{dictate, devices, links, devices[0].id, devices[0].id, true, {}, {}};

  Home() {
    devices[1].plugins = {pluginOf("audio.vad", 0.005)};
    devices[2].plugins = {pluginOf("audio.transcribe", 0.35)};
    devices[3].plugins = {pluginOf("audio.transcribe", 0.35), pluginOf("text.format", 1e-6)};
  }
  const std::string& nameAt(const Plan& plan, size_t stage) {
    for (auto& device: devices) {
      if (device.id == plan.stages[stage].device) return device.name;
    }
    KJ_FAIL_ASSERT("no such device");
  }
};

TEST_CASE("the dictation spreads over the devices that can do its stages") {
  Home home;
  auto made = plan(home.input).value();
  REQUIRE(home.nameAt(made, 0) == "watch");
  REQUIRE(home.nameAt(made, 1) == "phone");
  REQUIRE(home.nameAt(made, 2) == "laptop");
  REQUIRE(home.nameAt(made, 3) == "gpubox");
  REQUIRE(home.nameAt(made, 4) == "watch");
}

TEST_CASE("of two devices of one speed the modest one recognises, however noisy the measurement") {
  auto noise = GENERATE(0.5, 0.8, 1.0, 1.5);
  Home home;
  home.devices[2].plugins[0].perUnitS *= noise;
  REQUIRE(home.nameAt(plan(home.input).value(), 2) == "laptop");
}

TEST_CASE("a box that is eight times as fast recognises all the same") {
  Home home;
  home.devices[3].plugins[0].perUnitS = 0.35 / 12;
  REQUIRE(home.nameAt(plan(home.input).value(), 2) == "gpubox");
}

TEST_CASE("a stage without a device is refused by name") {
  Home home;
  home.devices.erase(home.devices.begin() + 1);
  auto refusal = plan(home.input).error();
  REQUIRE(refusal.stage == 1);
  REQUIRE(refusal.because == "vad: no device that can be reached has a plugin for audio.vad");
}

TEST_CASE("stages that are kept stay where they are") {
  Home home;
  home.input.keep[2] = home.devices[3].id;
  REQUIRE(home.nameAt(plan(home.input).value(), 2) == "gpubox");
}

TEST_CASE("an excluded pair is not used") {
  Home home;
  home.input.excluded.insert({2, home.devices[2].id});
  auto made = plan(home.input).value();
  REQUIRE(home.nameAt(made, 2) == "gpubox");
}

TEST_CASE("every device has a reason for every stage, the chosen one first") {
  Home home;
  auto made = plan(home.input).value();
  for (auto& stage: made.stages) {
    REQUIRE(stage.candidates.size() == home.devices.size());
    REQUIRE(stage.candidates[0].chosen);
    for (auto& candidate: stage.candidates) REQUIRE_FALSE(candidate.reason.empty());
  }
  REQUIRE(made.stages[2].candidates[1].reason == "no plugin for audio.transcribe");
}

TEST_CASE("a plugin that does not fit into a device's memory is not placed there") {
  Home home;
  home.devices[2].memoryBytes = 100;
  home.devices[2].plugins[0].memoryBytes = 200;
  REQUIRE(home.nameAt(plan(home.input).value(), 2) == "gpubox");
}

TEST_CASE("a slow link is avoided") {
  Home home;
  home.links[{home.devices[1].id, home.devices[2].id}] = {0.01, 1000};
  REQUIRE(home.nameAt(plan(home.input).value(), 2) == "gpubox");
}

TEST_CASE("a microphone that is not there is refused by name") {
  Home home;
  home.input.sourceIsRecording = false;
  REQUIRE(plan(home.input).error().because ==
      "mic: the device has no microphone, or cannot be reached");
}

std::string errorOf(const char* toml) {
  auto workload = parseWorkload(toml);
  return workload ? "" : workload.error();
}

TEST_CASE("a workload that is wrong is refused in one line that names the stage") {
  REQUIRE(errorOf("nonsense").starts_with("there is no workload 'nonsense'"));
  REQUIRE(errorOf("x = [").starts_with("line 1: "));
  REQUIRE(errorOf("[[stage]]\nname='a'\ntask='audio.vad'\nfrom='b'\n[[stage]]\nname='b'\n"
                  "task='audio.vad'\nfrom='a'") == "a: its inputs go round in a circle");
  REQUIRE(errorOf("[[stage]]\nname='a'\nsource='microphone'\n[[stage]]\nname='t'\nsink='text'\n"
                  "from='a'") == "t: takes text, but a gives audio/pcm");
  REQUIRE(errorOf("[[stage]]\nname='a'\ntask='magic'\n") == "a: the task 'magic' is not known");
  REQUIRE(errorOf("[[stage]]\nname='a'\nsink='text'\nfrom='z'") ==
      "a: there is no stage 'z' to take from");
  REQUIRE(errorOf("[[stage]]\nname='a'\ntask='audio.vad'\nsink='text'") ==
      "a: needs one of task, source and sink");
  REQUIRE(errorOf("[[stage]]\nname='a'\nsource='microphone'") == "a workload has exactly one sink");
  REQUIRE(errorOf("[[stage]]\nname='A B'") ==
      "a stage has no name of small letters, digits, '.', '-' and '_'");
}

TEST_CASE("facts cross a link unchanged") {
  Home home;
  home.devices[3].sensors = {"microphone"};
  home.devices[3].addresses = {"10.0.0.4:7000"};
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<rpc::DeviceFacts>();
  write(home.devices[3], builder);
  REQUIRE(readFacts(builder.asReader()).value() == home.devices[3]);
}

TEST_CASE("facts that no device has are refused") {
  Home home;
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<rpc::DeviceFacts>();
  auto refused = [&](auto&& change) {
    write(home.devices[2], builder);
    change();
    return !readFacts(builder.asReader()).has_value();
  };
  REQUIRE_FALSE(refused([]() {}));
  REQUIRE(refused([&]() { builder.setActiveW(NAN); }));
  REQUIRE(refused([&]() { builder.setQueueS(-1); }));
  REQUIRE(refused([&]() { builder.setName("\x1b[2J"); }));
  REQUIRE(refused([&]() { builder.setName("\u009b2J"); }));  // the same in one character
  REQUIRE(refused([&]() { builder.setId(kj::StringPtr("short").asBytes()); }));
  REQUIRE(refused([&]() { builder.initPlugins(DeviceFacts::PLUGINS_MAX + 1); }));
}

}  // namespace
}  // namespace hearth::router
