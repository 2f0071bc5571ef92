#include "devices/node/circle-desk.h"

#include "crypto/identity/display.h"
#include "crypto/membership/authority.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <algorithm>

namespace hearth::devices {

namespace {

kj::StringPtr articleOf(crypto::Role role) {
  if (role == crypto::Role::ADMIN) return "an admin";
  return role == crypto::Role::VAULT ? "a vault"_kj : "a member"_kj;
}

}  // namespace

Result<void> CircleDesk::checkAdmin() const {
  if (around.keeper.ownRole() == crypto::Role::ADMIN) return {};
  return no(Errc::NOT_AUTHORISED, "this device is no admin: do it on one that is");
}

kj::Promise<Result<CircleDesk::Change>> CircleDesk::change(crypto::Payload payload) {
  if (auto may = checkAdmin(); !may) co_return no(may.error());
  auto waits = co_await around.cosigning.say(kj::mv(payload));
  if (!waits) co_return no(waits.error());
  KJ_IF_MAYBE(id, *waits) {
    auto& own = around.cosigning.waiting().ofSelf();
    auto found = own.find(*id);
    // Refused or signed while it was stored.
    if (found == own.end()) co_return no(Errc::POLICY_DENIED, "it was refused: nothing is changed");
    co_return Change(viewOf(*id, found->second));
  }
  co_return Change(nullptr);
}

kj::Promise<Result<CircleDesk::Change>> CircleDesk::setRole(DeviceId device, crypto::Role role) {
  auto member = around.keeper.state().find(device);
  KJ_IF_MAYBE(known, member) {
    if (known->role == role)
      return Result<Change>(no(Errc::BAD_FORMAT, "it has that role already: nothing is changed"));
    if (!known->isActive())
      return Result<Change>(no(Errc::NOT_AUTHORISED,
          "it has no part in the circle now: see hearth devices, and hearth reinstate"));
  }
  return change(crypto::SetRolePayload{device, role});
}

kj::Promise<Result<CircleDesk::Change>> CircleDesk::reinstate(DeviceId device) {
  bool isSuspended = around.keeper.state()
                         .find(device)
                         .map([](auto& member) { return member.isSuspended(); })
                         .orDefault(false);
  if (!isSuspended)
    return Result<Change>(no(Errc::NOT_AUTHORISED,
        "it is not suspended: whoever was removed comes in anew, with hearth join there"));
  if (around.keeper.log().hasFlooded(device))
    return Result<Change>(no(Errc::NOT_AUTHORISED,
        "it has written histories without end: remove it, and bring it in anew"));
  return change(crypto::ReinstatePayload{device});
}

kj::Promise<Result<CircleDesk::Change>> CircleDesk::remove(
    DeviceId device, crypto::RemoveReason reason) {
  return change(crypto::RemovePayload{.target = device, .reason = reason});
}

kj::Promise<Result<CircleDesk::Change>> CircleDesk::bringIn(crypto::AddPayload add) {
  return change(kj::mv(add));
}

PolicyView CircleDesk::policy() const {
  auto& state = around.keeper.state();
  PolicyView view{.version = state.policy.map([](auto& p) { return p.version; }).orDefault(0),
      .settings = settingsOf(around.keeper.policy())};
  view.settings.push_back({MIN_SUITE, std::to_string(state.minSuite)});
  return view;
}

kj::Promise<Result<CircleDesk::Change>> CircleDesk::setPolicy(std::vector<Setting> wanted) {
  bool isSuite = wanted.size() == 1 && wanted.front().key == MIN_SUITE;
  if (isSuite) return setMinSuite(wanted.front().value);
  auto before = around.keeper.policy();
  auto after = withSettings(before, wanted);
  if (!after) return Result<Change>(no(after.error()));
  if (*after == before)
    return Result<Change>(no(Errc::BAD_FORMAT, "the policy says so already: nothing is changed"));
  return change(crypto::inTheClear(policy().version + 1, after->encode()));
}

kj::Promise<Result<CircleDesk::Change>> CircleDesk::setMinSuite(const std::string& value) {
  for (int suite = 1; suite <= crypto::SUITE_NEWEST; ++suite) {
    if (value != std::to_string(suite)) continue;
    if (suite <= around.keeper.state().minSuite)
      return Result<Change>(
          no(Errc::BAD_FORMAT, "the circle asks for that suite already: nothing is changed"));
    return change(crypto::MinSuitePayload{static_cast<uint8_t>(suite)});
  }
  return Result<Change>(no(Errc::BAD_FORMAT,
      "this version of Hearth speaks no such suite: a circle that asked for it would fall silent"));
}

kj::Promise<Result<void>> CircleDesk::leave() {
  auto& state = around.keeper.state();
  bool isOnlyAdmin =
      around.keeper.ownRole() == crypto::Role::ADMIN && state.countActiveAdmins() == 1;
  if (isOnlyAdmin && state.countActive() > 1)
    return Result<void>(no(Errc::NOT_AUTHORISED,
        "this is the circle's only admin: make another one first, with hearth device role"));
  return around.keeper.say(crypto::LeavePayload());
}

Result<void> CircleDesk::checkName(const DeviceId& device, const std::string& name) const {
  bool isShown = std::ranges::any_of(name, [](char c) { return c != ' '; });
  if (!isShown || !crypto::isName(name.c_str()))
    return no(Errc::BAD_FORMAT,
        "a name is 1 to 64 bytes of UTF-8, without control characters: give another one");
  for (auto& [id, member]: around.keeper.state().devices) {
    if (id != device && member.isActive() && around.fleet.nameOf(id) == name)
      return no(Errc::BAD_FORMAT, "another device is called so: give another name");
  }
  return {};
}

kj::Promise<Result<void>> CircleDesk::rename(DeviceId device, std::string name) {
  if (auto good = checkName(device, name); !good) co_return no(good.error());
  if (device == around.keeper.selfId()) co_return co_await around.keeper.sayName(kj::mv(name));
  if (auto may = checkAdmin(); !may) co_return no(may.error());
  if (!around.links.isUp(device))
    co_return no(
        Errc::STALE, "a device says its name itself, and it is not there: start hearthd there");
  auto request = around.links.rpc(device).castAs<rpc::Peer>().renameRequest();
  request.setName(name.c_str());
  co_return co_await around.timer.timeoutAfter(NAMED_WITHIN, request.send())
      .then([](auto) { return Result<void>(); },
          [](kj::Exception&& e) -> Result<void> {
            KJ_LOG(INFO, "a device does not take its name", e.getDescription());
            return no(Errc::STALE, "the device does not say so: run hearth rename on it");
          });
}

kj::Promise<void> CircleDesk::renamed(const DeviceId& by, std::string name) {
  auto admins = otherAdmins(around.keeper.state(), around.keeper.selfId());
  KJ_REQUIRE(std::ranges::find(admins, by) != admins.end(), "only an admin names others");
  if (auto good = checkName(around.keeper.selfId(), name); !good)
    KJ_FAIL_REQUIRE("no name", good.error().because);
  auto said = co_await around.keeper.sayName(kj::mv(name));
  KJ_REQUIRE(said.has_value(), "the name could not be said", said.error().because);
}

kj::Maybe<DeviceId> CircleDesk::targetIn(const crypto::Payload& payload) {
  auto target = targetOf(payload);
  if (target == DeviceId()) return nullptr;
  return target;
}

std::string CircleDesk::describe(const crypto::Payload& payload) const {
  if (auto* suite = std::get_if<crypto::MinSuitePayload>(&payload))
    return "forbid all suites before " + std::to_string(suite->suite) + " for good";
  if (auto* set = std::get_if<crypto::PolicySetPayload>(&payload)) {
    auto plain = crypto::clearTextOf(*set);
    auto after = plain ? crypto::Policy::decode(*plain) : no(plain.error());
    return "change the policy: " +
        (after ? changesOf(around.keeper.policy(), *after) : "to what cannot be read here");
  }
  auto target = targetOf(payload);
  auto name = around.fleet.nameOf(target);
  if (auto* set = std::get_if<crypto::SetRolePayload>(&payload))
    return "make " + name + " " + articleOf(set->role).cStr();
  if (auto* add = std::get_if<crypto::AddPayload>(&payload))
    return "bring in " + name + " as " + articleOf(add->role).cStr();
  if (std::get_if<crypto::ReinstatePayload>(&payload)) return "reinstate " + name;
  return "remove " + name;
}

std::vector<PendingView::Named> CircleDesk::namesOf(const std::vector<DeviceId>& devices) const {
  std::vector<PendingView::Named> names;
  for (auto& device: devices) names.push_back({device, around.fleet.nameOf(device)});
  return names;
}

PendingView CircleDesk::viewOf(const crypto::ProposalId& id, const Proposals::Own& asked) const {
  PendingView view{.id = kj::encodeHex(id.asBytes()).cStr(),
      .what = describe(asked.proposal.payload),
      .target = targetIn(asked.proposal.payload),
      .from = around.fleet.nameOf(asked.proposal.author),
      .own = true,
      .left = asked.until - around.timer.now()};
  std::vector<DeviceId> open, agree, refuse;
  for (auto& admin: otherAdmins(around.keeper.state(), around.keeper.selfId())) {
    auto answer = asked.answers.find(admin);
    if (answer == asked.answers.end())
      open.push_back(admin);
    else
      (answer->second ? agree : refuse).push_back(admin);
  }
  view.agreed = !agree.empty();
  view.waitsFor = namesOf(view.agreed ? agree : open);
  view.refused = namesOf(refuse);
  return view;
}

PendingView CircleDesk::viewOf(
    const crypto::ProposalId& id, const Proposals::OfOther& asked) const {
  PendingView view{.id = kj::encodeHex(id.asBytes()).cStr(),
      .what = describe(asked.proposal.payload),
      .target = targetIn(asked.proposal.payload),
      .from = around.fleet.nameOf(asked.proposal.author),
      .agreed = asked.answer == Proposals::Answer::AGREES,
      .left = asked.until - around.timer.now()};
  view.waitsFor = namesOf({view.agreed ? asked.proposal.author : around.keeper.selfId()});
  return view;
}

std::vector<PendingView> CircleDesk::pending() const {
  std::vector<PendingView> views;
  auto& waiting = around.cosigning.waiting();
  for (auto& [id, asked]: waiting.ofSelf()) views.push_back(viewOf(id, asked));
  for (auto& id: around.cosigning.openOfOthers())
    views.push_back(viewOf(id, waiting.ofOthers().at(id)));
  return views;
}

kj::Promise<Result<void>> CircleDesk::settled(const PendingView& view) {
  auto id = around.cosigning.find(view.id);
  if (!id) return Result<void>(no(id.error()));
  return around.cosigning.settled(*id);
}

}  // namespace hearth::devices
