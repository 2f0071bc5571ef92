#include "devices/linux/linux-outlook.h"

#include "devices/facts/local-facts.h"

#include <kj/debug.h>
#include <kj/function.h>

#include <systemd/sd-bus.h>

namespace hearth::devices {

namespace {

// Of NMMetered (NetworkManager's D-Bus interface): what was guessed counts as what was said.
constexpr uint32_t METERED_YES = 1, METERED_GUESS_YES = 3;
// A bus or a NetworkManager that hangs says nothing.
constexpr uint64_t ANSWERED_WITHIN_US = 1'000'000;
constexpr const char* MANAGER = "org.freedesktop.NetworkManager";

struct Bus {
  sd_bus* bus = nullptr;
  sd_bus_message *question = nullptr, *answer = nullptr;
  ~Bus() {
    sd_bus_message_unref(answer);
    sd_bus_message_unref(question);
    sd_bus_flush_close_unref(bus);
  }
};

// False where nobody says so. Nothing is started that does not run.
bool isMeteredNow() {
  Bus on;
  if (sd_bus_open_system(&on.bus) < 0) return false;
  sd_bus_set_method_call_timeout(on.bus, ANSWERED_WITHIN_US);
  if (sd_bus_message_new_method_call(on.bus, &on.question, MANAGER,
          "/org/freedesktop/NetworkManager", "org.freedesktop.DBus.Properties", "Get") < 0 ||
      sd_bus_message_set_auto_start(on.question, 0) < 0 ||
      sd_bus_message_append(on.question, "ss", MANAGER, "Metered") < 0 ||
      sd_bus_call(on.bus, on.question, ANSWERED_WITHIN_US, nullptr, &on.answer) < 0)
    return false;
  uint32_t metered = 0;
  if (sd_bus_message_read(on.answer, "v", "u", &metered) < 0) return false;
  return metered == METERED_YES || metered == METERED_GUESS_YES;
}

}  // namespace

kj::Promise<Outlook> LinuxOutlook::look() {
  Outlook outlook;
  co_await aside.execute([this, &outlook]() {
    auto unread = kj::runCatchingExceptions([&]() {
      auto level = batteryLevel(system);
      if (level >= 0)
        outlook.batteryPercent = static_cast<uint8_t>(kj::min(level, 1.0) * 100 + 0.5);
    });
    KJ_IF_MAYBE(e, unread) KJ_LOG(INFO, "the battery cannot be read", *e);
    outlook.isMetered = isMeteredNow();
  });
  co_return outlook;
}

}  // namespace hearth::devices
