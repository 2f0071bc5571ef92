// Battery and network of a Linux machine, with a bus and a NetworkManager of the test's own.
#include "devices/linux/linux-outlook.h"
#include "tests/devices/home-in-memory.h"

#include <kj/debug.h>
#include <kj/thread.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

namespace hearth::devices {
namespace {

constexpr const char* MANAGER = "org.freedesktop.NetworkManager";

// dbus-daemon in a directory of its own; none: the machine has none.
class Bus final {
 public:
  Bus() {
    char path[] = "/tmp/hearth-bus-XXXXXX";
    directory = KJ_ASSERT_NONNULL(kj::Maybe<const char*>(mkdtemp(path)));
    address = "unix:path=" + directory + "/bus";
    auto config = directory + "/bus.conf";
    auto text = "<busconfig><type>system</type><listen>" + address +
        "</listen><auth>EXTERNAL</auth><policy context=\"default\"><allow own=\"*\"/>"
        "<allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow user=\"*\"/></policy></busconfig>";
    kj::AutoCloseFd file(open(config.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    KJ_ASSERT(write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    pid = fork();
    if (pid == 0) {
      execlp(
          "dbus-daemon", "dbus-daemon", "--nofork", ("--config-file=" + config).c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 100 && access((directory + "/bus").c_str(), F_OK) != 0; ++i) usleep(20'000);
    isThere = access((directory + "/bus").c_str(), F_OK) == 0;
    setenv("DBUS_SYSTEM_BUS_ADDRESS", address.c_str(), 1);
  }
  ~Bus() {
    unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    for (auto* name: {"/bus", "/bus.conf"}) unlink((directory + name).c_str());
    rmdir(directory.c_str());
  }
  KJ_DISALLOW_COPY_AND_MOVE(Bus);

  std::string directory, address;
  bool isThere = false;

 private:
  pid_t pid;
};

int giveMetered(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* data,
    sd_bus_error*) {
  return sd_bus_message_append(reply, "u", *static_cast<uint32_t*>(data));
}

const sd_bus_vtable PROPERTIES[] = {
    SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("Metered", "u", giveMetered, 0, 0), SD_BUS_VTABLE_END};

// What answers there as NetworkManager does, on a thread of its own.
class Manager final {
 public:
  explicit Manager(const Bus& bus, uint32_t metered)
      : metered(metered),
        thread([this, address = bus.address]() { run(address); }) {
    while (!isReady) usleep(1'000);
  }
  ~Manager() { isOver = true; }

 private:
  uint32_t metered;
  std::atomic<bool> isReady = false, isOver = false;
  kj::Thread thread;

  void run(const std::string& address) {
    sd_bus* bus = nullptr;
    KJ_ASSERT(sd_bus_new(&bus) >= 0 && sd_bus_set_address(bus, address.c_str()) >= 0);
    KJ_ASSERT(sd_bus_set_bus_client(bus, 1) >= 0 && sd_bus_start(bus) >= 0);
    KJ_ASSERT(sd_bus_add_object_vtable(bus, nullptr, "/org/freedesktop/NetworkManager", MANAGER,
                  PROPERTIES, &metered) >= 0);
    KJ_ASSERT(sd_bus_request_name(bus, MANAGER, 0) >= 0);
    isReady = true;
    while (!isOver) {
      if (sd_bus_process(bus, nullptr) == 0) sd_bus_wait(bus, 10'000);
    }
    sd_bus_flush_close_unref(bus);
  }
};

struct Looking {
  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  HomeInMemory machine;
  InlineExecutor aside;

  Outlook look() { return LinuxOutlook(*machine.directory, aside).look().wait(scope); }
};

TEST_CASE("a network is metered where NetworkManager says or guesses so, and nowhere else") {
  Looking looking;
  Bus bus;
  if (!bus.isThere) SKIP("there is no dbus-daemon");
  REQUIRE(!looking.look().isMetered);  // a bus without it
  for (uint32_t said = 0; said <= 4; ++said) {
    Manager manager(bus, said);
    CAPTURE(said);
    REQUIRE(looking.look().isMetered == (said == 1 || said == 3));
  }
}

TEST_CASE(
    "a machine without a bus and a battery is as one on mains with a network that costs nothing") {
  Looking looking;
  setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus", 1);
  auto outlook = looking.look();
  unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
  REQUIRE(outlook.batteryPercent == nullptr);
  REQUIRE(!outlook.isMetered);
}

TEST_CASE("the charge of a battery that is being emptied is seen, and what is none is no battery") {
  Looking looking;
  kj::Path battery({"sys", "class", "power_supply", "BAT0"});
  looking.machine.write(battery.append("capacity"), "14\n");
  looking.machine.write(battery.append("status"), "Discharging\n");
  REQUIRE(KJ_REQUIRE_NONNULL(looking.look().batteryPercent) == 14);
  looking.machine.write(battery.append("status"), "Full\n");
  REQUIRE(looking.look().batteryPercent == nullptr);
  looking.machine.write(battery.append("status"), "Discharging\n");
  looking.machine.write(battery.append("capacity"), "full of it\n");
  REQUIRE(looking.look().batteryPercent == nullptr);
}

}  // namespace
}  // namespace hearth::devices
