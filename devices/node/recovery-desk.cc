#include "devices/node/recovery-desk.h"

#include "crypto/membership/exchange.h"
#include "crypto/pairing/recover.h"

#include <kj/debug.h>

namespace hearth::devices {

kj::Promise<void> RecoveryDesk::answer(
    transport::Carrier& carrier, crypto::Buffer hello, crypto::EphemeralGuard& guard) {
  auto recovery = log.state().recovery;
  KJ_IF_MAYBE(key, recovery) {
    crypto::RecoveryHost machine({*key, identity.keys, identity.bundle}, entropy, guard);
    transport::Record record{crypto::RecordType::PAIR_HELLO, kj::mv(hello)};
    for (;;) {
      auto effects = machine.take(record.type, record.body);
      if (!effects) {
        KJ_LOG(INFO, "a recovery was refused", effects.error().because);
        co_return;
      }
      for (auto& out: effects->send) co_await carrier.write(kj::mv(out));
      if (effects->proved) {
        for (auto& out: machine.give(crypto::encodeLog(log))) co_await carrier.write(kj::mv(out));
      }
      KJ_IF_MAYBE(ops, effects->ops) {
        co_await takeOps(*ops, carrier, machine);
        co_return;
      }
      auto read = co_await carrier.read(crypto::DATA_BYTES_MAX);
      if (!read) co_return;
      record = kj::mv(*read);
    }
  }
}

// The caller hears that its ops are taken when all of them are, and on disk. Those that are in the log
// count, whatever became of the others.
kj::Promise<void> RecoveryDesk::takeOps(
    crypto::Bytes messages, transport::Carrier& carrier, crypto::RecoveryHost& machine) {
  auto before = log.size();
  bool all = takeAll(messages);
  bool onDisk = co_await ledger.kept();
  if (all && onDisk) {
    try {
      for (auto& out: machine.taken()) co_await carrier.write(kj::mv(out));
    } catch (const kj::Exception& e) {
      KJ_LOG(INFO, "who has begun the circle anew did not wait", e.getDescription());
    }
  }
  if (log.size() > before) ledger.grown();
}

bool RecoveryDesk::takeAll(crypto::Bytes messages) {
  auto ops = crypto::decodeLog(messages);
  if (!ops || ops->size() > crypto::RECOVERY_OPS_MAX) return false;
  for (auto& op: *ops) {
    if (auto taken = ledger.take(op); !taken) {
      KJ_LOG(WARNING, "of a new beginning of the circle an op was refused", taken.error().because);
      return false;
    }
  }
  return true;
}

}  // namespace hearth::devices
