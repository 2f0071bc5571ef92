// device role, policy, reinstate, remove, leave, rename, pending, approve, refuse: what changes the circle. Some of
// it takes two admins: it waits then until the user of another one has agreed.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/pending.h"
#include "devices/node/proposals.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace hearth::cli {

namespace {

using nlohmann::json;

// Says what has come of a change, or what it waits for. `key`: what scripts look for when it is done.
template <typename Response>
int tell(const Common& common, Response& response, const char* key, const std::string& done) {
  auto device = response.getDevice();
  if (common.json) {
    json value = {{"name", device.getName().cStr()}, {"role", device.getRole().cStr()}};
    if (response.hasWaits()) {
      value["waits"] = toJson(response.getWaits());
      value["device_id"] = device.getId().cStr();
    } else {
      value[key] = device.getId().cStr();
    }
    printJson(value);
  } else if (response.hasWaits()) {
    std::cout << lineOf(response.getWaits()) << "\n";
  } else {
    std::cout << device.getName().cStr() << " " << done << "\n";
  }
  return DONE;
}

std::string articleOf(const std::string& role) {
  return role == "admin" ? "an admin" : "a " + role;
}

// What is asked for under that id, or a beginning of it, as the daemon understands it: what is shown before it is
// signed is what is signed.
local::Pending::Reader pendingMeant(
    capnp::List<local::Pending>::Reader all, const std::string& wanted) {
  std::vector<crypto::ProposalId> ids;
  for (auto pending: all)
    ids.push_back(crypto::ProposalId::from(kj::decodeHex(pending.getId())).value());
  auto id = devices::meant(ids, wanted);
  if (!id)
    throw Failure{id.error().code == Errc::BAD_FORMAT ? USAGE : FAILED, id.error().because.cStr()};
  return all[static_cast<kj::uint>(std::ranges::find(ids, *id) - ids.begin())];
}

bool saysYes(const std::string& question) {
  if (isatty(STDIN_FILENO) == 0)
    throw Failure{USAGE, "say --yes, or answer at a terminal: " + question};
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "yes");
}

int decide(const Common& common, const DecideOptions& options, bool agrees) {
  Client client(common.home.c_str());
  auto listed = client.daemon().pendingRequest().send().wait(client.waitScope());
  auto pending = pendingMeant(listed.getPending(), options.id);
  if (agrees && !options.yes) {
    auto question = std::string("Sign, as an admin of the circle: ") + pending.getWhat().cStr() +
        "\n  asked by " + pending.getFrom().cStr() +
        (pending.getTarget().size() > 0 ? "\n  about    " : "") + pending.getTarget().cStr() +
        "\nAgree?";
    if (!saysYes(question)) throw Failure{FAILED, "nothing is signed"};
  }
  auto request = client.daemon().decideRequest();
  request.setId(pending.getId());
  request.setAgrees(agrees);
  auto response = request.send().wait(client.waitScope());
  if (common.json) {
    auto value = toJson(pending);
    value[agrees ? "approved" : "refused_here"] = true;
    value["done"] = response.getDone();
    printJson(value);
  } else if (!agrees) {
    std::cout << "Refused: " << pending.getWhat().cStr() << "\n";
  } else if (response.getDone()) {
    std::cout << "Done: " << pending.getWhat().cStr() << "\n";
  } else {
    std::cout << "Agreed: " << pending.getWhat().cStr() << ". It is done as soon as "
              << pending.getFrom().cStr() << " is there.\n";
  }
  return DONE;
}

}  // namespace

int deviceRole(const Common& common, const std::string& name, const std::string& role) {
  Client client(common.home.c_str());
  auto request = client.daemon().setRoleRequest();
  request.setDevice(name.c_str());
  request.setRole(choose<local::Role>(role,
      {{"admin", local::Role::ADMIN}, {"member", local::Role::MEMBER},
          {"vault", local::Role::VAULT}}));
  auto response = request.send().wait(client.waitScope());
  return tell(common, response, "changed", "is " + articleOf(role) + " now");
}

int policy(const Common& common, const std::vector<std::string>& settings) {
  Client client(common.home.c_str());
  auto request = client.daemon().policyRequest();
  auto set = request.initSet(static_cast<kj::uint>(settings.size()));
  for (kj::uint i = 0; i < settings.size(); ++i) {
    auto equals = settings[i].find('=');
    if (equals == std::string::npos)
      throw Failure{USAGE, "'" + settings[i] + "' is no KEY=VALUE: hearth policy shows the keys"};
    set[i].setKey(settings[i].substr(0, equals).c_str());
    set[i].setValue(settings[i].substr(equals + 1).c_str());
  }
  auto response = request.send().wait(client.waitScope());
  json value = {{"version", response.getVersion()}};
  std::vector<std::vector<std::string>> rows = {{"KEY", "VALUE"}};
  for (auto setting: response.getSettings()) {
    value["settings"][setting.getKey().cStr()] = setting.getValue().cStr();
    rows.push_back({setting.getKey().cStr(), setting.getValue().cStr()});
  }
  if (response.hasWaits()) value["waits"] = toJson(response.getWaits());
  if (common.json) {
    printJson(value);
  } else {
    printTable(rows);
    if (response.hasWaits()) std::cout << "\n" << lineOf(response.getWaits()) << "\n";
  }
  return DONE;
}

int reinstate(const Common& common, const std::string& name) {
  Client client(common.home.c_str());
  auto request = client.daemon().reinstateRequest();
  request.setDevice(name.c_str());
  auto response = request.send().wait(client.waitScope());
  return tell(common, response, "reinstated", "has its part in the circle again");
}

int remove(const Common& common, const std::string& name, const std::string& reason) {
  Client client(common.home.c_str());
  auto request = client.daemon().removeRequest();
  request.setDevice(name.c_str());
  request.setReason(choose<local::RemoveReason>(reason,
      {{"lost", local::RemoveReason::LOST}, {"stolen", local::RemoveReason::STOLEN},
          {"retired", local::RemoveReason::RETIRED}}));
  auto response = request.send().wait(client.waitScope());
  return tell(common, response, "removed", "is removed; what it held before it still holds");
}

int leave(const Common& common, bool yes) {
  if (!yes && !saysYes("Take this device out of its circle for good?"))
    throw Failure{FAILED, "nothing is changed"};
  Client client(common.home.c_str());
  client.daemon().leaveRequest().send().wait(client.waitScope());
  if (common.json) {
    printJson({{"left", true}});
  } else {
    std::cout << "This device has no part in the circle any more; what it holds it still holds.\n";
  }
  return DONE;
}

int rename(const Common& common, const std::string& name, const std::string& device) {
  Client client(common.home.c_str());
  auto request = client.daemon().renameRequest();
  request.setName(name.c_str());
  request.setDevice(device.c_str());
  auto response = request.send().wait(client.waitScope());
  auto renamed = response.getDevice();
  if (common.json) {
    printJson({{"renamed", renamed.getId().cStr()}, {"name", renamed.getName().cStr()}});
  } else {
    std::cout << renamed.getId().cStr() << " is called " << renamed.getName().cStr() << " now\n";
  }
  return DONE;
}

int pending(const Common& common) {
  Client client(common.home.c_str());
  auto response = client.daemon().pendingRequest().send().wait(client.waitScope());
  std::vector<std::vector<std::string>> rows = {{"ID", "WHAT", "ASKED BY", "WAITS FOR", "ENDS IN"}};
  constexpr uint64_t HOUR_S = 3'600;
  for (auto one: response.getPending()) {
    if (common.json) printJson(toJson(one));
    rows.push_back({shortId(one), one.getWhat().cStr(), one.getFrom().cStr(),
        joined(one.getWaitsFor()) + (one.getAgreed() ? " to be there" : ""),
        std::to_string(one.getLeftS() / HOUR_S) + " h"});
  }
  if (!common.json && rows.size() == 1) std::cout << "Nothing waits for an admin.\n";
  if (!common.json && rows.size() > 1) printTable(rows);
  return DONE;
}

int approve(const Common& common, const DecideOptions& options) {
  return decide(common, options, true);
}

int refuse(const Common& common, const DecideOptions& options) {
  return decide(common, options, false);
}

}  // namespace hearth::cli
