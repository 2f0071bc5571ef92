// join: a new device shows what proves it, and waits to be brought into a circle. No daemon runs yet,
// so it opens the home itself.

#include "apps/hearth/commands.h"
#include "apps/hearth/newcomer.h"
#include "apps/hearth/pictures.h"
#include "apps/hearth/qr-image.h"
#include "crypto/identity/beacon.h"
#include "crypto/identity/display.h"
#include "devices/node/joining.h"
#include "transport/discovery/avahi-link.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>

#include <arpa/inet.h>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace hearth::cli {

namespace {

using nlohmann::json;

// "HOST:PORT" as a QR code has it; a name is of no use there.
kj::Maybe<crypto::QrHint> hintOf(const std::string& address) {
  auto cut = address.rfind(':');
  auto host = address.substr(0, cut);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  crypto::QrHint hint{.port = static_cast<uint16_t>(std::stoul(address.substr(cut + 1)))};
  kj::byte bytes[sizeof(in6_addr)];
  if (inet_pton(AF_INET, host.c_str(), bytes) == 1) {
    hint.address.addAll(kj::arrayPtr(bytes, sizeof(in_addr)));
  } else if (inet_pton(AF_INET6, host.c_str(), bytes) == 1) {
    hint.address.addAll(kj::arrayPtr(bytes, sizeof(in6_addr)));
  } else {
    return nullptr;
  }
  return kj::mv(hint);
}

kj::Vector<crypto::QrHint> qrHints(const std::vector<std::string>& addresses) {
  kj::Vector<crypto::QrHint> hints;
  for (auto& address: addresses) {
    KJ_IF_MAYBE(hint, hintOf(address)) {
      if (hints.size() < crypto::QR_HINTS_MAX) hints.add(kj::mv(*hint));
    }
  }
  return hints;
}

// The user of this device, at a terminal or behind a script.
class PersonHere final: public devices::JoiningPerson {
 public:
  PersonHere(const Common& common, const JoinOptions& options, const crypto::Bundle& bundle,
      std::vector<std::string> addresses, Entropy& entropy)
      : common(common),
        options(options),
        bundle(bundle),
        addresses(kj::mv(addresses)),
        entropy(entropy) {
    if (options.method == "code") means.emplace(crypto::PairingCode::draw(entropy));
    if (options.method == "sas") means.emplace(crypto::SasComparison());
  }

  const crypto::PairingMeans& show() override {
    if (options.method == "qr") means.emplace(crypto::QrProof::draw(bundle, entropy));
    auto& shown = KJ_ASSERT_NONNULL(means);
    if (options.method == "qr") {
      showQr(std::get<crypto::QrProof>(shown));
    } else if (!told) {
      options.method == "code" ? showCode(std::get<crypto::PairingCode>(shown)) : askForPictures();
    }
    told = true;
    return shown;
  }

  kj::Promise<bool> compare(const crypto::Sas& sas) override {
    std::vector<ShownPicture> pictures;
    for (auto& picture: sas.pictures())
      pictures.push_back({picture.name.cStr(), picture.codePoint});
    return askWhetherSame(pictures, sas.digits().cStr(), common.json);
  }

  void guessed() override {
    std::cerr << "hearth: somebody tried a wrong code, or another screen showed other pictures"
              << std::endl;
  }

  void waits() override {
    if (common.json) {
      printJson({{"event", "approval"}});
    } else {
      std::cout << "The admin brings this device in; another admin has to agree (there: hearth "
                   "pending). Waiting for that."
                << std::endl;
    }
  }

 private:
  const Common& common;
  const JoinOptions& options;
  const crypto::Bundle& bundle;
  std::vector<std::string> addresses;
  Entropy& entropy;
  kj::Maybe<crypto::PairingMeans> means;
  bool told = false;

  void wait(json event, const std::string& arguments) {
    if (common.json) {
      event.update({{"event", "waiting"}, {"method", options.method}, {"addresses", addresses}});
      printJson(event);
      return;
    }
    std::cout << "On a device that is an admin of your circle, run:\n\n";
    std::cout << "  hearth pair " << arguments
              << "\n\nwith, where that does not find this device,\n\n";
    for (auto& address: addresses) std::cout << "  --at " << address << "\n";
    std::cout << "\nWaiting two minutes." << std::endl;
  }

  void showCode(const crypto::PairingCode& code) {
    auto words = code.reveal().asChars();
    std::string text(words.begin(), words.size());
    wait({{"code", text}}, "\"" + text + "\"");
  }

  void askForPictures() { wait(json::object(), "--sas"); }

  void showQr(const crypto::QrProof& proof) {
    auto hints = qrHints(addresses);
    auto text = crypto::qrText(crypto::qrPayload(proof.commitment, proof.secret, hints));
    if (!options.png.empty()) writeQrPng(options.png, text.cStr());
    if (!common.json) std::cout << drawnInTerminal(text.cStr()) << std::flush;
    wait({{"code", text.cStr()}}, "--qr PICTURE.png");
  }
};

// Only while it waits: a random name and the port, no more (SECURITY.md §4).
kj::Maybe<kj::Own<transport::LocalLink>> advertise(
    UvLoop& uv, Entropy& entropy, const std::string& listen, kj::uint port) {
  if (apps::isLoopback(listen)) return nullptr;
  auto opened = transport::openAvahiLink(uv.port, entropy);
  KJ_IF_MAYBE(link, opened) {
    auto name = crypto::base32(entropy.draw<crypto::Beacon>().asBytes());
    (*link)->advertise(
        transport::LocalLink::Service::PAIRING, name.cStr(), static_cast<uint16_t>(port));
  }
  return opened;
}

}  // namespace

int join(const Common& common, const JoinOptions& options) {
  bool offers = isatty(STDIN_FILENO) != 0 && !common.json;
  apps::Home home(common.home.c_str(), {options.passphraseFile, offers});
  UvLoop uv;
  auto newcomer = openNewcomer(home, uv, {options.name, options.deviceClass, options.listen});
  transport::UvNetwork network(uv.port);
  auto address = network.parseAddress(newcomer.settings.listen.c_str()).wait(uv.waitScope);
  auto receiver = address->listen();
  PersonHere person(common, options, newcomer.identity.bundle,
      apps::reachableAt(newcomer.settings.listen, receiver->getPort()), home.entropy());
  kj::Maybe<kj::Own<transport::LocalLink>> link;
  if (!options.noDiscovery)
    link = advertise(uv, home.entropy(), newcomer.settings.listen, receiver->getPort());
  auto joined = devices::joinCircle(
      uv.timer(), *receiver, newcomer.identity, *newcomer.store, home.entropy(), person)
                    .wait(uv.waitScope);
  if (!joined) throw failureOf(joined.error());
  apps::writeSettings(*newcomer.store, newcomer.settings).wait(uv.waitScope);
  auto id = crypto::display(newcomer.identity.keys.id);
  if (common.json) {
    printJson({{"event", "joined"}, {"device_id", id.cStr()}, {"name", newcomer.settings.name}});
  } else {
    std::cout << newcomer.settings.name << " is in the circle:\n  " << id.cStr()
              << "\nStart it with hearthd.\n";
  }
  return DONE;
}

}  // namespace hearth::cli
