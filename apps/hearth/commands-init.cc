// init: a new circle. No daemon runs yet, so it opens the home itself.

#include "apps/hearth/commands.h"
#include "apps/hearth/newcomer.h"
#include "apps/hearth/recovery-words.h"
#include "crypto/identity/display.h"
#include "devices/node/circle-keeper.h"

#include <kj/debug.h>

#include <iostream>
#include <nlohmann/json.hpp>

namespace hearth::cli {

int init(const Common& common, const InitOptions& options) {
  // Who has the words written to a file is a script: it is asked nothing.
  bool offers = options.recoveryOut.empty() && !common.json;
  apps::Home home(common.home.c_str(), {options.passphraseFile, offers});
  UvLoop uv;
  auto [settings, identity, store] =
      openNewcomer(home, uv, {options.name, options.deviceClass, options.listen});
  auto seed = makeRecoverySeed(options.recoveryOut, home.entropy());
  apps::writeSettings(*store, settings).wait(uv.waitScope);
  devices::StoredCircle::found(crypto::RecoveryKeys::fromSeed(seed), identity, *store,
      kj::systemPreciseCalendarClock(), home.entropy())
      .wait(uv.waitScope);
  auto id = crypto::display(identity.keys.id);
  if (common.json) {
    printJson({{"device_id", id.cStr()}, {"name", settings.name}});
  } else {
    std::cout << settings.name << " is the first device of a new circle:\n  " << id.cStr()
              << "\nStart it with hearthd; bring others in with hearth join --code there.\n";
  }
  return DONE;
}

}  // namespace hearth::cli
