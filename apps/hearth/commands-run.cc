// run, dictate, pair, relay: what changes something, through the daemon.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/pending.h"
#include "apps/hearth/pictures.h"
#include "apps/hearth/qr-image.h"

#include <kj/debug.h>
#include <kj/filesystem.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

namespace hearth::cli {

namespace {

using nlohmann::json;

constexpr size_t WORKLOAD_BYTES_MAX = 256 << 10;

// Where text goes: the terminal, a file, or one JSON object a piece.
class Sink final: public local::TextSink::Server {
 public:
  Sink(std::ostream& out, bool asJson, kj::Own<kj::PromiseFulfiller<Failure>> over)
      : out(out),
        asJson(asJson),
        over(kj::mv(over)) {}

  kj::Promise<void> text(TextContext context) override {
    auto piece = context.getParams().getPiece();
    if (asJson) {
      printJson({{"seq", piece.getSeq()}, {"text", piece.getText().cStr()},
          {"pts_us", piece.getPtsUs()}, {"latency_ms", piece.getLatencyMs()}});
    } else {
      out << (piece.getSeq() > 1 ? " " : "") << piece.getText().cStr() << std::flush;
    }
    KJ_REQUIRE(out.good(), "the output cannot be written");  // not committed then
    return kj::READY_NOW;
  }

  kj::Promise<void> ended(EndedContext context) override {
    auto end = context.getParams().getEnd();
    if (!asJson) out << std::endl;
    over->fulfill(end.getOk() ? Failure{DONE, ""} : Failure{FAILED, end.getMessage().cStr()});
    return kj::READY_NOW;
  }

 private:
  std::ostream& out;
  bool asJson;
  kj::Own<kj::PromiseFulfiller<Failure>> over;
};

// What happens to the job goes to standard error, so that text can be piped.
class Watch final: public local::JobWatch::Server {
 public:
  Watch(bool asJson, bool showsLevels): asJson(asJson), showsLevels(showsLevels) {}
  ~Watch() noexcept(false) { clearLevel(); }

  kj::Promise<void> event(EventContext context) override {
    auto event = context.getParams().getEvent();
    clearLevel();
    if (asJson) {
      printJson({{"event", event.getKind().cStr()}, {"at_ms", event.getAtMs()},
          {"stage", event.getStage().cStr()}, {"device", event.getDevice().cStr()},
          {"attempt", event.getAttempt()}, {"message", event.getMessage().cStr()}});
    } else if (event.getMessage().size() > 0 && event.getKind() != "ended") {
      std::cerr << "[" << event.getKind().cStr() << " " << event.getStage().cStr() << "] "
                << event.getMessage().cStr() << std::endl;
    }
    return kj::READY_NOW;
  }

  // One line that stays where it is: who speaks sees that the microphone hears.
  kj::Promise<void> level(LevelContext context) override {
    constexpr int BARS = 24, QUIETEST_DB = 60;
    auto below = context.getParams().getLevel().getDbBelowFull();
    if (!showsLevels) return kj::READY_NOW;
    auto bars = kj::max(0, QUIETEST_DB - below) * BARS / QUIETEST_DB;
    std::cerr << "\r[" << std::string(static_cast<size_t>(bars), '=')
              << std::string(static_cast<size_t>(BARS - bars), ' ') << "] -" << int{below}
              << " dB \x1b[K" << std::flush;
    levelShown = true;
    return kj::READY_NOW;
  }

 private:
  bool asJson;
  bool showsLevels;
  bool levelShown = false;

  void clearLevel() {
    if (levelShown) std::cerr << "\r\x1b[K" << std::flush;
    levelShown = false;
  }
};

std::pair<std::string, std::string> splitPort(const std::string& argument) {
  auto cut = argument.find('=');
  if (cut == std::string::npos || cut == 0 || cut + 1 == argument.size())
    throw Failure{USAGE, "'" + argument + "' is no port=FILE; see hearth run --help"};
  return {argument.substr(0, cut), argument.substr(cut + 1)};
}

kj::Array<kj::byte> readFile(const std::string& path) {
  auto disk = kj::newDiskFilesystem();
  auto file = disk->getRoot().tryOpenFile(disk->getCurrentPath().evalNative(path.c_str()));
  KJ_IF_MAYBE(open, file) {
    if ((*open)->stat().type == kj::FsNode::Type::FILE) return (*open)->readAllBytes();
    throw Failure{FAILED, path + " is no file: check the name"};
  }
  throw Failure{FAILED, path + " cannot be opened: check the name"};
}

// A built-in name, or the text of a .toml file.
std::string workloadText(const std::string& given) {
  if (!given.ends_with(".toml")) return given;
  auto bytes = readFile(given);
  if (bytes.size() > WORKLOAD_BYTES_MAX) throw Failure{FAILED, given + " is too large"};
  return {bytes.asChars().begin(), bytes.size()};
}

void writeOrder(local::JobOrder::Builder order, const RunOptions& options) {
  order.setWorkload(workloadText(options.workload).c_str());
  order.setFrom(options.from.c_str());
  std::vector<std::pair<std::string, std::string>> files;
  for (auto& argument: options.in) {
    auto port = splitPort(argument);
    if (port.second != "sensor") files.push_back(port);
  }
  auto inputs = order.initInputs(static_cast<kj::uint>(files.size()));
  for (kj::uint i = 0; i < files.size(); ++i) {
    inputs[i].setPort(files[i].first.c_str());
    inputs[i].setWav(readFile(files[i].second));
    inputs[i].setPace(true);
  }
}

class AskOnTerminal final: public local::Confirm::Server {
 public:
  AskOnTerminal(bool yes, bool asJson): yes(yes), asJson(asJson) {}

  kj::Promise<void> confirm(ConfirmContext context) override {
    auto device = context.getParams().getDevice();
    bool agreed = yes;
    if (!agreed) {
      std::cerr << "Bring " << device.getName().cStr() << " " << device.getId().cStr() << " in as "
                << device.getRole().cStr() << "? [y/N] " << std::flush;
      std::string answer;
      agreed = std::getline(std::cin, answer) && (answer == "y" || answer == "yes");
    }
    context.getResults().setYes(agreed);
    return kj::READY_NOW;
  }

  // --yes does not answer this one: only eyes can.
  kj::Promise<void> compare(CompareContext context) override {
    std::vector<ShownPicture> pictures;
    for (auto picture: context.getParams().getPictures())
      pictures.push_back({picture.getName().cStr(), picture.getCodePoint()});
    context.getResults().setSame(
        askWhetherSame(pictures, context.getParams().getDigits().cStr(), asJson));
    return kj::READY_NOW;
  }

  kj::Promise<void> waits(WaitsContext context) override {
    auto pending = context.getParams().getPending();
    if (asJson) {
      printJson({{"event", "approval"}, {"waits", toJson(pending)}});
    } else {
      std::cerr << lineOf(pending) << "\nThe new device waits, and this command with it."
                << std::endl;
    }
    return kj::READY_NOW;
  }

 private:
  bool yes;
  bool asJson;
};

}  // namespace

int run(const Common& common, const RunOptions& options) {
  std::ofstream file;
  for (auto& argument: options.out) {
    auto port = splitPort(argument);
    if (port.second == "-") continue;
    file.open(port.second);
    if (!file) throw Failure{FAILED, port.second + " cannot be written"};
  }
  Client client(common.home.c_str());
  auto paf = kj::newPromiseAndFulfiller<Failure>();
  auto request = client.daemon().runRequest();
  writeOrder(request.initOrder(), options);
  request.setSink(kj::heap<Sink>(file.is_open() ? static_cast<std::ostream&>(file) : std::cout,
      common.json, kj::mv(paf.fulfiller)));
  // Not where text runs to the same terminal: it would be written over.
  bool showsLevels =
      !common.json && isatty(STDERR_FILENO) == 1 && (file.is_open() || isatty(STDOUT_FILENO) == 0);
  request.getOrder().setLevels(showsLevels);
  request.setWatch(kj::heap<Watch>(common.json, showsLevels));
  auto job = request.send().wait(client.waitScope()).getJob();
  auto gone =
      client.onDisconnect().then([]() { return Failure{UNREACHABLE, "the daemon went away"}; });
  auto interrupted = client.onInterrupt().then([&job]() {
    return job.cancelRequest().send().then([](auto&&) { return Failure{FAILED, "cancelled"}; });
  });
  auto end = paf.promise.exclusiveJoin(kj::mv(gone))
                 .exclusiveJoin(kj::mv(interrupted))
                 .wait(client.waitScope());
  if (end.code != DONE) throw end;
  return DONE;
}

namespace {

// Where the only device waits that is advertised on this network. Several are for people to tell apart:
// a code that is tried at the wrong one is a wrong guess there, and here.
std::string onlyPlaceWaiting(Client& client) {
  auto response = client.daemon().waitingRequest().send().wait(client.waitScope());
  std::string all;
  for (auto place: response.getPlaces())
    all += (all.empty() ? "" : ", ") + std::string(place.cStr());
  auto count = response.getPlaces().size();
  if (count == 0)
    throw Failure{FAILED,
        "no device that shows a code was found on this network: say where it waits with --at "
        "HOST:PORT, as it shows"};
  if (count > 1)
    throw Failure{FAILED, "several devices show a code: say which one with --at, one of " + all};
  return all;
}

}  // namespace

int pair(const Common& common, const PairOptions& options) {
  Client client(common.home.c_str());
  auto request = client.daemon().pairRequest();
  auto code = options.qrPng.empty() ? options.code : readQrPng(options.qrPng);
  request.setCode(code.c_str());
  // A QR code says itself where the device is.
  bool mustLook = options.at.empty() && !code.starts_with("HEARTH");
  request.setAddress(mustLook ? onlyPlaceWaiting(client).c_str() : options.at.c_str());
  request.setRole(choose<local::Role>(options.role,
      {{"admin", local::Role::ADMIN}, {"member", local::Role::MEMBER},
          {"vault", local::Role::VAULT}}));
  request.setConfirm(kj::heap<AskOnTerminal>(options.yes, common.json));
  auto response = request.send().wait(client.waitScope());
  auto device = response.getDevice();
  if (common.json) {
    printJson({{"paired", device.getId().cStr()}, {"role", device.getRole().cStr()}});
  } else {
    std::cout << device.getId().cStr() << " is in the circle as " << device.getRole().cStr()
              << "\n";
  }
  return DONE;
}

int relay(const Common& common, const std::string& what, const std::string& place) {
  if ((what == "list") != place.empty())
    throw Failure{USAGE, "hearth relay add|remove HOST:PORT, or hearth relay list"};
  Client client(common.home.c_str());
  auto request = client.daemon().relaysRequest();
  if (what == "add") request.setAdd(place.c_str());
  if (what == "remove") request.setRemove(place.c_str());
  auto response = request.send().wait(client.waitScope());
  for (auto relay: response.getRelays()) {
    if (common.json) {
      printJson({{"relay", relay.getAddress().cStr()}, {"waiting", relay.getWaiting()}});
    } else {
      std::cout << relay.getAddress().cStr()
                << (relay.getWaiting() ? ": can be called there" : ": not connected yet") << "\n";
    }
  }
  return DONE;
}

}  // namespace hearth::cli
