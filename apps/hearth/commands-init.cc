// init: a new circle. No daemon runs yet, so it opens the home itself.

#include "apps/hearth/commands.h"
#include "apps/hearth/newcomer.h"
#include "crypto/identity/display.h"
#include "devices/node/circle-keeper.h"

#include <kj/debug.h>

#include <fcntl.h>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace hearth::cli {

namespace {

constexpr size_t WORDS_ASKED_BACK = 3;

void writeRecovery(const std::string& path, const crypto::Secret& words) {
  int fd = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) throw Failure{FAILED, path + " is there already or cannot be made: name a new file"};
  kj::AutoCloseFd owned(fd);
  kj::FdOutputStream out(fd);
  out.write(words.reveal().begin(), words.reveal().size());
  out.write("\n", 1);
  if (fsync(fd) != 0) throw Failure{FAILED, path + " could not be written to disk"};
}

std::vector<std::string> splitWords(const crypto::Secret& words) {
  std::istringstream in(std::string(words.reveal().asChars().begin(), words.reveal().size()));
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

// The words are the only copy: a person who cannot give three of them has not written them down.
void showAndAskBack(const crypto::Secret& words, Entropy& entropy) {
  auto all = splitWords(words);
  std::cout << "These 24 words bring your circle back when every device is lost. Write them down; "
               "they are never shown again.\n\n";
  for (size_t i = 0; i < all.size(); ++i)
    std::cout << (i + 1 < 10 ? " " : "") << i + 1 << " " << all[i] << ((i + 1) % 6 ? "\t" : "\n");
  std::set<size_t> asked;
  while (asked.size() < WORDS_ASKED_BACK) asked.insert(entropy.draw<uint32_t>() % all.size());
  for (auto index: asked) {
    std::cout << "\nWord " << index + 1 << ": " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != all[index])
      throw Failure{FAILED, "that is another word; nothing was made: run hearth init again"};
  }
}

}  // namespace

int init(const Common& common, const InitOptions& options) {
  // Who has the words written to a file is a script: it is asked nothing.
  bool offers = options.recoveryOut.empty() && !common.json;
  apps::Home home(common.home.c_str(), {options.passphraseFile, offers});
  UvLoop uv;
  auto [settings, identity, store] =
      openNewcomer(home, uv, {options.name, options.deviceClass, options.listen});
  auto seed = crypto::RecoverySeed::draw(home.entropy());
  auto words = crypto::recoveryWords(seed);
  if (options.recoveryOut.empty()) {
    showAndAskBack(words, home.entropy());
  } else {
    writeRecovery(options.recoveryOut, words);
  }
  apps::writeSettings(*store, settings).wait(uv.waitScope);
  devices::CircleKeeper::found(crypto::RecoveryKeys::fromSeed(seed), identity, *store,
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
