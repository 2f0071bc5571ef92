// link watch: the links of this device, live.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"

#include <kj/debug.h>
#include <kj/timer.h>

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace hearth::cli {

namespace {

using nlohmann::json;
using Links = capnp::List<local::Link>::Reader;

constexpr auto EVERY = 1 * kj::SECONDS;

// Bytes a second of one lane between two looks; none at the first, and after the link has begun anew.
struct Rates {
  kj::Maybe<double> sent, received;
};

class Meter {
 public:
  Rates rates(local::Link::Reader link, local::Link::Lane::Reader lane) {
    Last now{link.getUpS(), lane.getSentBytes(), lane.getReceivedBytes()};
    auto key = std::string(link.getId().cStr()) + "/" + lane.getName().cStr();
    auto known = last.find(key);
    Rates rates;
    if (known != last.end() && known->second.upS < now.upS) {
      auto seconds = now.upS - known->second.upS;
      rates.sent = static_cast<double>(now.sent - known->second.sent) / seconds;
      rates.received = static_cast<double>(now.received - known->second.received) / seconds;
    }
    last[key] = now;
    return rates;
  }

 private:
  struct Last {
    double upS;
    uint64_t sent, received;
  };
  std::map<std::string, Last> last;
};

json orNull(kj::Maybe<double> value) {
  KJ_IF_MAYBE(known, value) return *known;
  return nullptr;
}

json toJson(local::Link::Reader link, Meter& meter) {
  json lanes = json::object();
  for (auto lane: link.getLanes()) {
    auto rates = meter.rates(link, lane);
    lanes[lane.getName().cStr()] = {{"sent_bytes", lane.getSentBytes()},
        {"received_bytes", lane.getReceivedBytes()}, {"sent_bps", orNull(rates.sent)},
        {"received_bps", orNull(rates.received)}};
  }
  json value = {{"device", link.getDevice().cStr()}, {"id", link.getId().cStr()},
      {"path", link.getPath().cStr()}, {"address", link.getAddress().cStr()},
      {"initiated", link.getInitiated()}, {"up_s", link.getUpS()},
      {"handshake_age_s", link.getKeysAgeS()}, {"rehandshakes", link.getRehandshakes()},
      {"carriers", link.getCarriers()}, {"lanes", lanes}};
  auto live = link.getLive();
  value["live_frames"] = {{"sent", live.getSent()}, {"dropped", live.getDropped()},
      {"late_there", live.getLateThere()}, {"received", live.getReceived()},
      {"late", live.getLate()}, {"missing", live.getMissing()}};
  value["rtt_ms"] = link.getRttMs() < 0 ? json() : json(link.getRttMs());
  value["bandwidth_bps"] = link.getBandwidthBps() < 0 ? json() : json(link.getBandwidthBps());
  return value;
}

std::string tenths(double value, const char* unit) {
  return kj::str(static_cast<int64_t>(value * 10) / 10.0, " ", unit).cStr();
}

// "12.3 KiB/s"; a lane that is silent shows a dash.
std::string rate(kj::Maybe<double> bytes) {
  KJ_IF_MAYBE(known, bytes) {
    if (*known > 0) return tenths(*known / 1024, "KiB/s");
  }
  return "-";
}

// Of the frames with deadlines: what was too late, of all there were. A link without any shows a dash.
std::string lateOf(uint64_t late, uint64_t inTime) {
  if (late + inTime == 0) return "-";
  return std::to_string(late) + " of " + std::to_string(late + inTime);
}

std::vector<std::string> rowOf(local::Link::Reader link, Meter& meter) {
  std::vector<std::string> row = {link.getDevice().cStr(), link.getPath().cStr(),
      link.getAddress().cStr(), link.getRttMs() < 0 ? "" : tenths(link.getRttMs(), "ms"),
      tenths(link.getKeysAgeS(), "s"), std::to_string(link.getRehandshakes()),
      std::to_string(link.getCarriers() - 1)};
  for (auto lane: link.getLanes()) {
    auto rates = meter.rates(link, lane);
    row.push_back(rate(rates.sent) + " / " + rate(rates.received));
  }
  auto live = link.getLive();
  auto outLate = live.getDropped() + live.getLateThere();
  row.push_back(lateOf(outLate, live.getSent() - live.getLateThere()) + " / " +
      lateOf(live.getLate() + live.getMissing(), live.getReceived()));
  return row;
}

bool isMeant(local::Link::Reader link, const std::string& name) {
  return name.empty() || link.getDevice() == name.c_str() || link.getId().startsWith(name.c_str());
}

void show(Links links, const Common& common, const WatchOptions& options, Meter& meter) {
  constexpr auto CLEAR = "\x1b[H\x1b[2J";
  std::vector<std::vector<std::string>> rows = {{"DEVICE", "PATH", "ADDRESS", "RTT", "KEYS",
      "RENEWED", "MOVED", "CONTROL out / in", "LIVE", "INTERACTIVE", "BULK", "LIVE FRAMES LATE"}};
  for (auto link: links) {
    if (!isMeant(link, options.name)) continue;
    if (common.json)
      printJson(toJson(link, meter));
    else
      rows.push_back(rowOf(link, meter));
  }
  if (common.json) return;
  if (!options.once && isatty(STDOUT_FILENO) == 1) std::cout << CLEAR;
  printTable(rows);
  std::cout.flush();
}

// A name that is nobody's is a mistake; a device without a link is one to wait for.
void expectKnown(Client& client, const std::string& name) {
  if (name.empty()) return;
  auto response = client.daemon().devicesRequest().send().wait(client.waitScope());
  for (auto device: response.getDevices()) {
    if (device.getName() == name.c_str() || device.getId().startsWith(name.c_str())) return;
  }
  throw Failure{FAILED, "no device is called '" + name + "': hearth devices lists them"};
}

}  // namespace

int watchLinks(const Common& common, const WatchOptions& options) {
  Client client(common.home.c_str());
  expectKnown(client, options.name);
  Meter meter;
  auto interrupted = client.onInterrupt().fork();
  for (;;) {
    auto response = client.daemon().linksRequest().send().wait(client.waitScope());
    show(response.getLinks(), common, options, meter);
    if (options.once) return DONE;
    auto pause = client.timer().afterDelay(EVERY).then([]() { return true; });
    auto stop = interrupted.addBranch().then([]() { return false; });
    if (!pause.exclusiveJoin(kj::mv(stop)).wait(client.waitScope())) return DONE;
  }
}

}  // namespace hearth::cli
