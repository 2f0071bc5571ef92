#include "bindings/local/views.h"

#include "crypto/identity/display.h"

#include <kj/encoding.h>

#include <algorithm>

namespace hearth::local {

namespace {

constexpr kj::StringPtr VERSION = "0.1.0"_kj;

kj::StringPtr nameOf(crypto::Role role) {
  switch (role) {
    case crypto::Role::ADMIN:
      return "admin";
    case crypto::Role::MEMBER:
      return "member";
    case crypto::Role::VAULT:
      return "vault";
  }
  KJ_UNREACHABLE;
}

kj::StringPtr nameOf(crypto::MemberStatus status) {
  switch (status) {
    case crypto::MemberStatus::ACTIVE:
      return "active";
    case crypto::MemberStatus::SUSPENDED:
      return "suspended";
    case crypto::MemberStatus::REMOVED:
      return "removed";
    case crypto::MemberStatus::RETIRED:
      return "retired";
  }
  KJ_UNREACHABLE;
}

void writeTexts(const std::vector<std::string>& texts, capnp::List<capnp::Text>::Builder out) {
  for (kj::uint i = 0; i < texts.size(); ++i) out.set(i, texts[i].c_str());
}

void write(const router::PluginFacts& plugin, Plugin::Builder out) {
  out.setTask(plugin.task.c_str());
  out.setName(plugin.name.c_str());
  out.setVersion(plugin.version.c_str());
  out.setMeasurement(kj::encodeHex(plugin.measurement.asBytes()));
  out.setFixedS(plugin.fixedS);
  out.setPerUnitS(plugin.perUnitS);
  out.setWarm(plugin.warm);
}

void writePlugins(
    const std::vector<router::PluginFacts>& plugins, capnp::List<Plugin>::Builder out) {
  for (kj::uint i = 0; i < plugins.size(); ++i) write(plugins[i], out[i]);
}

void write(const devices::JobRecord::Placement& placement, Placement::Builder out) {
  out.setStage(placement.stage.c_str());
  out.setTask(placement.task.c_str());
  out.setDevice(placement.device.c_str());
  out.setPlugin(placement.plugin.c_str());
  out.setAttempt(placement.attempt);
  auto candidates = out.initCandidates(static_cast<kj::uint>(placement.candidates.size()));
  for (kj::uint i = 0; i < placement.candidates.size(); ++i) {
    candidates[i].setDevice(placement.candidates[i].device.c_str());
    candidates[i].setChosen(placement.candidates[i].chosen);
    candidates[i].setReason(placement.candidates[i].reason.c_str());
  }
}

std::vector<std::string> namesOf(const std::vector<devices::PendingView::Named>& all) {
  std::vector<std::string> names;
  for (auto& one: all) names.push_back(one.name);
  return names;
}

}  // namespace

void write(const devices::DeviceView& view, Device::Builder out) {
  out.setName(view.name.c_str());
  out.setId(crypto::display(view.id));
  out.setClass(view.deviceClass.c_str());
  out.setRole(nameOf(view.role));
  out.setStatus(view.quarantined ? "quarantined"_kj : nameOf(view.status));
  out.setSelf(view.self);
  out.setReachable(view.reachable);
  out.setAddress(view.address.c_str());
  out.setRttMs(view.rttMs);
  out.setPath(view.path.c_str());
  out.setVia(view.via.c_str());
  out.setCarriedBytes(view.carriedBytes);
  out.setCarriedNow(view.carriedNow);
  out.setBattery(-1);
  KJ_IF_MAYBE(facts, view.facts) {
    out.setBattery(facts->battery);
    writePlugins(facts->plugins, out.initPlugins(static_cast<kj::uint>(facts->plugins.size())));
    writeTexts(facts->sensors, out.initSensors(static_cast<kj::uint>(facts->sensors.size())));
  }
}

void write(const devices::PendingView& view, Pending::Builder out) {
  out.setId(view.id.c_str());
  out.setWhat(view.what.c_str());
  KJ_IF_MAYBE(target, view.target) out.setTarget(crypto::display(*target));
  out.setFrom(view.from.c_str());
  out.setOwn(view.own);
  out.setAgreed(view.agreed);
  writeTexts(namesOf(view.waitsFor), out.initWaitsFor(static_cast<kj::uint>(view.waitsFor.size())));
  writeTexts(namesOf(view.refused), out.initRefused(static_cast<kj::uint>(view.refused.size())));
  out.setLeftS(static_cast<uint64_t>(kj::max(view.left, 0 * kj::SECONDS) / kj::SECONDS));
}

void write(const transport::LinkView& view, const std::string& name, Link::Builder out) {
  static constexpr kj::StringPtr LANE_NAMES[transport::LANES] = {
      "control"_kj, "live"_kj, "interactive"_kj, "bulk"_kj};
  auto seconds = [](kj::Duration time) {
    return static_cast<double>(time / kj::MICROSECONDS) / 1e6;
  };
  out.setDevice(name.c_str());
  out.setId(crypto::display(view.peer));
  out.setPath(transport::nameOf(view.path.kind));
  out.setAddress(view.address.c_str());
  out.setInitiated(view.initiated);
  out.setUpS(seconds(view.upFor));
  out.setRttMs(view.facts.rttS < 0 ? -1 : view.facts.rttS * 1000);
  out.setBandwidthBps(view.facts.bandwidthBps);
  out.setKeysAgeS(seconds(view.facts.keysAge));
  out.setRehandshakes(view.facts.handshakes - 1);
  out.setCarriers(view.carriers);
  auto lanes = out.initLanes(transport::LANES);
  for (kj::uint i = 0; i < transport::LANES; ++i) {
    lanes[i].setName(LANE_NAMES[i]);
    lanes[i].setSentBytes(view.lanes[i].sentBytes);
    lanes[i].setReceivedBytes(view.lanes[i].receivedBytes);
  }
  auto live = out.initLive();
  live.setSent(view.live.sent);
  live.setDropped(view.live.dropped);
  live.setLateThere(view.live.lateThere);
  live.setReceived(view.live.received);
  live.setLate(view.live.late);
  live.setMissing(view.live.missing);
}

void write(const devices::JobRecord& record, JobSummary::Builder out) {
  out.setId(record.id.c_str());
  out.setWorkload(record.workload.c_str());
  out.setState(record.state.c_str());
  out.setStartedMs(record.startedMs);
  out.setEndedMs(record.endedMs);
  out.setPieces(record.pieces);
}

void write(const devices::JobRecord::Event& event, JobEvent::Builder out) {
  out.setAtMs(event.atMs);
  out.setKind(event.kind.c_str());
  out.setStage(event.stage.c_str());
  out.setDevice(event.device.c_str());
  out.setAttempt(event.attempt);
  out.setMessage(event.message.c_str());
}

void write(const devices::JobRecord& record, JobRecord::Builder out) {
  write(record, out.initSummary());
  out.setMessage(record.message.c_str());
  auto placements = out.initPlacements(static_cast<kj::uint>(record.placements.size()));
  for (kj::uint i = 0; i < record.placements.size(); ++i)
    write(record.placements[i], placements[i]);
  auto events = out.initEvents(static_cast<kj::uint>(record.events.size()));
  for (kj::uint i = 0; i < record.events.size(); ++i) write(record.events[i], events[i]);
}

void write(const devices::AnchorSources& sources, Anchors::Builder out) {
  out.setFile(sources.file);
  out.setCounter(sources.counter.c_str());
  out.setCounterFails(sources.counterFails.c_str());
  out.setWitnesses(static_cast<uint32_t>(sources.witnesses));
  out.setWords(sources.words().c_str());
}

void writeStatus(const devices::Node& node, const std::vector<devices::DeviceView>& devices,
    size_t jobsRunning, kj::Duration uptime, Status::Builder out) {
  auto& config = node.settings();
  out.setName(node.nameOf(node.circle().selfId()).c_str());
  out.setClass(config.deviceClass.c_str());
  out.setDeviceId(crypto::display(node.circle().selfId()));
  out.setRole(nameOf(node.circle().ownRole()));
  out.setCircle(kj::encodeHex(node.circle().log().circle().asBytes().slice(0, 8)));
  auto& listen = node.addresses();
  writeTexts(listen, out.initListen(static_cast<kj::uint>(listen.size())));
  out.setKeyStore(config.keyStore.c_str());
  out.setDevicesActive(static_cast<uint32_t>(node.circle().state().countActive()));
  out.setDevicesReachable(
      static_cast<uint32_t>(std::ranges::count(devices, true, &devices::DeviceView::reachable)));
  out.setJobsRunning(static_cast<uint32_t>(jobsRunning));
  out.setUptimeS(static_cast<uint64_t>(uptime / kj::SECONDS));
  out.setVersion(VERSION);
  KJ_IF_MAYBE(why, node.data().gate().whyResting()) out.setRests(why->c_str());
  auto alarms = node.alarms();
  writeTexts(alarms, out.initAlarms(static_cast<kj::uint>(alarms.size())));
  write(node.circle().anchorSources(), out.initAnchors());
  for (auto& view: devices) {
    if (!view.self) continue;
    KJ_IF_MAYBE(facts, view.facts) {
      writePlugins(facts->plugins, out.initPlugins(static_cast<kj::uint>(facts->plugins.size())));
    }
  }
}

}  // namespace hearth::local
