#pragma once
// One plugin process behind the Engine interface: carries out what EngineSession decides.

#include "router/engine/protocol/session.h"
#include "router/engine/sandbox-engine-host.h"

#include <deque>

namespace hearth::engine {

class SandboxEngine final: public Engine {
 public:
  // Outputs that wait for read(); past either the plugin is not read from.
  static constexpr size_t OUTPUTS_MAX = 64;
  static constexpr size_t OUTPUT_BYTES_MAX = 8 << 20;
  // Input that waits for the plugin to take it.
  static constexpr size_t INPUT_BYTES_MAX = 1 << 20;
  // How long a killed process may take to be gone before its end is told without a reason.
  static constexpr kj::Duration REAP_MAX = 2 * kj::SECONDS;

  SandboxEngine(SandboxEngineHost& host, const Bundle& bundle, const Quotas& quotas,
      Launched process, kj::Own<kj::AsyncIoStream> stream);
  ~SandboxEngine() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(SandboxEngine);

  // Resolves when the plugin is ready.
  kj::Promise<Result<void>> whenReady();

  kj::Promise<Result<void>> open(EngineJob job) override;
  kj::Promise<Result<void>> write(EngineFrame frame) override;
  kj::Promise<Result<Output>> read() override;
  kj::Promise<Result<void>> close() override;
  kj::Maybe<const Ending&> ending() const override;
  kj::Duration cpuTime() const override;

 private:
  using State = EngineSession::State;
  struct Message {
    kj::Array<const kj::byte> head;
    kj::Array<const kj::byte> payload;
  };

  SandboxEngineHost& host;
  const Bundle& bundle;
  Quotas quotas;
  kj::Maybe<Launched> process;
  kj::Own<kj::AsyncIoStream> stream;
  EngineSession session;

  std::deque<Message> unsent;
  size_t unsentBytes = 0;
  std::deque<Output> outputs;
  size_t outputBytes = 0;
  kj::Maybe<Error> jobError;  // what the plugin has failed the job with
  kj::Maybe<Ending> end;
  kj::Duration cpuAtEnd = 0 * kj::SECONDS;
  bool pumping = false;
  bool watching = false;
  bool paused = false;  // outputs are full: the plugin is not read from
  kj::Vector<kj::Own<kj::PromiseFulfiller<void>>> waiters;
  kj::Promise<void> receiver;
  kj::Promise<void> pump;
  kj::Promise<void> watch;

  // Resolves at the next change of anything above.
  kj::Promise<void> changed();
  void wake();

  void send(kj::Array<const kj::byte> head, kj::Array<const kj::byte> payload = nullptr);
  kj::Promise<void> pumpUnsent();
  kj::Promise<void> receive();
  kj::Promise<Result<void>> receiveOne();
  void take(PluginMessage&& message);
  void keepWatch();
  kj::Promise<void> watchDeadline();

  bool outputsFull() const {
    return outputs.size() >= OUTPUTS_MAX || outputBytes >= OUTPUT_BYTES_MAX;
  }
  // The error that stands in the way of going on with the job, if any.
  kj::Maybe<Error> trouble() const;
  void finish(Error error, kj::StringPtr how);
  kj::Promise<void> explainEnd();
};

}  // namespace hearth::engine
