// recover, recovery shares, recovery check: what the 24 words are for. No daemon runs on a device that
// recovers, so it opens the home itself.

#include "apps/hearth/commands.h"
#include "apps/hearth/newcomer.h"
#include "apps/hearth/recovery-words.h"
#include "crypto/identity/display.h"
#include "crypto/identity/shares.h"
#include "devices/node/recovering.h"
#include "devices/node/rotation.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>

#include <iostream>
#include <nlohmann/json.hpp>

namespace hearth::cli {

namespace {

constexpr kj::Duration CONNECT_WITHIN = 10 * kj::SECONDS;

void recovered(const Common& common, const std::string& name, const DeviceId& id, bool told) {
  auto shown = crypto::display(id);
  if (common.json) {
    printJson({{"device_id", shown.cStr()}, {"name", name}, {"others_told", told}});
    return;
  }
  std::cout << name << " is the only device of your circle now:\n  " << shown.cStr()
            << "\nAll others are out, and the old words are worth nothing. Start it with hearthd; "
               "bring others in anew with hearth join there.\n";
  if (!told)
    std::cout
        << "The device that gave the circle did not hear the end of it: start it while this one "
           "runs, or wipe it.\n";
}

// A device that has nothing.
int recoverAfresh(const Common& common, const RecoverOptions& options) {
  apps::Home home(common.home.c_str(), apps::PassphraseInput(options.passphraseFile, true));
  UvLoop uv;
  auto newcomer = openNewcomer(home, uv, {options.name, options.deviceClass, options.listen});
  auto old = crypto::RecoveryKeys::fromSeed(readRecoverySeed({options.wordsFile, options.shares}));
  auto next = crypto::RecoveryKeys::fromSeed(makeRecoverySeed(options.recoveryOut, home.entropy()));
  transport::UvNetwork network(uv.port);
  auto address = network.parseAddress(options.at.c_str()).wait(uv.waitScope);
  auto stream = uv.timer()
                    .timeoutAfter(CONNECT_WITHIN, address->connect())
                    .catch_([](kj::Exception&&) -> kj::Own<kj::AsyncIoStream> {
                      throw Failure{UNREACHABLE,
                          "nobody answers there: name a device of your circle whose hearthd runs"};
                    })
                    .wait(uv.waitScope);
  apps::writeSettings(*newcomer.store, newcomer.settings).wait(uv.waitScope);
  auto told = devices::recoverFrom(uv.timer(), kj::mv(stream), {old, next}, newcomer.identity,
      *newcomer.store, kj::systemPreciseCalendarClock(), home.entropy())
                  .wait(uv.waitScope);
  if (!told) throw failureOf(told.error());
  recovered(common, newcomer.settings.name, newcomer.identity.keys.id, *told);
  return DONE;
}

// A device whose own log survived, though it has no part in the circle any more, or cannot act in it.
int recoverHereAndNow(const Common& common, const RecoverOptions& options) {
  apps::Home home(common.home.c_str(), apps::PassphraseInput(options.passphraseFile, false));
  UvLoop uv;
  auto loaded = home.loadIdentity();
  auto noCircle =
      Failure{FAILED, "this home has no circle: leave --here out, and say --at HOST:PORT"};
  if (loaded == nullptr) throw noCircle;
  auto identity = kj::mv(KJ_ASSERT_NONNULL(loaded));
  auto store = home.openStore(identity);
  auto stored = devices::StoredCircle::read(*store).wait(uv.waitScope);
  if (!stored) throw failureOf(stored.error());
  if (*stored == nullptr) throw noCircle;
  auto circle = kj::mv(KJ_ASSERT_NONNULL(*stored));
  auto settled = devices::settleIdentity(home.directory(), kj::mv(identity), circle);
  if (!settled) throw failureOf(settled.error());
  auto old = crypto::RecoveryKeys::fromSeed(readRecoverySeed({options.wordsFile, options.shares}));
  auto next = crypto::RecoveryKeys::fromSeed(makeRecoverySeed(options.recoveryOut, home.entropy()));
  auto done = devices::recoverHere(home.directory(), kj::mv(circle), {old, next}, *settled, *store,
      kj::systemPreciseCalendarClock(), home.entropy())
                  .wait(uv.waitScope);
  if (!done) throw failureOf(done.error());
  auto now = home.loadIdentity();
  auto settings = apps::readSettings(*store).wait(uv.waitScope);
  recovered(common, settings.name, KJ_ASSERT_NONNULL(now).keys.id, true);
  return DONE;
}

}  // namespace

int recover(const Common& common, const RecoverOptions& options) {
  if (options.here == !options.at.empty())
    throw Failure{
        USAGE, "say --at HOST:PORT of a device of the circle, or --here where its log is"};
  return options.here ? recoverHereAndNow(common, options) : recoverAfresh(common, options);
}

int recoveryShares(const Common& common, const RecoveryOptions& options) {
  SystemEntropy entropy;
  auto seed = readRecoverySeed({options.wordsFile, {}});
  auto set = entropy.draw<crypto::ShareSetId>();
  auto coefficients = crypto::ShareCoefficients::draw(entropy);
  for (uint8_t i = 1; i <= crypto::SHARE_COUNT; ++i) {
    auto text = shareText(crypto::recoveryShare(seed, set, coefficients, i).reveal(), i);
    if (options.out.empty()) {
      std::cout << text << "\n\n";
    } else {
      auto path = options.out + "/hearth-share-" + std::to_string(i) + ".txt";
      writeNewPrivate(path, kj::StringPtr(text.c_str()).asBytes());
      if (common.json) {
        printJson({{"share", i}, {"file", path}});
      } else {
        std::cout << path << "\n";
      }
    }
  }
  if (!common.json) std::cout << "Any two of the three give the key back. Keep them apart.\n";
  return DONE;
}

int recoveryCheck(const Common& common, const RecoveryOptions& options) {
  auto keys = crypto::RecoveryKeys::fromSeed(readRecoverySeed({options.wordsFile, options.shares}));
  apps::Home home(common.home.c_str(), apps::PassphraseInput(options.passphraseFile, false));
  UvLoop uv;
  std::string line = "the words belong together; this home has no circle to compare them with";
  auto loaded = home.loadIdentity();
  KJ_IF_MAYBE(identity, loaded) {
    auto store = home.openStore(*identity);
    auto stored = devices::StoredCircle::read(*store).wait(uv.waitScope);
    if (!stored) throw failureOf(stored.error());
    KJ_IF_MAYBE(circle, *stored) {
      crypto::MembershipLog log(circle->circle);
      for (auto& op: circle->ops) {
        if (auto taken = log.add(op); !taken) throw failureOf(taken.error());
      }
      auto current = log.state().recovery.map([](auto& key) { return key.id; });
      if (current.orDefault(DeviceId()) != keys.id)
        throw Failure{
            FAILED, "these words were replaced, or are another circle's: find the newest ones"};
      line = "these words bring this circle back";
    }
  }
  if (common.json) {
    printJson({{"good", true}});
  } else {
    std::cout << line << "\n";
  }
  return DONE;
}

}  // namespace hearth::cli
