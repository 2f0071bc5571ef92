#include "router/engine/sandbox-engine.h"

#include <kj/debug.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <sys/wait.h>

namespace hearth::engine {

namespace {

EngineSession::Limits limitsOf(const Quotas& quotas) {
  return {std::min<size_t>(size_t{quotas.outputKib} << 10, ENGINE_BODY_BYTES_MAX),
      quotas.wallS * kj::SECONDS};
}

// What the end of a process means.
Error errorOf(const Launched::Exit& exit, const Quotas& quotas) {
  if (!WIFSIGNALED(exit.status)) {
    return {Errc::INTEGRITY_FAILED, "the plugin ended by itself"};
  }
  int signal = WTERMSIG(exit.status);
  if (signal == SIGSYS) {
    return {Errc::POLICY_DENIED, "the plugin made a system call that plugins may not make"};
  }
  bool cpuSpent = exit.cpuTime + 1 * kj::SECONDS > quotas.cpuS * kj::SECONDS;
  if (signal == SIGXCPU || (signal == SIGKILL && cpuSpent)) {
    return {Errc::QUOTA_EXCEEDED, "the plugin has used up its CPU time"};
  }
  if (signal == SIGKILL) {
    return {Errc::LIMIT_EXCEEDED, "the plugin was killed, for want of memory perhaps"};
  }
  return {Errc::INTEGRITY_FAILED, "the plugin crashed"};
}

kj::String describe(const Launched::Exit& exit) {
  if (!WIFSIGNALED(exit.status)) return kj::str("exit status ", WEXITSTATUS(exit.status));
  return kj::str("signal ", WTERMSIG(exit.status), " (", strsignal(WTERMSIG(exit.status)), ")");
}

}  // namespace

SandboxEngine::SandboxEngine(SandboxEngineHost& host, const Bundle& bundle, const Quotas& quotas,
    Launched process, kj::Own<kj::AsyncIoStream> stream)
    : host(host),
      bundle(bundle),
      quotas(quotas),
      process(kj::mv(process)),
      stream(kj::mv(stream)),
      session(limitsOf(quotas), host.timer.now()),
      receiver(nullptr),
      pump(nullptr),
      watch(nullptr) {
  receiver = receive().eagerlyEvaluate([this](kj::Exception&& exception) {
    // Our own end of the socket is broken: not the plugin's doing, and the instance's end.
    finish({Errc::INTEGRITY_FAILED, "the connection with the plugin broke"},
        exception.getDescription());
  });
  keepWatch();
}

SandboxEngine::~SandboxEngine() noexcept(false) {
  KJ_IF_MAYBE(running, process) host.bury(kj::mv(*running));
}

kj::Promise<Result<void>> SandboxEngine::whenReady() {
  while (session.state() == State::STARTING) {
    KJ_IF_MAYBE(error, trouble()) co_return no(*error);
    co_await changed();
  }
  co_return Result<void>();
}

kj::Promise<Result<void>> SandboxEngine::open(EngineJob job) {
  KJ_IF_MAYBE(ended, end) co_return no(ended->error);
  KJ_REQUIRE(session.state() == State::IDLE, "one job at a time");
  auto& seqs = job.nextInSeq;
  if (seqs.empty() || seqs.size() > ENGINE_INPUTS_MAX ||
      std::ranges::find(seqs, 0u) != seqs.end() || job.task.size() > ENGINE_NAME_BYTES_MAX ||
      job.params.size() > ENGINE_PARAMS_BYTES_MAX || job.state.size() > ENGINE_STATE_BYTES_MAX) {
    co_return no(Errc::BAD_FORMAT, "a job that no plugin could be opened with");
  }
  jobError = nullptr;
  outputs.clear();
  outputBytes = 0;
  send(session.open(job, host.timer.now()));
  while (session.state() == State::OPENING) {
    KJ_IF_MAYBE(error, trouble()) co_return no(*error);
    co_await changed();
  }
  KJ_IF_MAYBE(error, trouble()) co_return no(*error);
  co_return Result<void>();
}

kj::Promise<Result<void>> SandboxEngine::write(EngineFrame frame) {
  while (true) {
    KJ_IF_MAYBE(error, trouble()) co_return no(*error);
    if (session.state() != State::OPEN) co_return no(Errc::STALE, "the job is closed");
    if (session.mayWrite() && unsentBytes < INPUT_BYTES_MAX) break;
    co_await changed();
  }
  auto head = session.frame(frame, host.timer.now());
  send(kj::mv(head), kj::mv(frame.payload));
  while (unsentBytes >= INPUT_BYTES_MAX && trouble() == nullptr) co_await changed();
  co_return Result<void>();
}

kj::Promise<Result<Engine::Output>> SandboxEngine::read() {
  while (outputs.empty()) {
    KJ_IF_MAYBE(error, trouble()) co_return no(*error);
    if (session.state() == State::IDLE || session.state() == State::CLOSING) {
      co_return no(Errc::STALE, "the job is closed");
    }
    co_await changed();
  }
  auto output = kj::mv(outputs.front());
  outputs.pop_front();
  outputBytes -= output.frame.payload.size();
  if (paused) wake();
  co_return kj::mv(output);
}

kj::Promise<Result<void>> SandboxEngine::close() {
  bool open = session.state() != State::STARTING && session.state() != State::IDLE;
  if (open && session.state() != State::CLOSING && end == nullptr) {
    outputs.clear();
    outputBytes = 0;
    send(session.close(host.timer.now()));
    wake();
  }
  while (session.state() == State::CLOSING && end == nullptr) co_await changed();
  KJ_IF_MAYBE(ended, end) co_return no(ended->error);
  co_return Result<void>();
}

kj::Maybe<const Engine::Ending&> SandboxEngine::ending() const {
  KJ_IF_MAYBE(ended, end) return *ended;
  return nullptr;
}

kj::Duration SandboxEngine::cpuTime() const {
  KJ_IF_MAYBE(running, process) return running->cpuTime().orDefault(cpuAtEnd);
  return cpuAtEnd;
}

kj::Promise<void> SandboxEngine::changed() {
  auto paf = kj::newPromiseAndFulfiller<void>();
  waiters.add(kj::mv(paf.fulfiller));
  return kj::mv(paf.promise);
}

void SandboxEngine::wake() {
  auto waiting = kj::mv(waiters);
  for (auto& waiter: waiting) waiter->fulfill();
}

void SandboxEngine::send(kj::Array<const kj::byte> head, kj::Array<const kj::byte> payload) {
  unsentBytes += head.size() + payload.size();
  unsent.push_back({kj::mv(head), kj::mv(payload)});
  keepWatch();
  if (pumping) return;
  pumping = true;
  pump = pumpUnsent().eagerlyEvaluate([this](kj::Exception&&) {
    // The plugin has gone; the receiver sees it too and knows why.
    pumping = false;
  });
}

// Owned by the engine and not by whoever writes, so that nobody's cancellation tears a message.
kj::Promise<void> SandboxEngine::pumpUnsent() {
  while (!unsent.empty()) {
    auto message = kj::mv(unsent.front());
    unsent.pop_front();
    kj::ArrayPtr<const kj::byte> pieces[2] = {message.head, message.payload};
    co_await stream->write(kj::arrayPtr(pieces, message.payload.size() > 0 ? 2 : 1));
    unsentBytes -= message.head.size() + message.payload.size();
    wake();
  }
  pumping = false;
}

kj::Promise<void> SandboxEngine::receive() {
  while (true) {
    while (outputsFull()) {
      paused = true;
      co_await changed();
    }
    if (paused) {
      paused = false;
      session.resumedReading(host.timer.now());
      keepWatch();
    }
    auto one = co_await receiveOne();
    if (!one) {
      finish(one.error(), "killed");
      co_return;
    }
    if (end != nullptr) co_return;
  }
}

kj::Promise<Result<void>> SandboxEngine::receiveOne() {
  kj::byte bytes[ENGINE_HEADER_BYTES];
  if (co_await stream->tryRead(bytes, sizeof(bytes), sizeof(bytes)) < sizeof(bytes)) {
    co_await explainEnd();
    co_return Result<void>();
  }
  auto header = parseHeader(bytes);
  if (auto good = session.accepts(header); !good) co_return no(good.error());
  auto body = kj::heapArray<kj::byte>(header.length);
  if (body.size() > 0 &&
      co_await stream->tryRead(body.begin(), body.size(), body.size()) < body.size()) {
    co_await explainEnd();
    co_return Result<void>();
  }
  auto message = session.received(header, body, host.timer.now());
  if (!message) co_return no(message.error());
  KJ_IF_MAYBE(meant, *message) take(kj::mv(*meant));
  keepWatch();
  wake();
  co_return Result<void>();
}

void SandboxEngine::take(PluginMessage&& message) {
  KJ_SWITCH_ONEOF(message) {
    KJ_CASE_ONEOF(out, OutMessage) {
      if (session.state() == State::CLOSING) return;
      outputBytes += out.frame.payload.size();
      outputs.push_back({kj::mv(out.frame), kj::mv(out.cut)});
    }
    KJ_CASE_ONEOF(failed, FailedMessage) {
      if (session.state() == State::STARTING) {
        finish({failed.errc, "the plugin could not load"}, failed.text.c_str());
      } else {
        jobError = Error{failed.errc, "the plugin refuses the job or its input"};
      }
    }
    KJ_CASE_ONEOF_DEFAULT {}
  }
}

void SandboxEngine::keepWatch() {
  if (watching || session.deadline() == nullptr) return;
  watching = true;
  watch = watchDeadline().eagerlyEvaluate(nullptr);
}

kj::Promise<void> SandboxEngine::watchDeadline() {
  while (end == nullptr) {
    KJ_IF_MAYBE(deadline, session.deadline()) {
      if (host.timer.now() < *deadline) {
        co_await host.timer.atTime(*deadline);
      } else if (paused) {
        co_await changed();
      } else {
        finish({Errc::QUOTA_EXCEEDED, "the plugin was silent past its deadline"}, "killed");
      }
    } else {
      break;
    }
  }
  watching = false;
}

kj::Maybe<Error> SandboxEngine::trouble() const {
  KJ_IF_MAYBE(ended, end) return ended->error;
  return jobError;
}

void SandboxEngine::finish(Error error, kj::StringPtr how) {
  if (end != nullptr) return;
  kj::String log;
  KJ_IF_MAYBE(running, process) {
    cpuAtEnd = running->cpuTime().orDefault(cpuAtEnd);
    running->kill();
    log = running->takeLog();
    host.bury(kj::mv(*running));
    process = nullptr;
  }
  end = Ending{error,
      kj::str(bundle.manifest().name.c_str(), ": ", error.because, " (", how, ")",
          log.size() > 0 ? ": " : "", log)};
  wake();
}

// The plugin's end of the socket is closed: it is dead or as good as dead. Waits for the system to
// say how it went.
kj::Promise<void> SandboxEngine::explainEnd() {
  auto until = host.timer.now() + REAP_MAX;
  auto pause = 1 * kj::MILLISECONDS;
  KJ_IF_MAYBE(running, process) {
    KJ_IF_MAYBE(step, running->failedStep()) {
      finish(engine::errorOf(*step), kj::str(strerror(step->error)));
      co_return;
    }
    running->kill();  // one that has only closed the socket; changes nothing for one that is dying
    while (host.timer.now() < until && end == nullptr) {
      KJ_IF_MAYBE(exit, running->tryReap()) {
        cpuAtEnd = exit->cpuTime;
        finish(errorOf(*exit, quotas), describe(*exit));
        co_return;
      }
      co_await host.timer.afterDelay(pause);
      pause = pause * 2;
    }
  }
  finish({Errc::INTEGRITY_FAILED, "the plugin is gone"}, "it has not been reaped yet");
}

}  // namespace hearth::engine
