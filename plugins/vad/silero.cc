#include "plugins/vad/silero.h"

#define ORT_API_MANUAL_INIT
#include <algorithm>
#include <array>
#include <dlfcn.h>
#include <onnxruntime_cxx_api.h>
#include <stdexcept>

namespace hearth::vad {

namespace {

constexpr size_t CONTEXT = 64;  // the end of the window before, put in front of each
constexpr std::array<int64_t, 2> INPUT_SHAPE{1, CONTEXT + WINDOW};
constexpr std::array<int64_t, 3> STATE_SHAPE{2, 1, 128};
constexpr size_t STATE_FLOATS = 2 * 128;

void openLibrary(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(std::string("ONNX Runtime: ") + dlerror());
  auto base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(library, "OrtGetApiBase"));
  const OrtApi* api = base ? base()->GetApi(ORT_API_VERSION) : nullptr;
  if (!api)
    throw std::runtime_error("ONNX Runtime: the library does not offer the API of the headers");
  Ort::InitApi(api);
}

Ort::SessionOptions oneThread() {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(1);
  options.SetInterOpNumThreads(1);
  options.SetExecutionMode(ORT_SEQUENTIAL);
  options.AddConfigEntry("session.intra_op.allow_spinning", "0");
  options.AddConfigEntry("session.inter_op.allow_spinning", "0");
  return options;
}

Ort::Env quietEnvironment() {
  Ort::Env environment(ORT_LOGGING_LEVEL_ERROR, "hearth");
  environment.DisableTelemetryEvents();
  return environment;
}

template <typename T, size_t N>
Ort::Value tensor(
    const Ort::MemoryInfo& memory, T* data, size_t count, const std::array<int64_t, N>& shape) {
  return Ort::Value::CreateTensor<T>(memory, data, count, shape.data(), N);
}

}  // namespace

struct Silero::Runtime {
  Ort::Env environment = quietEnvironment();
  Ort::Session session;
  Ort::MemoryInfo memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  std::array<float, CONTEXT + WINDOW> input{};
  std::array<float, STATE_FLOATS> state{};
  std::array<int64_t, 1> rate{static_cast<int64_t>(SAMPLES_PER_SECOND)};

  explicit Runtime(const std::string& modelPath)
      : session(environment, modelPath.c_str(), oneThread()) {}
};

Silero::Silero(const std::string& libraryPath, const std::string& modelPath) {
  openLibrary(libraryPath);
  runtime = std::make_unique<Runtime>(modelPath);
}

Silero::~Silero() = default;

void Silero::reset() {
  runtime->input.fill(0);
  runtime->state.fill(0);
}

float Silero::probability(std::span<const int16_t, WINDOW> samples) {
  auto& [environment, session, memory, input, state, rate] = *runtime;
  std::copy(input.end() - CONTEXT, input.end(), input.begin());
  std::transform(samples.begin(), samples.end(), input.begin() + CONTEXT,
      [](int16_t sample) { return static_cast<float>(sample) / 32768.0f; });
  constexpr std::array<const char*, 3> IN{"input", "state", "sr"};
  constexpr std::array<const char*, 2> OUT{"output", "stateN"};
  std::array<Ort::Value, 3> in{tensor(memory, input.data(), input.size(), INPUT_SHAPE),
      tensor(memory, state.data(), state.size(), STATE_SHAPE),
      tensor(memory, rate.data(), rate.size(), std::array<int64_t, 1>{1})};
  auto out = session.Run(
      Ort::RunOptions(nullptr), IN.data(), in.data(), IN.size(), OUT.data(), OUT.size());
  std::copy_n(out[1].GetTensorData<float>(), STATE_FLOATS, state.begin());
  return *out[0].GetTensorData<float>();
}

}  // namespace hearth::vad
