#pragma once
// What the engine's tests share: the test plugins (tests/router/plugins), staged by the build, and a
// real host on the real loop.

#include "router/engine/sandbox-engine-host.h"
#include "transport/wire/uv-stream.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::engine {

inline kj::Own<const kj::ReadableDirectory> pluginDirectory(kj::StringPtr name) {
  auto disk = kj::newDiskFilesystem();
  return disk->getRoot().openSubdir(
      kj::Path(nullptr).evalNative(kj::str(HEARTH_TEST_PLUGINS, "/", name)));
}

inline kj::Own<Bundle> pluginBundle(kj::StringPtr name) {
  auto bundle = Bundle::openDirectory(pluginDirectory(name));
  if (!bundle) FAIL(bundle.error().because.cStr());
  return kj::mv(*bundle);
}

struct RealHost {
  UvLoop uv;
  SandboxEngineHost host{uv.timer(), [this](kj::AutoCloseFd fd) -> kj::Own<kj::AsyncIoStream> {
                           return kj::heap<transport::UvStream>(uv.port, kj::mv(fd));
                         }};

  template <typename T>
  T wait(kj::Promise<T> promise) {
    return promise.wait(uv.waitScope);
  }

  kj::Own<Engine> start(const Bundle& bundle) {
    auto engine = wait(host.start(bundle, {}));
    if (!engine) FAIL(engine.error().because.cStr());
    return kj::mv(*engine);
  }
};

// Whether it went well; says on the test's output why not.
template <typename T>
bool went(const Result<T>& result) {
  if (!result) UNSCOPED_INFO(result.error().because.cStr());
  return result.has_value();
}

inline EngineJob jobOf(kj::StringPtr task) { return {.task = task.cStr()}; }

inline EngineFrame frameOf(uint64_t seq, kj::StringPtr text, uint8_t flags = 0) {
  return {
      .flags = flags, .seq = seq, .ptsUs = seq * 1'000, .payload = kj::heapArray(text.asBytes())};
}

inline kj::String textOf(const Engine::Output& output) {
  return kj::heapString(output.frame.payload.asChars());
}

// Every test that starts a process needs what the sandbox needs; there is no other way to run one.
inline void needSandbox() {
  if (landlockAbi() < LANDLOCK_ABI_MIN) SKIP("this kernel has no Landlock of ABI 6 or newer");
}

}  // namespace hearth::engine
