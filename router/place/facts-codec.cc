#include "router/place/facts-codec.h"

#include "core/base/printable.h"

#include <cmath>

namespace hearth::router {

namespace {

constexpr double NUMBER_MAX = 1e12;

void writeTexts(const std::vector<std::string>& texts, capnp::List<capnp::Text>::Builder out) {
  for (kj::uint i = 0; i < texts.size(); ++i) out.set(i, texts[i].c_str());
}

void write(const PluginFacts& plugin, rpc::PluginFacts::Builder out) {
  out.setTask(plugin.task.c_str());
  out.setName(plugin.name.c_str());
  out.setVersion(plugin.version.c_str());
  out.setMeasurement(plugin.measurement.asBytes());
  out.setFixedS(plugin.fixedS);
  out.setPerUnitS(plugin.perUnitS);
  out.setSpread(plugin.spread);
  out.setMemoryBytes(plugin.memoryBytes);
  out.setWarm(plugin.warm);
}

// Collects what is wrong, so that the reading below stays a list of fields.
class Judge final {
 public:
  double number(double value, double least = 0) {
    if (!std::isfinite(value) || value < least || value > NUMBER_MAX) good = false;
    return value;
  }
  std::string text(capnp::Text::Reader value) {
    // What a device calls itself is shown in a terminal: nothing that steers one.
    if (value.size() > DeviceFacts::TEXT_BYTES_MAX || !isPrintable(value)) good = false;
    return good ? value.cStr() : "";
  }
  std::vector<std::string> texts(capnp::List<capnp::Text>::Reader list) {
    std::vector<std::string> all;
    if (list.size() > DeviceFacts::NAMES_MAX) good = false;
    for (kj::uint i = 0; good && i < list.size(); ++i) all.push_back(text(list[i]));
    return all;
  }
  template <typename IdType>
  IdType id(capnp::Data::Reader value) {
    auto parsed = IdType::from(value);
    if (!parsed) good = false;
    return parsed.value_or(IdType());
  }

  bool good = true;
};

PluginFacts readPlugin(rpc::PluginFacts::Reader reader, Judge& judge) {
  PluginFacts plugin;
  plugin.task = judge.text(reader.getTask());
  plugin.name = judge.text(reader.getName());
  plugin.version = judge.text(reader.getVersion());
  plugin.measurement = judge.id<Digest>(reader.getMeasurement());
  plugin.fixedS = judge.number(reader.getFixedS());
  plugin.perUnitS = judge.number(reader.getPerUnitS());
  plugin.spread = judge.number(reader.getSpread());
  plugin.memoryBytes = reader.getMemoryBytes();
  plugin.warm = reader.getWarm();
  return plugin;
}

}  // namespace

void write(const DeviceFacts& facts, rpc::DeviceFacts::Builder out) {
  out.setId(facts.id.asBytes());
  out.setName(facts.name.c_str());
  out.setDeviceClass(facts.deviceClass.c_str());
  out.setCores(facts.cores);
  out.setMemoryBytes(facts.memoryBytes);
  out.setActiveW(facts.activeW);
  out.setBattery(facts.battery);
  out.setTxJPerByte(facts.txJPerByte);
  out.setRxJPerByte(facts.rxJPerByte);
  out.setQueueS(facts.queueS);
  auto plugins = out.initPlugins(static_cast<kj::uint>(facts.plugins.size()));
  for (kj::uint i = 0; i < facts.plugins.size(); ++i) write(facts.plugins[i], plugins[i]);
  writeTexts(facts.sensors, out.initSensors(static_cast<kj::uint>(facts.sensors.size())));
  writeTexts(facts.addresses, out.initAddresses(static_cast<kj::uint>(facts.addresses.size())));
  out.setVersion(facts.version);
}

Result<DeviceFacts> readFacts(rpc::DeviceFacts::Reader reader) {
  if (reader.getPlugins().size() > DeviceFacts::PLUGINS_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a device with too many plugins");
  Judge judge;
  DeviceFacts facts;
  facts.id = judge.id<DeviceId>(reader.getId());
  facts.name = judge.text(reader.getName());
  facts.deviceClass = judge.text(reader.getDeviceClass());
  facts.cores = reader.getCores();
  facts.memoryBytes = reader.getMemoryBytes();
  facts.activeW = judge.number(reader.getActiveW());
  facts.battery = judge.number(reader.getBattery(), -1);
  facts.txJPerByte = judge.number(reader.getTxJPerByte());
  facts.rxJPerByte = judge.number(reader.getRxJPerByte());
  facts.queueS = judge.number(reader.getQueueS());
  for (auto plugin: reader.getPlugins()) facts.plugins.push_back(readPlugin(plugin, judge));
  facts.sensors = judge.texts(reader.getSensors());
  facts.addresses = judge.texts(reader.getAddresses());
  facts.version = reader.getVersion();
  if (!judge.good) return no(Errc::BAD_FORMAT, "facts that no device has");
  return facts;
}

}  // namespace hearth::router
