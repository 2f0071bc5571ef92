#include "simulator/story/catalogue.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fstream>
#include <sstream>

namespace hearth::sim {
namespace {

using Catch::Matchers::ContainsSubstring;

std::string shipped(const char* file) {
  std::ifstream in(std::string(HEARTH_SOURCE_DIR) + "/simulator/data/" + file);
  std::ostringstream text;
  text << in.rdbuf();
  REQUIRE(in);
  return text.str();
}

Catalogue shippedCatalogue() {
  auto parsed = Catalogue::parse(shipped("profiles.toml"), shipped("networks.toml"));
  if (!parsed) FAIL(parsed.error());
  return *parsed;
}

template <typename Values>
std::vector<std::string> namesOf(const Values& values) {
  std::vector<std::string> names;
  for (auto& [name, value]: values) names.push_back(name);
  return names;
}

const std::string NETWORK = R"([wifi]
latency_min = "1ms"
latency_max = "5ms"
up_bps = 1000
down_bps = 2000
)";

const std::string PROFILE = R"([phone]
class = "phone"
cores = 2
memory_mib = 512
idle_mw = 10
asleep_mw = 1
active_mw = 100
sync = "2ms"
drift_ppm = 20
radios = ["wifi"]
)";

// The text with the line that begins with `key` replaced, or taken away.
std::string with(std::string text, const std::string& key, const std::string& line) {
  auto begin = text.find("\n" + key + " ") + 1;
  REQUIRE(begin != 0);
  auto end = text.find('\n', begin);
  return text.replace(begin, end - begin, line);
}

std::string errorOf(const std::string& profiles, const std::string& networks) {
  auto parsed = Catalogue::parse(profiles, networks);
  REQUIRE(!parsed);
  auto error = parsed.error();
  REQUIRE(error.find('\n') == std::string::npos);
  REQUIRE(error.size() <= 300);
  return error;
}

struct Wrong {
  std::string line, says;
};

TEST_CASE("the shipped profiles and networks parse, and are those that scenarios may name") {
  auto catalogue = shippedCatalogue();
  REQUIRE(namesOf(catalogue.profiles) ==
      std::vector<std::string>{
          "gpubox", "hub", "laptop", "micro", "phone-budget", "phone-flagship", "vault", "watch"});
  REQUIRE(namesOf(catalogue.networks) ==
      std::vector<std::string>{"5g", "ble", "datagram-wifi", "ethernet", "home-open", "home-wifi",
          "hotel-wifi", "lte", "office-wifi", "symmetric-home"});
}

TEST_CASE("shipped devices have the plugins of their kind") {
  auto profiles = shippedCatalogue().profiles;
  std::vector<std::string> none, ears = {"audio.vad"},
                                 all = {"audio.transcribe", "audio.vad", "text.format"};
  REQUIRE(namesOf(profiles["watch"].tasks) == none);
  REQUIRE(namesOf(profiles["vault"].tasks) == none);
  REQUIRE(namesOf(profiles["micro"].tasks) == none);
  REQUIRE(namesOf(profiles["phone-flagship"].tasks) == ears);
  REQUIRE(namesOf(profiles["phone-budget"].tasks) == ears);
  REQUIRE(namesOf(profiles["laptop"].tasks) == all);
  REQUIRE(namesOf(profiles["gpubox"].tasks) == all);
  REQUIRE(namesOf(profiles["hub"].tasks) == all);
}

TEST_CASE("figures of the shipped files arrive in their units") {
  auto catalogue = shippedCatalogue();
  auto& phone = catalogue.profiles["phone-flagship"];
  REQUIRE(phone.name == "phone-flagship");
  REQUIRE(phone.deviceClass == "phone");
  REQUIRE(phone.memoryBytes == uint64_t{8} << 30);
  REQUIRE(phone.batteryMwh == 12'700);
  REQUIRE(phone.syncTakes == 3'300 * kj::MICROSECONDS);
  REQUIRE(phone.backgroundFor == 25 * kj::SECONDS);
  REQUIRE(phone.microphone);
  REQUIRE(!catalogue.profiles["hub"].hasBattery());
  REQUIRE(catalogue.profiles["laptop"].tasks["audio.transcribe"].perUnitS == 0.35);
  REQUIRE(catalogue.profiles["laptop"].tasks["audio.vad"].load == 100 * kj::MILLISECONDS);
  REQUIRE(catalogue.networks["lte"].tail == 11'576 * kj::MILLISECONDS);
  REQUIRE(catalogue.networks["lte"].txNanojoulePerByte == 3'507);
}

TEST_CASE("shipped networks differ in what they let through") {
  auto networks = shippedCatalogue().networks;
  REQUIRE(networks["office-wifi"].isolates);
  REQUIRE(networks["hotel-wifi"].portal);
  REQUIRE(networks["home-open"].letsIn);
  REQUIRE(!networks["home-wifi"].letsIn);
  REQUIRE(!networks["ble"].internet);
  REQUIRE(networks["home-wifi"].multicast);
  REQUIRE(!networks["office-wifi"].multicast);
  REQUIRE(networks["lte"].symmetric);
  REQUIRE(!networks["home-wifi"].symmetric);
  REQUIRE(networks["lte"].natIdle == 65 * kj::SECONDS);
  REQUIRE(networks["home-wifi"].duplicatePermille == 1);
  REQUIRE(networks["home-wifi"].reorderPermille == 3);
  REQUIRE(networks["home-wifi"].multicastLossPermille == 50);
}

TEST_CASE("entries that are left out have the value of a kind without them") {
  auto parsed = Catalogue::parse(PROFILE, NETWORK);
  REQUIRE(parsed);
  auto& phone = parsed->profiles["phone"];
  REQUIRE(!phone.hasBattery());
  REQUIRE(!phone.microphone);
  REQUIRE(phone.backgroundFor == 0 * kj::SECONDS);
  REQUIRE(phone.throttled == 1);
  REQUIRE(phone.tasks.empty());
  auto& wifi = parsed->networks["wifi"];
  REQUIRE(wifi.internet);
  REQUIRE(!wifi.isolates);
  REQUIRE(wifi.lossPermille == 0);
  REQUIRE(wifi.multicast);
  REQUIRE(!wifi.symmetric);
  REQUIRE(wifi.natIdle == 30 * kj::SECONDS);
}

TEST_CASE("a network without a figure that it needs is refused") {
  auto key = GENERATE(as<std::string>(), "latency_min", "latency_max", "up_bps", "down_bps");
  REQUIRE(errorOf(PROFILE, with(NETWORK, key, "")) ==
      "[wifi] in networks.toml: " + key + " is missing");
}

TEST_CASE("a profile without a figure that it needs is refused") {
  auto key = GENERATE(as<std::string>(), "class", "cores", "memory_mib", "idle_mw", "asleep_mw",
      "active_mw", "sync", "drift_ppm", "radios");
  auto verb = key == "radios" ? " are missing" : " is missing";
  REQUIRE(errorOf(with(PROFILE, key, ""), NETWORK) == "[phone] in profiles.toml: " + key + verb);
}

TEST_CASE("a wrong entry of a network is refused, and named") {
  auto wrong = GENERATE(Wrong{"latency_mim = 3", "'latency_mim' is not known"},
      Wrong{"loss_permille = 1001", "loss_permille must be a number"},
      Wrong{"loss_permille = -1", "loss_permille must be a number"},
      Wrong{"loss_permille = 0.5", "loss_permille must be a whole number"},
      Wrong{"loss_permille = \"1\"", "loss_permille must be a number"},
      Wrong{"duplicate_permille = 1001", "duplicate_permille must be a number"},
      Wrong{"reorder_permille = 0.5", "reorder_permille must be a whole number"},
      Wrong{"multicast = 1", "multicast must be true or false"},
      Wrong{"multicast_loss_permille = -1", "multicast_loss_permille must be a number"},
      Wrong{"symmetric = 1", "symmetric must be true or false"},
      Wrong{"nat_idle = 30", "nat_idle must be a text"},
      Wrong{"isolates = 1", "isolates must be true or false"},
      Wrong{"internet = \"no\"", "internet must be true or false"},
      Wrong{"lets_in = 0", "lets_in must be true or false"},
      Wrong{"portal = []", "portal must be true or false"},
      Wrong{"lets_in = true\ninternet = false", "lets_in needs internet"},
      Wrong{"tx_nj_per_byte = -0.1", "tx_nj_per_byte must be a number"},
      Wrong{"rx_nj_per_byte = nan", "rx_nj_per_byte must be a number"},
      Wrong{"tail_mw = inf", "tail_mw must be a number"},
      Wrong{"tail = 200", "tail must be a text"}, Wrong{"tail = \"soon\"", "tail must be a time"},
      Wrong{"tail = \"-1s\"", "tail must be a time"},
      Wrong{"tail = \"61m\"", "tail must be a time of an hour at most"});
  auto error = errorOf(PROFILE, NETWORK + wrong.line + "\n");
  REQUIRE_THAT(error, ContainsSubstring("[wifi] in networks.toml: " + wrong.says));
}

TEST_CASE("a network without speed or with its latencies turned round is refused") {
  REQUIRE_THAT(errorOf(PROFILE, with(NETWORK, "up_bps", "up_bps = 0")),
      ContainsSubstring("up_bps must be a number"));
  REQUIRE_THAT(errorOf(PROFILE, with(NETWORK, "down_bps", "down_bps = 1e300")),
      ContainsSubstring("down_bps must be a number"));
  REQUIRE_THAT(errorOf(PROFILE, with(NETWORK, "latency_min", "latency_min = \"6ms\"")),
      ContainsSubstring("latency_min is above latency_max"));
}

TEST_CASE("a wrong entry that a profile may have is refused, and named") {
  auto wrong = GENERATE(Wrong{"colour = \"red\"", "'colour' is not known"},
      Wrong{"battery_mwh = -1", "battery_mwh must be a number"},
      Wrong{"wake_uj = true", "wake_uj must be a number"},
      Wrong{"heat_capacity_s = 1e9", "heat_capacity_s must be a number"},
      Wrong{"cooling_per_s = 0", "cooling_per_s must be a number"},
      Wrong{"throttled = 0.5", "throttled must be a number"},
      Wrong{"microphone = \"yes\"", "microphone must be true or false"},
      Wrong{"background = \"2h\"", "background must be a time of an hour at most"},
      Wrong{"tasks = 3", "[tasks] must be a table"},
      Wrong{"tasks.\"audio.vad\" = 3", "the task audio.vad must be a table"},
      Wrong{"tasks.\"audio.sing\".per_unit_s = 1", "no plugin has the task 'audio.sing'"});
  auto error = errorOf(PROFILE + wrong.line + "\n", NETWORK);
  REQUIRE_THAT(error, ContainsSubstring("[phone] in profiles.toml: " + wrong.says));
}

TEST_CASE("a wrong entry that a profile must have is refused, and named") {
  auto wrong = GENERATE(Wrong{"class = \"toaster\"", "class must be watch, phone"},
      Wrong{"class = 7", "class must be a text"}, Wrong{"cores = 0", "cores must be a number"},
      Wrong{"cores = 2.5", "cores must be a whole number"},
      Wrong{"memory_mib = 99999999", "memory_mib must be a number"},
      Wrong{"idle_mw = -1", "idle_mw must be a number"},
      Wrong{"asleep_mw = 11", "asleep_mw is above idle_mw"},
      Wrong{"active_mw = \"much\"", "active_mw must be a number"},
      Wrong{"sync = \"2\"", "sync must be a time"},
      Wrong{"drift_ppm = 9223372036854775807", "drift_ppm must be a number"},
      Wrong{"radios = []", "radios are missing"},
      Wrong{"radios = [\"wifi\", 3]", "radios must be a text or a list of texts"},
      Wrong{"radios = [\"telepathy\"]", "radios: no network is called 'telepathy'"},
      Wrong{"radios = [\"wifi\", \"wifi\"]", "radios names wifi twice"});
  auto key = wrong.line.substr(0, wrong.line.find(' '));
  auto error = errorOf(with(PROFILE, key, wrong.line), NETWORK);
  REQUIRE_THAT(error, ContainsSubstring("[phone] in profiles.toml: " + wrong.says));
}

TEST_CASE("a battery that nothing drains is refused") {
  auto profile = with(with(PROFILE, "idle_mw", "idle_mw = 0"), "asleep_mw", "asleep_mw = 0");
  REQUIRE(Catalogue::parse(profile, NETWORK));
  REQUIRE_THAT(errorOf(profile + "battery_mwh = 1\n", NETWORK),
      ContainsSubstring("a battery needs idle_mw above 0"));
}

TEST_CASE("a wrong entry of a task is refused, and named") {
  auto wrong = GENERATE(Wrong{"fixed_s = 1", "per_unit_s is missing"},
      Wrong{"per_unit_s = -1", "per_unit_s must be a number"},
      Wrong{"per_unit_s = 1\nfixed_s = 1e6", "fixed_s must be a number"},
      Wrong{"per_unit_s = 1\nspread = 1", "spread must be a number"},
      Wrong{"per_unit_s = 1\nload = 5", "load must be a text"},
      Wrong{"per_unit_s = 1\nmodel = \"x\"", "'model' is not known"});
  auto error = errorOf(PROFILE + "[phone.tasks.\"audio.vad\"]\n" + wrong.line + "\n", NETWORK);
  REQUIRE_THAT(error, ContainsSubstring("[phone.tasks.\"audio.vad\"]: " + wrong.says));
}

TEST_CASE("an entry that is no table, and a name that is none, are refused") {
  REQUIRE(errorOf(PROFILE, "wifi = 3\n") == "networks.toml: wifi must be a table");
  REQUIRE(errorOf("phone = []\n", NETWORK) == "profiles.toml: phone must be a table");
  auto name = GENERATE(as<std::string>(), "\"\"", "Phone", "\"a b\"", "\"a\\nb\"",
      "a-name-that-is-longer-than-it-may-be");
  REQUIRE_THAT(errorOf("[" + name + "]\n", NETWORK), ContainsSubstring("a name must be"));
}

TEST_CASE("an unknown key with line breaks in it gives an error of one printable line") {
  REQUIRE(errorOf(PROFILE, NETWORK + "\"a\\nb\\u001b\" = 1\n") ==
      "[wifi] in networks.toml: 'a?b?' is not known");
  auto error = errorOf(PROFILE, NETWORK + std::string(5'000, 'x') + " = 1\n");
  REQUIRE(error.size() == 300);
}

TEST_CASE("a text that is no TOML is refused with its line") {
  REQUIRE_THAT(
      errorOf(PROFILE, NETWORK + "tail = = 3\n"), ContainsSubstring("networks.toml: line 6: "));
  REQUIRE_THAT(errorOf(PROFILE + "cores = 3\n", NETWORK), ContainsSubstring("profiles.toml: line"));
  REQUIRE_THAT(
      errorOf(PROFILE, NETWORK + "# \xff\xfe\n"), ContainsSubstring("networks.toml: line 6: "));
}

TEST_CASE("texts that are empty, too long or have too many entries are refused") {
  REQUIRE(errorOf(PROFILE, "") == "networks.toml: there is no entry");
  REQUIRE(errorOf("# nothing\n", NETWORK) == "profiles.toml: there is no entry");
  REQUIRE(errorOf(PROFILE, NETWORK + std::string(64 << 10, '#')) ==
      "networks.toml: the text is too long");
  std::string many = NETWORK;
  for (int i = 0; i < 100; ++i) many += "[n" + std::to_string(i) + "]\n";
  REQUIRE(errorOf(PROFILE, many) == "networks.toml: there are too many entries");
}

}  // namespace
}  // namespace hearth::sim
