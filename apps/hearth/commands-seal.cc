// seal: how this device's keys are protected on its disk. No daemon may run, as it opens the home.

#include "apps/hearth/commands.h"
#include "apps/home/home.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace hearth::cli {

int seal(const Common& common, const SealOptions& options) {
  using devices::RootSeal;
  apps::Home home(common.home.c_str(), {options.passphraseFile, true});
  if (home.loadIdentity() == nullptr)
    throw Failure{FAILED, "this device has no keys yet: run hearth init, or hearth join"};
  auto done = home.keys().reseal(options.none ? RootSeal::NONE
          : options.tpm                       ? RootSeal::TPM
                                              : RootSeal::PASSPHRASE);
  if (!done) throw failureOf(done.error());
  auto words = home.keys().describe();
  if (common.json) {
    printJson({{"key_store", words.cStr()}});
  } else {
    std::cout << "This device's keys: " << words.cStr() << "\n";
  }
  return DONE;
}

}  // namespace hearth::cli
