// hearth doc present, attend, say: who is at a document just now.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"

#include <kj/debug.h>

#include <iostream>
#include <nlohmann/json.hpp>

namespace hearth::cli {

namespace {

using nlohmann::json;
using Everybody = capnp::List<local::Presence::There>::Reader;

json jsonOf(local::Presence::There::Reader there) {
  return {{"device", there.getDevice().cStr()}, {"id", there.getDeviceId().cStr()},
      {"value", json::parse(there.getJson().cStr())}, {"own", there.getOwn()}};
}

void print(const Common& common, Everybody all) {
  auto everybody = json::array();
  for (auto there: all) everybody.push_back(jsonOf(there));
  if (common.json) return printJson({{"present", everybody}});
  if (everybody.empty()) std::cout << "nobody is here\n";
  for (auto& there: everybody)
    std::cout << there["device"].get<std::string>() << "  " << there["value"].dump() << "\n";
  std::cout << std::flush;
}

class Watcher final: public local::PresenceWatcher::Server {
 public:
  explicit Watcher(const Common& common): common(common) {}

  kj::Promise<void> changed(ChangedContext context) override {
    print(common, context.getParams().getThere());
    return kj::READY_NOW;
  }
  kj::Promise<void> said(SaidContext context) override {
    auto params = context.getParams();
    auto value = json::parse(params.getJson().cStr());
    if (common.json) {
      printJson({{"device", params.getDevice().cStr()}, {"id", params.getDeviceId().cStr()},
          {"said", value}});
    } else {
      std::cout << params.getDevice().cStr() << " says " << value.dump() << "\n" << std::flush;
    }
    return kj::READY_NOW;
  }

 private:
  const Common& common;
};

}  // namespace

int docPresence(const Common& common, const std::string& what, const DocOptions& options) {
  Client client(common.home.c_str());
  auto opening = client.daemon().documentsRequest().send().getDocuments().presenceRequest();
  opening.setName(options.name);
  auto presence = opening.send().getPresence();
  if (what == "present") {
    auto response = presence.listRequest().send().wait(client.waitScope());
    print(common, response.getThere());
    return DONE;
  }
  if (what == "say") {
    auto request = presence.sayRequest();
    request.setJson(options.value);
    request.send().wait(client.waitScope());
    return DONE;
  }
  KJ_REQUIRE(what == "attend", what.c_str());
  auto entering = presence.enterRequest();
  entering.setJson(options.value.empty() ? "null" : options.value.c_str());
  auto entered = entering.send().wait(client.waitScope());
  auto request = presence.watchRequest();
  request.setWatcher(kj::heap<Watcher>(common));
  client.untilInterrupted(request.send().ignoreResult());
  return DONE;
}

}  // namespace hearth::cli
