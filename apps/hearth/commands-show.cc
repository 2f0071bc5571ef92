// status, devices, device, jobs, why: what the daemon knows, for people and for scripts.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/pending.h"
#include "apps/hearth/progress.h"

#include <kj/debug.h>

#include <iostream>
#include <nlohmann/json.hpp>

namespace hearth::cli {

namespace {

using nlohmann::json;

json toJson(local::Plugin::Reader plugin) {
  return {{"task", plugin.getTask().cStr()}, {"name", plugin.getName().cStr()},
      {"version", plugin.getVersion().cStr()}, {"measurement", plugin.getMeasurement().cStr()},
      {"fixed_s", plugin.getFixedS()}, {"per_unit_s", plugin.getPerUnitS()},
      {"warm", plugin.getWarm()}};
}

json toJson(local::Device::Reader device) {
  json plugins = json::array(), sensors = json::array();
  for (auto plugin: device.getPlugins()) plugins.push_back(toJson(plugin));
  for (auto sensor: device.getSensors()) sensors.push_back(sensor.cStr());
  json value = {{"name", device.getName().cStr()}, {"id", device.getId().cStr()},
      {"class", device.getClass().cStr()}, {"role", device.getRole().cStr()},
      {"status", device.getStatus().cStr()}, {"self", device.getSelf()},
      {"reachable", device.getReachable()}, {"address", device.getAddress().cStr()},
      {"plugins", plugins}, {"sensors", sensors}};
  value["rtt_ms"] = device.getRttMs() < 0 ? json() : json(device.getRttMs());
  value["path"] = device.getPath().size() == 0 ? json() : json(device.getPath().cStr());
  value["via"] = device.getVia().size() == 0 ? json() : json(device.getVia().cStr());
  value["carried"] = {{"now", device.getCarriedNow()}, {"bytes", device.getCarriedBytes()}};
  value["pending"] = json::array();
  for (auto pending: device.getPending()) value["pending"].push_back(cli::toJson(pending));
  bool isVault = device.getRole() == "vault";
  value["held"] =
      isVault ? json{{"files", device.getHeldFiles()}, {"bytes", device.getHeldBytes()}} : json();
  value["battery"] = device.getBattery() < 0 ? json() : json(device.getBattery());
  return value;
}

json toJson(local::JobSummary::Reader job) {
  return {{"id", job.getId().cStr()}, {"workload", job.getWorkload().cStr()},
      {"state", job.getState().cStr()}, {"started_ms", job.getStartedMs()},
      {"ended_ms", job.getEndedMs()}, {"pieces", job.getPieces()}};
}

json toJson(local::Placement::Reader placement) {
  json candidates = json::array();
  for (auto candidate: placement.getCandidates()) {
    candidates.push_back({{"device", candidate.getDevice().cStr()},
        {"chosen", candidate.getChosen()}, {"reason", candidate.getReason().cStr()}});
  }
  return {{"stage", placement.getStage().cStr()}, {"task", placement.getTask().cStr()},
      {"device", placement.getDevice().cStr()}, {"plugin", placement.getPlugin().cStr()},
      {"attempt", placement.getAttempt()}, {"candidates", candidates}};
}

json toJson(local::JobEvent::Reader event) {
  return {{"at_ms", event.getAtMs()}, {"kind", event.getKind().cStr()},
      {"stage", event.getStage().cStr()}, {"device", event.getDevice().cStr()},
      {"attempt", event.getAttempt()}, {"message", event.getMessage().cStr()}};
}

std::string milliseconds(double ms) {
  if (ms < 0) return "";
  return std::string(kj::str(static_cast<int64_t>(ms * 10) / 10.0, " ms").cStr());
}

// How the link goes, for people: "directly", "through box", "through the relay at ...".
std::string wayOf(local::Device::Reader device) {
  std::string path = device.getPath().cStr(), via = device.getVia().cStr();
  if (path == "tcp") return "directly, by TCP";
  if (path == "udp") return "directly, by UDP";
  if (path == "tls") return "directly, by TLS";
  if (path == "member") return "through " + via;
  if (path == "relay") return "through the relay at " + via;
  return "";
}

std::string carriedBy(local::Device::Reader device) {
  if (device.getCarriedBytes() == 0) return "nothing";
  auto kibibytes = device.getCarriedBytes() >> 10;
  return kj::str(kibibytes, " KiB, ", device.getCarriedNow(), " streams now").cStr();
}

std::string pluginNames(local::Device::Reader device) {
  std::string names;
  for (auto plugin: device.getPlugins())
    names += (names.empty() ? "" : ", ") + std::string(plugin.getTask().cStr());
  for (auto sensor: device.getSensors())
    names += (names.empty() ? "" : ", ") + std::string(sensor.cStr());
  return names;
}

std::vector<std::string> rowOf(local::Device::Reader device) {
  std::string name = device.getName().cStr();
  std::string shown = device.getSelf() ? "this device"
      : device.getReachable()          ? "up " + milliseconds(device.getRttMs())
                                       : "not reachable";
  if (device.getStatus() != "active") shown = device.getStatus().cStr();
  return {name, device.getClass().cStr(), device.getRole().cStr(), shown, wayOf(device),
      device.getAddress().cStr(), pluginNames(device)};
}

local::Device::Reader findDevice(
    capnp::List<local::Device>::Reader devices, const std::string& wanted) {
  for (auto device: devices) {
    if (device.getName() == wanted.c_str() || device.getId().startsWith(wanted.c_str()))
      return device;
  }
  throw Failure{FAILED, "no device is called '" + wanted + "': hearth devices lists them"};
}

void explain(local::JobRecord::Reader record) {
  auto summary = record.getSummary();
  std::cout << summary.getWorkload().cStr() << " " << summary.getId().cStr() << ": "
            << summary.getState().cStr() << ", " << summary.getPieces() << " pieces, begun "
            << ago(summary.getStartedMs()) << "\n";
  if (record.getMessage().size() > 0) std::cout << "  " << record.getMessage().cStr() << "\n";
  for (auto placement: record.getPlacements()) {
    std::cout << "\n"
              << placement.getStage().cStr() << " (" << placement.getTask().cStr() << ") on "
              << placement.getDevice().cStr();
    if (placement.getPlugin().size() > 0) std::cout << " by " << placement.getPlugin().cStr();
    if (placement.getAttempt() > 1) std::cout << ", attempt " << placement.getAttempt();
    std::cout << "\n";
    for (auto candidate: placement.getCandidates()) {
      std::cout << (candidate.getChosen() ? "  * " : "    ") << candidate.getDevice().cStr() << ": "
                << candidate.getReason().cStr() << "\n";
    }
  }
  std::cout << "\n";
  for (auto event: record.getEvents()) {
    std::cout << "  +" << (event.getAtMs() - summary.getStartedMs()) << " ms  "
              << event.getKind().cStr() << " " << event.getStage().cStr();
    if (event.getDevice().size() > 0) std::cout << " on " << event.getDevice().cStr();
    if (event.getMessage().size() > 0) std::cout << ": " << event.getMessage().cStr();
    std::cout << "\n";
  }
}

// A counter that there is none of is null, and so is the reason where none is needed.
json toJson(local::Anchors::Reader anchors) {
  auto orNull = [](kj::StringPtr text) { return text.size() > 0 ? json(text.cStr()) : json(); };
  return {{"file", anchors.getFile()}, {"counter", orNull(anchors.getCounter())},
      {"counter_fails", orNull(anchors.getCounterFails())}, {"witnesses", anchors.getWitnesses()}};
}

}  // namespace

int status(const Common& common) {
  Client client(common.home.c_str());
  auto response = client.daemon().statusRequest().send().wait(client.waitScope());
  auto status = response.getStatus();
  if (common.json) {
    json listen = json::array(), plugins = json::array();
    for (auto address: status.getListen()) listen.push_back(address.cStr());
    for (auto plugin: status.getPlugins()) plugins.push_back(toJson(plugin));
    json alarms = json::array();
    for (auto alarm: status.getAlarms()) alarms.push_back(alarm.cStr());
    printJson({{"name", status.getName().cStr()}, {"device_id", status.getDeviceId().cStr()},
        {"class", status.getClass().cStr()}, {"role", status.getRole().cStr()},
        {"circle", status.getCircle().cStr()}, {"listen", listen},
        {"key_store", status.getKeyStore().cStr()}, {"plugins", plugins},
        {"devices_active", status.getDevicesActive()},
        {"devices_reachable", status.getDevicesReachable()},
        {"jobs_running", status.getJobsRunning()}, {"uptime_s", status.getUptimeS()},
        {"version", status.getVersion().cStr()}, {"alarms", alarms},
        {"anchors", toJson(status.getAnchors())},
        {"rests", status.getRests().size() > 0 ? json(status.getRests().cStr()) : json()}});
    return DONE;
  }
  for (auto alarm: status.getAlarms()) std::cout << "ALARM: " << alarm.cStr() << "\n";
  std::cout << status.getName().cStr() << " (" << status.getClass().cStr() << ", "
            << status.getRole().cStr() << ") in circle " << status.getCircle().cStr() << "\n"
            << "  id       " << status.getDeviceId().cStr() << "\n";
  for (auto address: status.getListen()) std::cout << "  listens  " << address.cStr() << "\n";
  std::cout << "  keys     " << status.getKeyStore().cStr() << "\n"
            << "  anchors  " << status.getAnchors().getWords().cStr() << "\n"
            << "  devices  " << status.getDevicesReachable() << " of " << status.getDevicesActive()
            << " reachable\n"
            << "  jobs     " << status.getJobsRunning() << " running\n";
  if (status.getRests().size() > 0)
    std::cout << "  rests    large transfers: " << status.getRests().cStr() << "\n";
  for (auto plugin: status.getPlugins())
    std::cout << "  plugin   " << plugin.getTask().cStr() << " " << plugin.getVersion().cStr()
              << "\n";
  return DONE;
}

int devices(const Common& common) {
  Client client(common.home.c_str());
  auto response = client.daemon().devicesRequest().send().wait(client.waitScope());
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "CLASS", "ROLE", "STATUS", "WAY", "ADDRESS", "CAN DO"}};
  for (auto device: response.getDevices()) {
    if (common.json) printJson(toJson(device));
    rows.push_back(rowOf(device));
  }
  if (!common.json) printTable(rows);
  return DONE;
}

int device(const Common& common, const std::string& name) {
  Client client(common.home.c_str());
  auto response = client.daemon().devicesRequest().send().wait(client.waitScope());
  auto found = findDevice(response.getDevices(), name);
  if (common.json) {
    printJson(toJson(found));
    return DONE;
  }
  std::vector<std::vector<std::string>> rows = {{"name", found.getName().cStr()},
      {"id", found.getId().cStr()}, {"class", found.getClass().cStr()},
      {"role", found.getRole().cStr()}, {"status", found.getStatus().cStr()},
      {"link", found.getReachable() ? "up " + milliseconds(found.getRttMs()) : "none"},
      {"way", wayOf(found)},
      {found.getSelf() ? "carried for others" : "carried for it", carriedBy(found)},
      {"address", found.getAddress().cStr()}, {"can do", pluginNames(found)}};
  if (found.getRole() == "vault")
    rows.push_back({"holds",
        std::to_string(found.getHeldFiles()) + " sealed files, " +
            bytesText(found.getHeldBytes())});
  printTable(rows);
  for (auto pending: found.getPending()) std::cout << "\n" << lineOf(pending) << "\n";
  return DONE;
}

int jobs(const Common& common, uint32_t most) {
  Client client(common.home.c_str());
  auto request = client.daemon().jobsRequest();
  request.setMost(most);
  auto response = request.send().wait(client.waitScope());
  std::vector<std::vector<std::string>> rows = {{"JOB", "WORKLOAD", "STATE", "PIECES", "BEGUN"}};
  for (auto job: response.getJobs()) {
    if (common.json) printJson(toJson(job));
    rows.push_back({job.getId().cStr(), job.getWorkload().cStr(), job.getState().cStr(),
        std::to_string(job.getPieces()), ago(job.getStartedMs())});
  }
  if (!common.json) printTable(rows);
  return DONE;
}

int why(const Common& common, const std::string& job) {
  Client client(common.home.c_str());
  auto request = client.daemon().whyRequest();
  request.setJob(job.c_str());
  auto response = request.send().wait(client.waitScope());
  auto record = response.getRecord();
  if (!common.json) {
    explain(record);
    return DONE;
  }
  auto value = toJson(record.getSummary());
  value["message"] = record.getMessage().cStr();
  value["placements"] = value["events"] = json::array();
  for (auto placement: record.getPlacements()) value["placements"].push_back(toJson(placement));
  for (auto event: record.getEvents()) value["events"].push_back(toJson(event));
  printJson(value);
  return DONE;
}

}  // namespace hearth::cli
